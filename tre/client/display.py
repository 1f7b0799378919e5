"""Tables for people: HTML in a notebook, everything escaped; plain text elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape


def table_html(
    names: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numeric: Collection[int] = (),
    pre: Collection[int] = (),
    foot: Sequence[str] = (),
) -> str:
    """Return an HTML table: `numeric` columns to the right, `pre` ones with their spaces kept, a line per `foot`."""
    head = "".join(
        f'<th scope="col"{_to_right(place in numeric)}>{escape(name)}</th>' for place, name in enumerate(names)
    )
    body = "".join(
        f"<tr>{''.join(_cell(cell, place in numeric, place in pre) for place, cell in enumerate(row))}</tr>"
        for row in rows
    )
    below = "".join(f"<p>{escape(line)}</p>" for line in foot if line)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def table_text(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table of plain text, columns apart by two blanks."""
    cells = [list(names), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _cell(cell: object, numeric: bool, pre: bool) -> str:
    text = escape(str(cell))
    return f"<td{_to_right(numeric)}>{f'<pre>{text}</pre>' if pre and text else text}</td>"


def _to_right(numeric: bool) -> str:
    return ' style="text-align:right"' if numeric else ""
