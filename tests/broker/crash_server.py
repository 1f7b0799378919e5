"""A server that dies at a named step of AUDIT's order. Only this entry module of the tests can make one."""

import os
import signal
import sys
from pathlib import Path

from tests.house import OKAFOR, PROJECT, question
from tre.app.compose import House
from tre.app.serving import Running
from tre.base.home import Home
from tre.privacy.accuracy import Accuracy


def main(home: str, step: str, accuracy: str | None = None) -> None:
    """Ask one question, at an accuracy if one is given, and die when `step` is passed."""

    def die(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    running = Running(House(Home(Path(home))), die)
    asked = question() if accuracy is None else question(epsilon="0.5", accuracy=Accuracy.read(accuracy))
    taken = running.broker.submit(OKAFOR, PROJECT, None, asked)
    running.broker.wait(OKAFOR, taken.id, 60)
    running.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
