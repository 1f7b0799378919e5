"""A writer to be killed: appends from several threads, and says on its output what was acknowledged.

    python -m tests.audit.writer HOME

Each line is `index entry`, written in one piece after `append` has returned.
"""

import os
import sys
import threading
from pathlib import Path

from tests.audit.samples import open_log


def main(home: Path) -> None:
    log = open_log(home)

    def work(thread: int) -> None:
        turn = 0
        while True:
            entries = [f"{os.getpid()}.{thread}.{turn}.{part}.{'x' * 500}".encode() for part in range(1 + turn % 5)]
            for index, entry in zip(log.append(entries), entries, strict=True):
                os.write(1, b"%d %b\n" % (index, entry))
            turn += 1

    for thread in range(4):
        threading.Thread(target=work, args=(thread,), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
