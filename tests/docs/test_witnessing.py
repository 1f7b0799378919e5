"""How two organisations witness each other is run as the page says it, by both of them."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.docs.conftest import BIN, SECONDS, served
from tests.docs.manual import DOCS, ROOT, typed
from tests.docs.test_tutorials import run
from tests.e2e.test_witnesses import free_port

SECTION = re.compile(r"^### Witness each other\n(.*?)^### ", re.MULTILINE | re.DOTALL)


def commands() -> dict[str, str]:
    """Return the commands of the section, by their beginning."""
    (section,) = SECTION.findall((DOCS / "howto" / "operate.md").read_text(encoding="utf-8"))
    found = [line for block in re.findall(r"^```console\n(.*?)^```$", section, re.M | re.S) for line in typed(block)]
    return {" ".join(line.split()[:4]): line for line in found}


@contextmanager
def started(line: str, folder: Path) -> Iterator[None]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(f"exec {line}", shell=True, cwd=folder, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"witnessing at")
        yield
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


def test_two_organisations_witness_each_other_by_the_commands_of_the_page(tmp_path: Path) -> None:
    typed = commands()
    key, serve, verify, push = typed.values()
    ours, theirs = tmp_path / "northfield", tmp_path / "southbury"
    ports = {ours: str(free_port()), theirs: str(free_port())}
    for folder in ports:
        folder.mkdir()
        made = run([f"tre init tre --origin {folder.name}.example/tre", key.replace("northfield", folder.name)], folder)
        assert all(text.endswith("\n0") for text in made.values()), made
    for folder, other in ((ours, theirs), (theirs, ours)):
        (folder / "their-log.vkey").write_bytes((other / "tre" / "log.vkey").read_bytes())
        (folder / "their-witness.vkey").write_bytes((other / "witness.vkey").read_bytes())
        named = f'{{key = "{(other / "witness.vkey").read_text().strip()}", url = "http://127.0.0.1:{ports[other]}"}}'
        config = folder / "tre" / "config.toml"
        text = config.read_text().replace("witnesses = []", f"witnesses = [\n    {named},\n]")
        config.write_text(text.replace("every = 60", "every = 1"))
    with ExitStack() as running:
        for folder, port in ports.items():
            running.enter_context(started(serve.replace("8322", port), folder))
        for folder, other in ((ours, theirs), (theirs, ours)):
            address = running.enter_context(served(folder / "tre"))
            line = verify.replace("127.0.0.1:8321", address).replace("/srv/tre", "tre")
            page = until_verified(line, folder)
            assert f"{other.name}.example/w1 cosigned" in page
            assert f"{folder.name}.example/tre cosigned" in page
    with started(serve.replace("8322", ports[theirs]), theirs):
        line = push.replace("/var/lib/tre-log/log", "tre/log").replace(" --every 60", "")
        line = line.replace("https://witness.southbury.example", f"http://127.0.0.1:{ports[theirs]}")
        (said,) = run([line], ours).values()
        assert re.match(r"southbury\.example/w1 cosigned \d+ entries", said), said
        assert said.endswith("\n0")


def until_verified(line: str, folder: Path) -> str:
    """Verify until the first head has been cosigned."""
    deadline = time.monotonic() + SECONDS
    while True:
        (page,) = run([line], folder).values()
        if page.endswith("\n0") or time.monotonic() > deadline:
            assert page.endswith("\n0"), page
            return page
        time.sleep(0.5)
