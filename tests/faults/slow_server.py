"""`tre serve`, whose requests take a second once they run. Only this entry module of the tests can make one."""

import sys
import time

import tre.app.serving as serving
from tre.cli.entry import main


def slow(step: str) -> None:
    """Hold a request where it has begun to read."""
    if step == "read":
        time.sleep(1.0)


class Slow(serving.Running):
    """A house in service, slowed down."""

    def __init__(self, house: object, **said: bool) -> None:
        super().__init__(house, slow, **said)


if __name__ == "__main__":
    serving.Running = Slow
    raise SystemExit(main(["serve", *sys.argv[1:]]))
