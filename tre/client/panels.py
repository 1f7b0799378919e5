"""The marks of a chart: bars or points with whiskers, hidden cells, and numbers written large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

Spec = dict[str, Any]
_INK, _QUIET, _LINE, _PAPER = "#1b2733", "#4d5d6c", "#e3e8ee", "#ffffff"
_BLUE = "#2f7eb5"
_COLOURS = [_BLUE, "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"]
"""Told apart by most colour-blind eyes (Okabe and Ito)."""
_WIDTH, _NARROW, _BAR, _ROW = 540, 240, 70, 24
_FACET_WIDTH, _FACETS_ABREAST = 165, 3
_LETTER, _LINE_HEIGHT, _CROWD, _BOX = 6.5, 13, 12, 16
LOOK: Spec = {
    "background": _PAPER,
    "font": "Inter, 'Segoe UI', Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": _QUIET,
        "titleColor": _INK,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "gridColor": _LINE,
        "domainColor": "#8a97a5",
        "ticks": False,
        "labelPadding": 6,
        "titlePadding": 8,
        "labelLimit": 260,
    },
    "title": {
        "anchor": "start",
        "color": _INK,
        "fontSize": 13,
        "subtitleColor": _QUIET,
        "subtitleFontSize": 11,
        "subtitlePadding": 4,
        "offset": 12,
    },
    "legend": {"labelColor": _QUIET, "titleColor": _INK, "orient": "top", "symbolType": "square", "symbolOpacity": 1},
    "header": {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 11, "titleFontSize": 11},
    "range": {"category": _COLOURS},
}


@dataclass(frozen=True, slots=True)
class Point:
    """One cell: its groups, what it is of, value and interval (None: nothing to draw), and these two in words."""

    key: str
    series: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    hidden: bool
    value_said: str
    interval_said: str

    def as_data(self) -> Spec:
        """Return the datum that marks are drawn from."""
        told = ", ".join(filter(None, (self.value_said, self.interval_said)))
        return {**asdict(self), "said": f"{self.name}: {told}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """How the groups are laid out: `values` along the axis, `series` by colour or as facets."""

    title: str
    values: Sequence[str]
    times: bool
    upright: bool
    series_title: str
    series: Sequence[str]
    facets: bool
    height: int

    @property
    def axes(self) -> tuple[str, str]:
        """Return the channel of the groups and that of the numbers."""
        return ("x", "y") if self.upright else ("y", "x")

    @property
    def abreast(self) -> int:
        """Return the number of bars that one group has."""
        return len(self.series) if self.coloured else 1

    @property
    def crowd(self) -> int:
        """Return the number of bars, or moments, side by side."""
        return len(self.values) * self.abreast

    @property
    def width(self) -> int:
        """Return the width of the plot in pixels: few bars take less."""
        if self.facets:
            return _FACET_WIDTH
        return _WIDTH if self.times or not self.upright else min(_WIDTH, max(_NARROW, _BAR * self.crowd))

    @property
    def coloured(self) -> bool:
        """Tell whether the second group is told apart by colour."""
        return bool(self.series) and not self.facets


def panel(layout: Panel, measure: str, points: Sequence[Point]) -> Spec:
    """Return one measure's chart over its own data."""
    layers = [*(_points(layout) if layout.times else _bars(layout)), *_whiskers(layout), *_hidden(layout)]
    drawing = {"layer": layers, "encoding": _shared(layout, measure, points), **_size(layout)}
    data = {"values": [point.as_data() for point in points]}
    if not layout.facets:
        return {"data": data, **drawing}
    facet = {"field": "series", "type": "nominal", "title": layout.series_title, "sort": list(layout.series)}
    return {"data": data, "facet": facet, "columns": _FACETS_ABREAST, "spec": drawing}


def numbers(found: Sequence[Point], percent: str) -> Spec:
    """Return an answer of one row: each number large, its interval under it."""
    values = [
        {**point.as_data(), "interval": f"{point.interval_said} ({percent})" if point.interval_said else ""}
        for point in found
    ]
    lines = (("name", 14, 12, _QUIET), ("value_said", 46, 30, _INK), ("interval", 76, 12, _QUIET))
    return {
        "data": {"values": values},
        "layer": [_line_of_text(*line) for line in lines],
        "encoding": {"x": _discrete("name", [point.name for point in found], {"axis": None, "bandPosition": 0})},
        "width": 210 * len(found),
        "height": 88,
    }


def _line_of_text(field: str, place: int, size: int, colour: str) -> Spec:
    weight = "bold" if colour == _INK else "normal"
    return {
        "mark": {"type": "text", "align": "left", "fontSize": size, "color": colour, "fontWeight": weight},
        "encoding": {"y": {"value": place}, "text": {"field": field}, "description": {"field": "said"}},
    }


def _discrete(field: str, domain: Sequence[str], more: Spec) -> Spec:
    return {"field": field, "type": "nominal", "sort": None, "scale": {"type": "band", "domain": list(domain)}, **more}


def _shared(layout: Panel, measure: str, points: Sequence[Point]) -> Spec:
    along, across = layout.axes
    shared = {along: _groups_axis(layout), across: _numbers_axis(measure, points)}
    if layout.coloured:
        colour = {"title": layout.series_title, "scale": {"domain": list(layout.series), "range": _COLOURS}}
        shared["color"] = {"field": "series", "type": "nominal", **colour}
        if not layout.times:
            shared[f"{along}Offset"] = _discrete("series", layout.series, {})
    return shared


def _groups_axis(layout: Panel) -> Spec:
    if layout.times:
        utc = {"scale": {"type": "utc"}, "axis": {"grid": False}}
        return {"field": "key", "type": "temporal", "title": layout.title, **utc}
    if not layout.upright:
        return _discrete("key", layout.values, {"title": None, "axis": {"grid": False}})
    room = layout.width / len(layout.values)
    level = max(map(len, layout.values)) * _LETTER <= room
    axis = {"grid": False, "labelAngle": 0 if level else -60, "labelOverlap": room < _LINE_HEIGHT}
    return _discrete("key", layout.values, {"title": layout.title, "axis": axis})


def _numbers_axis(measure: str, points: Sequence[Point]) -> Spec:
    """Return the axis of the numbers; one without numbers where every cell is withheld."""
    axis: Spec = {"type": "quantitative", "title": f"{measure} (noisy)", "axis": {"tickCount": 5, "domain": False}}
    if all(point.value is None for point in points):
        axis |= {"scale": {"domain": [0, 1]}, "axis": {"values": [0], "labels": False, "domain": False}}
    return axis


def _size(layout: Panel) -> Spec:
    if layout.upright:
        return {"width": layout.width, "height": layout.height}
    return {"width": layout.width, "height": _ROW * len(layout.values) * layout.abreast}


def _seen(layout: Panel, field: str = "value") -> Spec:
    """Return the encoding of `field` along the numbers' axis, with the words for pointer and screen reader."""
    said = {"field": "said", "type": "nominal"}
    return {layout.axes[1]: {"field": field, "type": "quantitative"}, "tooltip": said, "description": said}


def _bars(layout: Panel) -> list[Spec]:
    mark = {"type": "bar", **({} if layout.coloured else {"color": _BLUE})}
    return [{"transform": _those("isValid(datum.value)"), "mark": mark, "encoding": _seen(layout)}]


def _points(layout: Panel) -> list[Spec]:
    colour = {} if layout.coloured else {"color": _BLUE}
    line = {"type": "line", "strokeWidth": 1, "opacity": 0.6, "invalid": "break-paths-filter-domains", **colour}
    point = {"type": "point", "filled": True, "size": 40, "opacity": 1, **colour}
    drawn = _seen(layout)
    if layout.coloured:
        drawn["shape"] = {"field": "series", "type": "nominal", "scale": {"domain": list(layout.series)}}
    return [
        {"mark": line, "encoding": {layout.axes[1]: {"field": "value", "type": "quantitative"}}},
        {"transform": _those("isValid(datum.value)"), "mark": point, "encoding": drawn},
    ]


def _whiskers(layout: Panel) -> list[Spec]:
    across = layout.axes[1]
    known = _those("isValid(datum.low) && isValid(datum.high)")
    ink: Spec = {"color": {"value": _INK}}
    ends: Spec = {across: {"field": "low", "type": "quantitative"}, f"{across}2": {"field": "high"}}
    size = 8 if layout.crowd <= _CROWD else 4
    tick: Spec = {"type": "tick", "opacity": 1, "size": size, "thickness": 1.5}
    rule: Spec = {"transform": known, "mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": ends | ink}
    ticks = [{"transform": known, "mark": tick, "encoding": _seen(layout, end) | ink} for end in ("low", "high")]
    return [rule, *ticks]


def _hidden(layout: Panel) -> list[Spec]:
    """Return what stands for a withheld cell: a dashed box at the axis, of one size whatever it hides."""
    across = layout.axes[1]
    said = {"field": "said", "type": "nominal"}
    at: Spec = {across: {"datum": 0, "type": "quantitative"}, "color": {"value": _QUIET}}
    box: Spec = {**at, f"{across}2": {"datum": 0}, "tooltip": said, "description": said}
    those = _those("datum.hidden")
    return [
        {"transform": those, "mark": _dashed(layout), "encoding": box},
        {"transform": those, "mark": {"type": "text", "text": "hidden", **_beside(layout)}, "encoding": at},
    ]


def _dashed(layout: Panel) -> Spec:
    mark = {"type": "bar", "fill": "#eef1f6", "stroke": "#8a97a5", "strokeDash": [3, 2], "strokeWidth": 1}
    mark |= {"y2Offset": -_BOX} if layout.upright else {"x2Offset": _BOX}
    return mark | ({"width": 8} if layout.times else {})


def _beside(layout: Panel) -> Spec:
    """Return where the word stands: beside a box that lies, above one that stands, turned where it is crowded."""
    if not layout.upright:
        return {"fontSize": 10, "align": "left", "dx": _BOX + 5}
    if layout.facets or layout.crowd > _CROWD:
        return {"fontSize": 10, "align": "left", "angle": -90, "dx": _BOX + 4}
    return {"fontSize": 10, "dy": -_BOX - 7}


def _those(test: str) -> list[Spec]:
    return [{"filter": test}]
