"""Two texts line by line, for people who ask what changed."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from tre.web.oversight_views import DiffLineView


def line_by_line(old: str, new: str) -> tuple[DiffLineView, ...]:
    """Return every line of both texts once where they agree, removed ones before those in their place."""
    before, after = old.splitlines(), new.splitlines()
    return tuple(_lines(before, after))


def _lines(before: list[str], after: list[str]) -> Iterator[DiffLineView]:
    for same, first, end, start, stop in _blocks(before, after):
        if same:
            for number, text in enumerate(before[first:end]):
                yield DiffLineView(kind="same", old=first + number + 1, new=start + number + 1, text=text)
            continue
        for number in range(first, end):
            yield DiffLineView(kind="removed", old=number + 1, new=None, text=before[number])
        for number in range(start, stop):
            yield DiffLineView(kind="added", old=None, new=number + 1, text=after[number])


def _blocks(before: list[str], after: list[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    for kind, *span in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        first, end, start, stop = span
        yield kind == "equal", first, end, start, stop
