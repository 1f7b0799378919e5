"""One of several servers on one database: runs what is queued, burns what dead ones left, until it is killed."""

import sys
import time
from dataclasses import replace
from pathlib import Path

from tre.app.compose import House
from tre.base.home import Home
from tre.broker import Broker

LEASE = 2.0


def main(home: str, notes: str) -> None:
    """Note every start of a request in a file that all servers append to."""

    def step(name: str) -> None:
        if name == "running":
            with Path(notes).open("a") as file:
                file.write("start\n")
            time.sleep(0.2)

    house = House(Home(Path(home)))
    broker = Broker(replace(house.parts(step), lease=LEASE), threads=2, alone=False)
    broker.start()
    print("started", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
