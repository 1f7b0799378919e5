"""`tre serve`, killed at the step that the file `die-at` in its home names. Only this entry module of the tests can."""

import os
import signal
import sys

import tre.app.serving as serving
from tre.cli.entry import main


class Dying(serving.Running):
    """A house in service whose process ends where it is told to, once for each telling."""

    def __init__(self, house: serving.House, **said: bool) -> None:
        told = house.home.root / "die-at"

        def step(name: str) -> None:
            if told.exists() and told.read_text() == name:
                told.unlink()
                os.kill(os.getpid(), signal.SIGKILL)

        super().__init__(house, step, **said)


if __name__ == "__main__":
    serving.Running = Dying
    raise SystemExit(main(["serve", *sys.argv[1:]]))
