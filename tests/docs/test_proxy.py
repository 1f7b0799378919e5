"""The proxy's settings in the manual are taken by nginx, and a question passes through TLS with them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.docs.conftest import SECONDS, Demonstration
from tests.docs.manual import DOCS
from tests.support import require

QUESTION = {"project": "diabetes", "sql": "SELECT COUNT(*) AS n FROM person", "epsilon": 0.1}
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _settings(folder: Path, address: str, port: int) -> Path:
    """The manual's server block, with this machine's ports and files, inside the least that nginx needs around it."""
    (block,) = re.findall(r"```nginx\n(.*?)```", (DOCS / "howto" / "operate.md").read_text(encoding="utf-8"), re.DOTALL)
    for said, here in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("server_name tre.example.org", "server_name localhost"),
        ("/etc/ssl/tre.pem", str(folder / "tre.pem")),
        ("/etc/ssl/tre.key", str(folder / "tre.key")),
        ("http://127.0.0.1:8321", f"http://{address}"),
    ):
        assert block.count(said) == 1, said
        block = block.replace(said, here)
    places = "".join(f"{name}_temp_path {folder / name};\n" for name in ("client_body", "proxy", "fastcgi"))
    places += "".join(f"{name}_temp_path {folder / name};\n" for name in ("uwsgi", "scgi"))
    file = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    file.write_text(
        f"{user}daemon off;\npid {folder / 'pid'};\nerror_log {folder / 'error.log'};\nevents {{}}\n"
        f"http {{\naccess_log off;\n{places}{block}}}\n"
    )
    return file


def _certificate(folder: Path) -> None:
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(folder / "tre.key"), "-out", str(folder / "tre.pem")),
        ],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def proxy(address: str, tmp_path: Path) -> Iterator[str]:
    """The demonstration's server behind nginx; yields the address that people would type."""
    require(NGINX, "nginx is missing: apt-get install nginx-light")
    require(shutil.which("openssl"), "openssl is missing: apt-get install openssl")
    port = _free()
    _certificate(tmp_path)
    settings = _settings(tmp_path, address, port)
    command = [str(NGINX), "-p", str(tmp_path), "-c", str(settings)]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port, running)
        yield f"https://localhost:{port}"
    finally:
        running.terminate()
        running.wait(SECONDS)


def _await(port: int, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx did not start")


def test_a_question_passes_through_tls_with_the_settings_of_the_manual(
    demonstration: Demonstration, proxy: str, tmp_path: Path
) -> None:
    token = subprocess.run(
        [sys.executable, "-m", "tre.cli", "token", "--person", "okafor", "--project", "diabetes"],
        env={**os.environ, "TRE_HOME": str(demonstration.folder / ".demo")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[-1]
    asked = requests.post(
        f"{proxy}/api/v1/queries",
        json=QUESTION,
        headers={"Authorization": f"Bearer {token}", "Prefer": "wait=60", "Idempotency-Key": "through-the-proxy"},
        verify=str(tmp_path / "tre.pem"),
        timeout=90,
    )
    assert asked.status_code == 200, asked.text
    assert asked.json()["state"] == "committed"
    large = requests.post(f"{proxy}/api/v1/queries", data=b"x" * 200_000, verify=str(tmp_path / "tre.pem"), timeout=30)
    assert large.status_code == 413
    logs = "".join(file.read_text(errors="replace") for file in tmp_path.glob("*.log"))
    assert token not in logs
