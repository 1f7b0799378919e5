"""A service's first answer in a fresh process: prints which modules were loaded between its start and its release."""

import sys
from pathlib import Path

from tests.house import OKAFOR, question
from tre.app.compose import House
from tre.app.serving import Running
from tre.base.home import Home
from tre.base.lean import leave_frames_out


def main(home: str) -> None:
    """Ask one question of the home's project “paced”."""
    leave_frames_out()
    loaded: dict[str, set[str]] = {}
    running = Running(House(Home(Path(home))), lambda step: loaded.setdefault(step, set(sys.modules)) and None)
    taken = running.broker.submit(OKAFOR, "paced", None, question("SELECT COUNT(*) AS n FROM person"))
    running.broker.wait(OKAFOR, taken.id, 60)
    running.stop()
    print(*sorted(loaded["released"] - loaded["running"]))


if __name__ == "__main__":
    main(sys.argv[1])
