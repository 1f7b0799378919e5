"""The `tre` command in a process of its own that is forked from one which has imported it: imports take 1.5 s a time.

Servers, the verifier and the commands of the manual are started as people start them, by Python or the script.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support import ROOT

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.e2e.forked", "tre.app.admin", "tre.cli.administering"])


def run(arguments: Sequence[str], environment: Mapping[str, str], said: Path, seconds: float) -> int:
    """Run the command on `arguments`, its output and errors in the folder `said`; return its exit code.

    It has nothing of the environment but what is given, and is killed after `seconds`.
    """
    process = _CONTEXT.Process(target=_command, args=(list(arguments), dict(environment), said))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"tre {' '.join(arguments)} did not end")
    return process.exitcode


def _command(arguments: list[str], environment: dict[str, str], said: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for name, number in (("out", 1), ("err", 2)):
        with (said / name).open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.argv = ["tre", *arguments]
    from tre.cli import main

    sys.exit(main())
