"""The writer's process on the disk of a test: `python -m tests.audit.service HOME FAIL_AT LIMIT`.

FAIL_AT counts the log's changes of the disk from the first commit on (0: none fails); LIMIT is the time in seconds
that a caller has for a request.
"""

import sys
from pathlib import Path

import audit.service
from audit.files import OsFiles
from tests.audit.disks import FailOn, WatchedFiles
from tests.audit.samples import open_log


def main(home: Path, fail_at: int, limit: float) -> None:
    failing = FailOn(None)
    log = open_log(home, files=WatchedFiles(failing, OsFiles()))
    failing.nth = failing.count + fail_at if fail_at else None
    audit.service.LIMIT = limit
    with log:
        audit.service.serve(log, home / "s", ready=lambda: print("ready", flush=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
