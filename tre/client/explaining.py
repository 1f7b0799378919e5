"""The plan of a question, for reading: as text, indented, and as a block of text in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a question would be answered: `document` as the API says it, `str()` as text for people.

    `document["steps"]` are the releases in their order: rows and why they are one person's, bounds and where they come
    from, noise, price, expected error and SQL of each; `rows` and `sql` say what is computed from them, which is free.
    """

    document: Mapping[str, Any]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    def _lines(self) -> Iterator[str]:
        for step in self.document["steps"]:
            yield f"Result {step['number']}: {', '.join(step['measures'])}"
            yield from (f"  {line}" for line in _step(step))
        yield "The answer, computed from released and public rows alone, free:"
        yield from (f"  {line}" for line in (*_rows(self.document["rows"]), *_text("SQL", self.document["sql"])))


def _step(step: Mapping[str, Any]) -> Iterator[str]:
    yield "Rows"
    yield from (f"  {line}" for line in _rows(step["rows"]))
    yield f"Groups: {_groups(step)}"
    yield "Bounds"
    yield from (f"  {one['of']}: {one['value']} ({one['source']})" for one in step["bounds"])
    yield from (f"  {_alternative(one)}" for one in step.get("alternatives", ()))
    yield "Noise"
    yield from (f"  {_noise(one)}" for one in step["noise"])
    yield f"Price: {_price(step)}"
    for error in step["error"]:
        width = error["half_width"]
        known = "known with the answer" if width is None else f"±{width:.6g}"
        yield f"Error of {error['output']} (95 %): {known}"
    yield from _text("SQL", step["sql"])


def _rows(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    return (f"{'  ' * row['depth']}{row['operation']} — {row['status']}: {row['why']}" for row in rows)


def _groups(step: Mapping[str, Any]) -> str:
    if not step["groups"]:
        return "none"
    names = ", ".join(f"{one['name']} ({one['known_from'] or 'not known'})" for one in step["groups"])
    if step["known_groups"] is not None:
        return f"{step['known_groups']} known, by {names}"
    if step["threshold"] is None:
        return f"those that were released before, by {names}"
    return f"not known, by {names}; shown above {step['threshold']} noisy people"


def _alternative(one: Mapping[str, Any]) -> str:
    ways = ("over all groups together", one["together"]), ("in each group", one["in_each"])
    (taken, now), (other, then) = ways if one["taken"] else ways[::-1]
    return f"noise of {one['of']} at the usual price: {now:.4g}, bounded {taken}; {then:.4g} if {other}"


def _noise(one: Mapping[str, Any]) -> str:
    cells = "all cells together" if one["together"] else "1 cell" if one["cells"] == 1 else f"{one['cells']:,} cells"
    return (
        f"{one['of']}: {one['distribution']}, scale {one['scale']:.6g} in steps of {one['unit']}; one person changes "
        f"{cells} by at most {one['sensitivity']:,}; {one['share']:.1%} of this price"
    )


def _price(step: Mapping[str, Any]) -> str:
    new, paid = step["new_draw"], step["paid"]
    stored = f"{step['stored_draws']} stored measurement{'s' * (step['stored_draws'] != 1)}"
    if new is None:
        return f"{stored} will serve; the project pays {_loss(paid)}"
    return f"a measurement of {_loss(new)} beside {stored}; the project pays {_loss(paid)}"


def _loss(one: Mapping[str, Any]) -> str:
    delta = f" and delta {one['delta']}" if float(one["delta"]) else ""
    return f"{one['unit']} {one['amount']}{delta}"


def _text(name: str, text: str) -> Iterator[str]:
    yield name
    yield from (f"  {line}" for line in text.splitlines())
