"""A report as one Vega-Lite chart: distributions as boxes, sizes as lines of medians."""

from __future__ import annotations

from typing import Any

import vl_convert

from bench.report import Report

_LOOK = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "background": "white",
    "config": {"font": "sans-serif", "view": {"stroke": None}, "axis": {"labelLimit": 320, "gridColor": "#e4e4e4"}},
}


def svg(report: Report) -> str:
    """Return the chart as SVG."""
    spec = _boxes(report) if report.x is None else _lines(report)
    found: str = vl_convert.vegalite_to_svg(_LOOK | spec)
    return found


def _boxes(report: Report) -> dict[str, Any]:
    """One strip for each unit: series above each other, the middle half as a box, from the smallest to the largest."""
    units = dict.fromkeys(one.unit for one in report.series)
    return {"vconcat": [_strip(report, unit) for unit in units]}


def _strip(report: Report, unit: str) -> dict[str, Any]:
    series = [one for one in report.series if one.unit == unit]
    values = [{"name": one.name, "value": value} for one in series for value in one.values]
    single = all(len(one.values) == 1 for one in series)
    mark = {"type": "bar", "height": 10} if single else {"type": "boxplot", "extent": "min-max", "size": 10}
    return {
        "width": 460,
        "data": {"values": values},
        "mark": mark,
        "encoding": {
            "y": {"field": "name", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "value", "type": "quantitative", "title": unit, "scale": {"zero": True}},
        },
    }


def _lines(report: Report) -> dict[str, Any]:
    """One chart of lines for each unit, above each other."""
    units = dict.fromkeys(one.unit for one in report.series)
    charts = [_line_chart(report, unit) for unit in units]
    return {"vconcat": charts, "resolve": {"scale": {"color": "independent"}}}


def _line_chart(report: Report, unit: str) -> dict[str, Any]:
    series = [one for one in report.series if one.unit == unit]
    values = [
        {"name": one.name, "x": one.x, "median": one.median, "low": one.quantile(25), "high": one.quantile(75)}
        for one in series
    ]
    line = {"x": _axis("x", report.x or ""), "color": {"field": "name", "type": "nominal", "title": None}}
    return {
        "width": 460,
        "height": 260,
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "line", "point": True},
                "encoding": line | {"y": _axis("median", unit, least=min(one.quantile(25) for one in series))},
            },
            {
                "mark": "rule",
                "encoding": line | {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
            },
        ],
    }


def _axis(field: str, title: str, least: float = 1) -> dict[str, Any]:
    """Return a logarithmic axis, where `least` may be nothing too."""
    kind = "log" if least > 0 else "symlog"
    return {"field": field, "type": "quantitative", "title": title, "scale": {"type": kind}}
