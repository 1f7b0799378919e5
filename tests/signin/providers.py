"""The real provider of the tests: installed once outside the tree, started on loopback, used through its own pages."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from jwt.algorithms import RSAAlgorithm

from tests import npm
from tests.identity.outside import KEYS

HERE = Path(__file__).resolve().parent / "provider"
CLIENT, SECRET = "tre-portal", "a secret of 32 characters or more"
SECONDS = 60.0


def installed() -> Path:
    """Return the folder in which the provider is installed, made from the lock file when first needed."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = npm.installed(f"provider-{hashlib.sha256(lock).hexdigest()[:16]}", _prepare)
    shutil.copy(HERE / "provider.mjs", folder)
    return folder


def _prepare(folder: Path) -> list[str]:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    return ["ci"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Provider:
    """A provider that runs."""

    url: str


@contextmanager
def running(port: int, redirect: str, algorithm: str = "RS256") -> Iterator[Provider]:
    """Run the provider on `port` until the block ends."""
    private: Any = KEYS["RS256"]
    key = {**RSAAlgorithm.to_jwk(private, as_dict=True), "kid": "k1", "use": "sig", "alg": algorithm}
    key.pop("key_ops")
    said = {
        "port": port,
        "redirect": redirect,
        "client": CLIENT,
        "secret": SECRET,
        "keys": [key],
        "algorithm": algorithm,
    }
    process = subprocess.Popen(
        ["node", "provider.mjs"],
        cwd=installed(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(said))
        process.stdin.close()
        assert process.stdout.readline().strip() == "listening", "the provider did not start"
        yield Provider(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(SECONDS)
        process.stdout.close()


def issuer_settings(port: int, **more: str) -> str:
    """Return the settings of a home that trusts the provider on `port` for tokens and for signing in."""
    return f"""
[[issuers]]
name = "http://127.0.0.1:{port}"
audience = "tre"
jwks = "http://127.0.0.1:{port}/jwks"
algorithms = ["RS256"]
longest = 3600
refresh = 1
amr = {{ otp = "mfa" }}
otherwise = "password"
[issuers.sign_in]
label = "Sign in with Northfield"
client = "{CLIENT}"
secret = "{more.get("secret", "keys/provider.secret")}"
"""


def walk(address: str, login: str) -> str:
    """Sign in as `login` on the provider's own pages; return the address to which it sends the browser back."""
    browser = requests.Session()
    answer = browser.get(address, allow_redirects=False, timeout=SECONDS)
    origin = re.match(r"https?://[^/]+", address)
    assert origin
    for _ in range(12):
        if answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if not target.startswith(origin[0]):
                return target
            answer = browser.get(target, allow_redirects=False, timeout=SECONDS)
        else:
            form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            assert form, answer.text
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert prompt
            fields = {"prompt": prompt[1], "login": login, "password": "any"}
            answer = browser.post(urljoin(answer.url, form[1]), fields, allow_redirects=False, timeout=SECONDS)
    raise AssertionError("the provider's pages do not end")
