"""What is published of measurements is what was measured, and every scenario still runs. No time is judged here."""

import json
import re

import pytest

from bench.__main__ import OUT, main
from bench.houses import different
from bench.page import page
from bench.report import Report, Series
from bench.scenarios import SCENARIOS

RESULTS = json.loads((OUT / "results.json").read_text())
QUICK = ("command", "join", "planning", "pseudonyms", "log-append", "log-verify", "log-settle")


def test_the_page_of_the_manual_is_that_of_the_results():
    assert OUT.with_suffix(".md").read_text() == page(RESULTS, OUT.name)


def test_every_scenario_is_published_with_its_machine_load_and_command():
    assert list(RESULTS) == list(SCENARIOS)
    for found in RESULTS.values():
        assert {"date", "command", "load", "machine", "versions"} <= found["run"].keys()
        assert "--small" not in found["run"]["command"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_chart_is_there_and_small(name):
    assert 0 < (OUT / f"{name}.svg").stat().st_size < 150 * 1024


@pytest.mark.parametrize("name", QUICK)
def test_a_scenario_runs_and_leaves_results_chart_and_page(name, tmp_path):
    main([name, "--small", "--out", str(tmp_path / "found")])
    (record,) = json.loads((tmp_path / "found" / "results.json").read_text()).values()
    assert all(series["values"] for series in record["report"]["series"])
    assert (tmp_path / "found" / f"{name}.svg").read_text().startswith("<svg")
    assert record["report"]["title"] in (tmp_path / "found.md").read_text()


def test_no_question_is_asked_twice():
    asked = [different("SELECT {n}") for _ in range(100)]
    assert len(set(asked)) == 100
    assert all(re.fullmatch(r"SELECT \d+", one) for one in asked)


def test_what_is_kept_of_many_samples_has_their_quantiles():
    series = Series("many", "ms", tuple(float(value) for value in range(10_000)))
    (kept,) = Report.from_json(Report("t", "a", (series,), ()).as_json()).series
    assert len(kept.values) == 400
    for percent in (1, 50, 99):
        assert kept.quantile(percent) == pytest.approx(series.quantile(percent), rel=0.05)
