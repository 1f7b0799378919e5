"""What commands print: aligned tables, CSV, JSON; refusals and progress on standard error."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from typing import IO, Protocol

_BAR = 24


class Told(Protocol):
    """A reason as any side tells it: the catalogue's refusals and the client's reasons alike."""

    @property
    def code(self) -> str:
        """The stable code."""

    @property
    def sentence(self) -> str:
        """What is refused and why."""

    @property
    def remedy(self) -> str:
        """How to go on."""

    @property
    def caret(self) -> str | None:
        """The line of SQL with a caret under the place."""


def print_table(names: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[bool] = ()) -> None:
    """Print an aligned table; `numeric` columns are set flush right."""
    print(table_text(names, rows, numeric))


def table_text(names: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[bool] = ()) -> str:
    """Return an aligned table; `numeric` columns are set flush right."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max([len(name), *(len(row[index]) for row in cells)]) for index, name in enumerate(names)]
    right = list(numeric) or [False] * len(names)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in [list(names), ["-" * width for width in widths], *cells]
    )


def print_csv(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print RFC 4180 CSV with a header."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)


def print_refusals(reasons: Iterable[Told], file: IO[str] | None = None) -> None:
    """Print each reason as code, sentence, caret and remedy, to standard error."""
    out = file or sys.stderr
    for reason in reasons:
        print(f"refused: {reason.code}", file=out)
        print(f"  {printable(reason.sentence)}", file=out)
        for line in (reason.caret or "").splitlines():
            print(f"    {printable(line)}", file=out)
        print(f"  → {printable(reason.remedy)}", file=out)


def printable(text: str) -> str:
    """Return text that moves no cursor: what came over the wire may hold control characters."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def progress_bar(step: str, fraction: float) -> None:
    """Draw how far a long step is, at a terminal; say nothing elsewhere."""
    if not sys.stderr.isatty():
        return
    done = round(_BAR * min(1.0, max(0.0, fraction)))
    end = "\n" if fraction >= 1 else ""
    sys.stderr.write(f"\r{step:<10} [{'█' * done}{' ' * (_BAR - done)}] {fraction:4.0%}{end}")
    sys.stderr.flush()
