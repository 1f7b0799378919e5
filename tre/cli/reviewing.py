"""The commands that read the log's entries, each on the record."""

from __future__ import annotations

import argparse
from typing import Any

from tre.base.reasons import Refused
from tre.base.reasons.cli import CRATE_PROJECT
from tre.cli.administering import at_home
from tre.cli.output import print_csv, print_table

FILTERS = ("person", "project", "dataset", "table", "event", "reason", "request", "since", "until")
_SHOWN = ("index", "time", "event", "actor", "subject", "project", "dataset", "request", "reasons")


def search(options: argparse.Namespace) -> int:
    """Show entries, newest first."""
    found = at_home().audit_search(options.by, _wanted(options), options.limit)
    if options.format == "csv":
        print_csv(found.names, found.rows)
        return 0
    places = [found.names.index(name) for name in _SHOWN]
    print_table(_SHOWN, [[row[place] for place in places] for row in found.rows])
    return 0


def export_events(options: argparse.Namespace) -> int:
    """Write entries to a file or a folder."""
    if options.format == "ro-crate" and options.project is None:
        raise Refused.because(CRATE_PROJECT)
    at_home().audit_export_events(options.by, _wanted(options), options.format, options.out)
    print(f"{options.out} is written")
    return 0


def _wanted(options: argparse.Namespace) -> dict[str, Any]:
    return {name: said for name in FILTERS if (said := getattr(options, name)) is not None}
