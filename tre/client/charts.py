"""One Vega-Lite specification of a released answer: the portal, Jupyter and print draw the same one.

Everything is worked out here, so that the specification holds data, marks and constant text alone: no expression
is made of a name or a value, and names never become field names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tre.client import panels
from tre.client.panels import Panel, Point

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
MIME = "application/vnd.vegalite.v6+json"
GROUPS, MOMENTS, SERIES, PANELS, MEASURES = 40, 400, 6, 12, 4
"""The most that is drawn: groups on an axis, moments on one of time, colours, facets, measures."""
_DRAWN_AS = "6.4"
_BARS, _LONG, _CROWD, _LARGE = 48, 14, 8, 100_000
_NUMBERS = ("integer", "decimal", "double")
_TIMES = ("date", "timestamp")
_NO_VALUE, _HIDDEN = "no value (NULL)", "hidden"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: `spec` is its Vega-Lite specification. A notebook draws it."""

    spec: Spec

    def svg(self) -> str | None:
        """Return the picture as SVG; None where vl-convert (`tre[charts]`) is not installed."""
        try:
            import vl_convert
        except ImportError:
            return None
        return str(vl_convert.vegalite_to_svg(self.spec, vl_version=_DRAWN_AS))

    def specifications(self) -> dict[str, Spec]:
        """Return the specification by MIME type, for notebooks that draw version 6 and for those that draw 5."""
        older = {**self.spec, "$schema": SCHEMA.replace("v6", "v5")}
        return {MIME: self.spec, MIME.replace("v6", "v5"): older}

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        picture = self.svg()
        plain = {"text/plain": self.spec["description"]}
        return {**plain, **(self.specifications() if picture is None else {"image/svg+xml": picture})}


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    type: str
    place: int

    @property
    def words(self) -> str:
        return self.name.replace("_", " ")

    @property
    def title(self) -> str:
        return _capital(self.words)


@dataclass(frozen=True, slots=True)
class _Measure(_Column):
    low: int | None
    high: int | None


def chart(
    columns: Sequence[Mapping[str, Any]],
    rows: Sequence[Sequence[Any]],
    level: float = 0.95,
    *,
    title: str | None = None,
) -> Spec | None:
    """Return the chart of an answer as a Vega-Lite 6 specification, None where no chart makes sense.

    `columns` and `rows` are those of a result's JSON, `level` that of its intervals, `title` replaces the
    one made of the columns' names. A withheld cell is drawn as hidden, never as 0. Charted are an answer of
    one row without a group (numbers), and noisy numbers by one or two groups (bars, or points along time).
    """
    keys, measures = _roles(columns)
    if not rows or not measures or len(keys) > 2 or (not keys and len(rows) > 1):
        return None
    drawn, percent = measures[:MEASURES], f"{100 * level:g} %"
    said = [] if len(drawn) == len(measures) else [f"The first {MEASURES} of {len(measures)} measures are drawn."]
    if keys:
        body, cut = _by_groups(keys, drawn, rows)
        said = [*cut, *said]
    else:
        body = panels.numbers([_point(one, rows[0], "", "", one.title) for one in drawn], percent)
    return _framed(body, _headline(keys, drawn, title), _notes(drawn, rows, percent) + said)


def _roles(columns: Sequence[Mapping[str, Any]]) -> tuple[list[_Column], list[_Measure]]:
    """Return what the rows are grouped by, and the noisy numbers with the places of their interval's ends."""
    ends = {(column.get("of"), column["bound"]): place for place, column in enumerate(columns) if column.get("bound")}
    keys, measures = [], []
    for place, column in enumerate(columns):
        name, kind = column["name"], column["type"]
        if not column.get("bound") and not column["noisy"]:
            keys.append(_Column(name, kind, place))
        elif not column.get("bound") and kind in _NUMBERS:
            measures.append(_Measure(name, kind, place, ends.get((name, "low")), ends.get((name, "high"))))
    return keys, measures


def _by_groups(keys: list[_Column], measures: list[_Measure], rows: Sequence[Sequence[Any]]) -> tuple[Spec, list[str]]:
    """Return the panels, one under the other, and what they leave out."""
    first, second = _ordered(keys, rows)
    times = first.type in _TIMES and all(isinstance(row[first.place], str) for row in rows)
    main, cut = _domain(first, rows, MOMENTS if times else GROUPS)
    series, cut_too = _domain(second, rows, PANELS) if second else ([], [])
    panel = Panel(
        title=first.title,
        values=main,
        times=times,
        upright=times or not _long(first, main),
        series_title=second.title if second else "",
        series=series,
        facets=len(series) > SERIES or (not times and len(series) * len(main) > _BARS),
        height=200 if len(measures) == 1 else 150,
    )
    made = [panels.panel(panel, one.title, _points(first, second, one, rows, panel)) for one in measures]
    return (made[0] if len(made) == 1 else {"vconcat": made, "spacing": 28}), cut + cut_too


def _ordered(keys: list[_Column], rows: Sequence[Sequence[Any]]) -> tuple[_Column, _Column | None]:
    """Return the key along the axis and the one told apart by colour or facet: time first, then the one of more."""
    if len(keys) == 1:
        return keys[0], None
    many = {key.place: len({_label(row[key.place]) for row in rows}) for key in keys}
    first, second = sorted(keys, key=lambda key: (key.type in _TIMES, many[key.place]), reverse=True)
    return first, second


def _domain(key: _Column, rows: Sequence[Sequence[Any]], most: int) -> tuple[list[str], list[str]]:
    """Return the values drawn: numbers ascending, others in the answer's order; and a note when some are left out."""
    found = list(dict.fromkeys(_label(row[key.place]) for row in rows))
    kept = found[:most]
    if key.type in _NUMBERS:
        kept.sort(key=lambda label: (label == _NO_VALUE, _number(label) or 0.0))
    left = [f"The first {most} of {len(found)} values of {key.name} are drawn; the table has all."]
    return kept, left if len(found) > most else []


def _long(key: _Column, labels: Sequence[str]) -> bool:
    """Tell whether labels need a line each: then bars lie."""
    if key.type != "text":
        return False
    return max(map(len, labels)) > _LONG or (len(labels) > _CROWD and max(map(len, labels)) > _LONG // 2)


def _points(
    first: _Column, second: _Column | None, measure: _Measure, rows: Sequence[Sequence[Any]], panel: Panel
) -> list[Point]:
    main, series = set(panel.values), set(panel.series)
    points = []
    for row in rows:
        key, other = _label(row[first.place]), _label(row[second.place]) if second else ""
        if key in main and (not second or other in series):
            at = f"{key}Z" if panel.times and first.type == "timestamp" else key
            points.append(_point(measure, row, at, other, ", ".join(filter(None, (key, other)))))
    return points


def _point(measure: _Measure, row: Sequence[Any], key: str, series: str, name: str) -> Point:
    cell = row[measure.place]
    hidden = isinstance(cell, Mapping)
    ends = [None if place is None else row[place] for place in (measure.low, measure.high)]
    low, high = map(_number, ends)
    value = _HIDDEN if hidden else _shown(cell, measure.type)
    interval = "" if low is None or high is None else " to ".join(_shown(end, measure.type) for end in ends)
    return Point(key, series, name, _number(cell), low, high, hidden, value, interval)


def _shown(cell: Any, kind: str) -> str:
    """Return a number as people read it: thousands apart, a decimal exact, six digits where it was computed."""
    number = _number(cell)
    if number is None:
        return "no value"
    if kind == "decimal":
        text = f"{Decimal(str(cell)):,f}"
    else:
        text = f"{number:,.0f}" if kind == "integer" or abs(number) >= _LARGE else f"{number:,.6g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _label(cell: Any) -> str:
    if isinstance(cell, Mapping):
        return _HIDDEN
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return _NO_VALUE if cell is None else str(cell)


def _number(cell: Any) -> float | None:
    """Return a cell as a number; a withheld one, NULL and text that is none are no number."""
    if cell is None or isinstance(cell, Mapping | bool):
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _headline(keys: list[_Column], measures: list[_Measure], title: str | None) -> str:
    what, groups = (" and ".join(column.words for column in columns) for columns in (measures, keys))
    return title or _capital(f"{what} by {groups}" if groups else what)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _notes(measures: list[_Measure], rows: Sequence[Sequence[Any]], percent: str) -> list[str]:
    whiskers = any(measure.low is not None for measure in measures)
    notes = (
        [f"Numbers are noisy; the {percent} interval of the noise is shown."] if whiskers else ["Numbers are noisy."]
    )
    hidden = any(isinstance(row[measure.place], Mapping) for measure in measures for row in rows)
    return notes + (["Hidden cells are withheld, not zero."] if hidden else [])


def _framed(body: Spec, title: str, notes: list[str]) -> Spec:
    return {
        "$schema": SCHEMA,
        "description": " ".join([f"{title}.", *notes]),
        "title": {"text": title, "subtitle": notes},
        "config": panels.LOOK,
        **body,
    }
