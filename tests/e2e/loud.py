"""`tre serve` with every logger of the process at its loudest: the server's own, SQLAlchemy's, gunicorn's."""

import logging
import sys

import sqlalchemy.log  # noqa: F401 - sets its own level when it is first imported
from gunicorn.config import Loglevel

from tre.cli import main

if __name__ == "__main__":
    logging.basicConfig(level=1, stream=sys.stderr)
    for name in ("sqlalchemy", "alembic"):  # they keep quiet of themselves
        logging.getLogger(name).setLevel(1)
    Loglevel.default = "debug"
    sys.exit(main(sys.argv[1:]))
