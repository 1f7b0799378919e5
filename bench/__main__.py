"""Measure: `python -m bench [NAME …] [--out DIR] [--small]`.

Results go to DIR/results.json, one record for each scenario, replaced when it is measured again; charts to
DIR/NAME.svg; the page to DIR.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.charts import svg
from bench.houses import ROOT
from bench.machine import facts
from bench.page import page
from bench.report import Report
from bench.scale import Scale
from bench.scenarios import SCENARIOS

OUT = ROOT / "docs" / "benchmarks"


def main(arguments: Sequence[str]) -> None:
    """Measure what is named, or everything; write results, charts and page."""
    options = _parser().parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or SCENARIOS:
        print(f"{name} …", flush=True)
        run = facts(" ".join(("python -m bench", *options.names, *(["--small"] if options.small else []))))
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            report = SCENARIOS[name](Path(folder), Scale(not options.small))
        _keep(options.out, name, {"run": run, "report": report.as_json()})
        for target in report.targets:
            bound = f"  (target {target.demand}{'' if target.met else ', MISSED'})" if target.demand else ""
            print(f"  {target.says}: {target.value:.4g} {target.unit}{bound}", flush=True)
    write(options.out)


def _parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m bench", description="Measure this house.")
    found.add_argument("names", nargs="*", metavar="NAME", choices=[*SCENARIOS, []], help=", ".join(SCENARIOS))
    found.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="default: docs/benchmarks")
    found.add_argument("--small", action="store_true", help="only see that everything works")
    return found


def _keep(out: Path, name: str, record: dict[str, Any]) -> None:
    file = out / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    results[name] = record
    ordered = {one: results[one] for one in SCENARIOS if one in results}
    file.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")


def write(out: Path) -> None:
    """Write charts and page from the results."""
    results = json.loads((out / "results.json").read_text())
    for name, record in results.items():
        (out / f"{name}.svg").write_text(svg(Report.from_json(record["report"])))
    out.with_suffix(".md").write_text(page(results, out.name))


if __name__ == "__main__":
    main(sys.argv[1:])
