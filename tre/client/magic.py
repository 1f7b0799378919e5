"""The `%%tre` magic of IPython: a cell of SQL is a question."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from typing import Any, NoReturn

from tre.client.connection import Connection, connect
from tre.client.decisions import Decision
from tre.client.errors import TreError
from tre.client.results import Result


def register(shell: Any) -> None:
    """Add `%%tre` to an IPython shell."""

    def tre(line: str, cell: str) -> Decision | Result:
        return ask(line, cell, shell.user_ns)

    tre.__doc__ = f"Ask the cell's SQL.\n\n{_options().format_help()}"
    shell.register_magic_function(tre, "cell", "tre")


def ask(line: str, cell: str, names: dict[str, Any]) -> Decision | Result:
    """Ask the SQL in `cell` under the options in `line`; `--to` puts what comes back into `names` too."""
    options = _options().parse_args(shlex.split(line))
    connection = _connection(options.connection, names)
    asked = {name: getattr(options, name) for name in ("epsilon", "accuracy", "project", "dataset", "dialect")}
    found = connection.check(cell, **asked) if options.check else connection.query(cell, **asked)
    if options.to:
        names[options.to] = found
    return found


def _connection(name: str | None, names: Mapping[str, Any]) -> Connection:
    if name is None:
        return connect()
    found = names.get(name)
    if not isinstance(found, Connection):
        raise TreError(f"{name} is no connection: make one with {name} = connect(…).")
    return found


class _Options(argparse.ArgumentParser):
    """Options whose mistakes are errors of the cell, and end no process."""

    def error(self, message: str) -> NoReturn:
        raise TreError(f"%%tre: {message}\n{self.format_usage()}")


def _options() -> _Options:
    made = _Options(prog="%%tre", description="Ask the cell's SQL.", add_help=False)
    made.add_argument("--epsilon", metavar="E", help="the most that the answer may cost")
    made.add_argument("--accuracy", metavar="±20@95", help="the error that each number may have")
    made.add_argument("--project", metavar="ID", help="the project (default: TRE_PROJECT)")
    made.add_argument("--dataset", metavar="NAME", help="the data set, where the project has several")
    made.add_argument("--dialect", metavar="NAME", help="the SQL that is written (default: postgres)")
    made.add_argument("--check", action="store_true", help="decide only: every reason, price, error; costs nothing")
    made.add_argument("--to", type=_identifier, metavar="NAME", help="keep what comes back under this name")
    made.add_argument("--connection", metavar="NAME", help="a connection of the notebook's (default: connect())")
    return made


def _identifier(text: str) -> str:
    if not text.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not a name")
    return text
