"""`tre serve` with every logger of the process at its loudest: the server's own, SQLAlchemy's, gunicorn's."""

import logging
import sys

from gunicorn.config import AccessLog, Loglevel

from tre.cli import main

if __name__ == "__main__":
    logging.basicConfig(level=1, stream=sys.stderr)
    Loglevel.default = "debug"
    AccessLog.default = "-"
    sys.exit(main(sys.argv[1:]))
