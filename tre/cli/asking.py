"""`tre check`, `tre query`, `tre refine`, `tre history`: questions over REST, nothing else."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from tre.base.reasons import Refused
from tre.base.reasons.cli import SERVER_MISSING, SQL_MISSING
from tre.cli.codes import exit_code
from tre.cli.output import print_csv, print_refusals, print_table, printable
from tre.client.values import shown

if TYPE_CHECKING:
    from tre.client import Connection, Decision, Query, Result

_HISTORY = ("query", "submitted", "state", "epsilon", "sql")
_NUMBERS = ("integer", "decimal", "double")


def check(options: argparse.Namespace) -> int:
    """Print the decision, and its plan where that is asked for; exit 0 when allowed, else as its reasons say."""
    decision = _connection(options).check(_sql(options), **_narrowed(options), explain=options.explain)
    _PRINT_DECISION[options.format](decision)
    if decision.explain is not None and options.format != "json":
        print("", *map(printable, str(decision.explain).splitlines()), sep="\n")
    if not decision.allowed:
        print_refusals(decision.reasons)
        return exit_code(tuple(reason.code for reason in decision.reasons), 403)
    return 0


def query(options: argparse.Namespace) -> int:
    """Print the answer, with its price on standard error beside a table.

    A terminal sees the time pass against the release time; Ctrl-C cancels, says what stays spent and exits 130.
    """
    return _print(options, _connection(options).query(_sql(options), **_narrowed(options)))


def refine(options: argparse.Namespace) -> int:
    """Print a sharper answer to an answered question, as `query` does."""
    answered = _connection(options).find(options.query)
    return _print(options, answered.refine(epsilon=options.epsilon, accuracy=options.accuracy).result())


def _print(options: argparse.Namespace, result: Result) -> int:
    if options.receipt:
        with open(options.receipt, "w", encoding="utf-8") as file:
            file.write(result.receipt)
    _PRINT_RESULT[options.format](result)
    return 0


def history(options: argparse.Namespace) -> int:
    """Print the newest questions of the project: one's own, for its lead everybody's."""
    asked = list(islice(_connection(options).history(), options.limit))
    _PRINT_HISTORY[options.format](_HISTORY, [_history_line(one) for one in asked])
    return 0


def _history_line(query: Query) -> list[str]:
    price = query.decision.price if query.decision else None
    epsilon = f"{price.epsilon:.6g}" if price is not None else ""
    return [query.id, query.submitted or "", query.state, epsilon, " ".join((query.sql or "").split())]


def _connection(options: argparse.Namespace) -> Connection:
    missing = [name for name in ("TRE_URL", "TRE_TOKEN") if not os.environ.get(name)]
    if missing:
        raise Refused.because(SERVER_MISSING, missing=" or ".join(missing))
    from tre.client import connect

    return connect(project=options.project)


def _sql(options: argparse.Namespace) -> str:
    text: str = sys.stdin.read() if options.sql == "-" else options.sql
    if not text.strip():
        raise Refused.because(SQL_MISSING)
    return text


def _narrowed(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("epsilon", "accuracy", "groups", "rows", "dialect", "dataset")}


def _decision_lines(decision: Decision) -> list[tuple[str, str]]:
    lines = [("allowed", "yes" if decision.allowed else "no")]
    if decision.price and decision.allowed:  # what is refused has no price: zeros would read as one
        price = decision.price
        lines.append(("epsilon" if decision.most is None else "epsilon of the pilot", f"{price.epsilon:.6g}"))
        lines += [("rho", f"{price.rho:f}")] if price.rho is not None else []
        lines.append(("delta", f"{price.delta:.3g}"))
        lines.append(("share of the project's budget", f"{price.share:.2%}"))
    if decision.most and decision.allowed:
        lines.append(("epsilon of both steps", f"at most {decision.most.epsilon:.6g}"))
        lines.append(("share of both steps", f"at most {decision.most.share:.2%}"))
    for output, width in decision.error.items():
        known = "known after release" if width is None else f"±{width_for_eyes(width)}"
        said = decision.error_notes.get(output)
        lines.append((f"error of {output} (95 %)", f"{known}: {said}" if said else known))
    for name, bound in decision.bounds.items():
        if bound not in (None, {}, False):
            lines += _bound_lines(name, bound)
    lines += [("note", note) for note in decision.notes]
    if decision.release_seconds is not None and decision.allowed:
        lines.append(("answer after", f"{decision.release_seconds:g} s"))
    return lines


def width_for_eyes(width: float) -> str:
    """Return a half-width to six digits, without an exponent where it is large: ±4315840, not ±4.31584e+06."""
    return f"{width:.0f}" if width >= 100_000 else f"{width:.6g}"


def _bound_lines(name: str, bound: object) -> list[tuple[str, str]]:
    if name == "outputs" and isinstance(bound, list):
        return [
            (f"{one['of']}, of {of['output']}", f"{one['value']} ({one['source']})")
            for of in bound
            for one in of["bounds"]
        ]
    if isinstance(bound, Mapping):
        ends = {output: [shown(end) for end in pair] for output, pair in bound.items()}
        return [(f"bound on a person's {output}", " to ".join(pair)) for output, pair in ends.items()]
    return [(f"bound on {name}", str(bound))]


def _result_rows(result: Result) -> tuple[list[str], list[list[str]]]:
    names = [column.name for column in result.columns]
    return names, [["" if cell is None else str(cell) for cell in row] for row in result.rows]


def _result_table(result: Result) -> None:
    names = [column.name for column in result.columns]
    rows = [[shown(cell) for cell in row] for row in result.rows]
    print_table(names, rows, [column.type in _NUMBERS for column in result.columns])
    cost = result.cost
    print(f"query: {result.query}", file=sys.stderr)
    print(f"cost: epsilon {cost.epsilon:.6g}, {cost.share:.2%} of the project's budget", file=sys.stderr)
    if result.sharper is not None:
        print(result.sharper, file=sys.stderr)
    if result.clipped is not None:
        print(f"people at a clip bound: about {result.clipped:.1%}{_by_output(result)}", file=sys.stderr)
    for note in result.notes:
        print(f"note: {note}", file=sys.stderr)


def _by_output(result: Result) -> str:
    """Return the shares of the outputs besides that of all, where there are several."""
    outputs = result.bounds.get("outputs", ())
    shares = [f"{one['output']} {one['clipped']['share']:.1%}" for one in outputs if one.get("clipped")]
    return f" ({', '.join(shares)})" if len(outputs) > 1 and shares else ""


def _result_json(result: Result) -> None:
    names, _ = _result_rows(result)
    document = asdict(replace(result, document={}, asked=None))
    del document["document"], document["asked"]
    document["rows"] = [dict(zip(names, row, strict=True)) for row in result.rows]
    print(json.dumps(document, default=str, indent=2, ensure_ascii=False))


_PRINT_DECISION: dict[str, Any] = {
    "table": lambda decision: print_table(("what", "value"), _decision_lines(decision)),
    "csv": lambda decision: print_csv(("what", "value"), _decision_lines(decision)),
    "json": lambda decision: print(json.dumps(asdict(decision), default=str, indent=2, ensure_ascii=False)),
}
_PRINT_RESULT: dict[str, Any] = {
    "table": _result_table,
    "csv": lambda result: print_csv(*_result_rows(result)),
    "json": _result_json,
}
_PRINT_HISTORY: dict[str, Any] = {
    "table": print_table,
    "csv": print_csv,
    "json": lambda names, lines: print(json.dumps([dict(zip(names, line, strict=True)) for line in lines], indent=2)),
}
