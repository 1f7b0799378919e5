"""The page of the manual, generated from the results: no figure in it is written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.report import Report, Series, Target, number

_HEAD = """\
# Benchmarks

% Written by `python -m bench` from benchmarks/results.json; do not edit.

Every figure is of one run on one machine, whose load is told with it, so read ratios before times. Each is the median
unless it says otherwise. `make bench` measures all of it again and writes this page.
"""


def page(results: Mapping[str, Any], folder: str) -> str:
    """Return the page of all `results` by scenario; `folder` holds the charts."""
    reports = {name: Report.from_json(found["report"]) for name, found in results.items()}
    parts = [_HEAD, _summary(reports)]
    parts += [_section(name, reports[name], results[name], folder) for name in reports]
    return "\n".join((*parts, _measured_on(results)))


def _summary(reports: Mapping[str, Report]) -> str:
    lines = ["## Against the targets", "", "| scenario | figure | measured | target | |", "|---|---|---|---|---|"]
    for report in reports.values():
        lines += [_against(report.title, one) for one in report.targets if one.demand]
    return "\n".join((*lines, ""))


def _against(title: str, one: Target) -> str:
    cells = (title, one.says, f"{number(one.value)} {one.unit}", f"{one.demand} {one.unit}")
    return f"| {' | '.join(cells)} | {'met' if one.met else '**missed**'} |"


def _section(name: str, report: Report, found: Mapping[str, Any], folder: str) -> str:
    lines = [f"## {report.title}", "", report.about, "", f"![{report.title}]({folder}/{name}.svg)", ""]
    told = [f"{one.says} {number(one.value)} {one.unit}" for one in report.targets if not one.demand]
    if told:
        lines += [f"Besides: {'; '.join(told)}.", ""]
    run = found["run"]
    measured = f"Measured {run['date']}, load average {run['load'][0]}, niceness {run['nice']}."
    lines += [*_table(report), "", measured, ""]
    return "\n".join(lines)


def _table(report: Report) -> list[str]:
    size = [] if report.x is None else [report.x]
    head = [*size, "", "samples", "5 %", "median", "95 %", "99 %"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [_row(one, bool(size)) for one in report.series]


def _row(one: Series, sized: bool) -> str:
    low, middle, high, most = one.quantile(5), one.median, one.quantile(95), one.quantile(99)
    cells = [*([f"{one.x:,.0f}"] if sized else []), f"{one.name}, {one.unit}", str(len(one.values))]
    return f"| {' | '.join([*cells, *map(number, (low, middle, high, most))])} |"


def _measured_on(results: Mapping[str, Any]) -> str:
    newest = max((found["run"] for found in results.values()), key=lambda run: run["date"])
    machine = newest["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in newest["versions"].items())
    return "\n".join(
        (
            "## Measured on",
            "",
            f"{machine['processor']}, {machine['processors']} processors, {machine['memory']}, {machine['system']}.",
            f"Command: `{newest['command']}`. Versions: {versions}.",
            "",
        )
    )
