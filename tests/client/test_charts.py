"""Charts: what is drawn is what was released, and a withheld cell is never a number."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import vl_convert

from tre.client.charts import GROUPS, MEASURES, MIME, chart

HIDDEN = {"marker": "suppressed"}
Columns = list[dict[str, Any]]
Rows = list[list[Any]]


def columns(keys: dict[str, str], measures: dict[str, str]) -> Columns:
    """Return columns as a result's JSON has them: groups, then each number with the ends of its interval."""
    made: Columns = [
        {"name": name, "type": kind, "noisy": False, "bound": None, "of": None} for name, kind in keys.items()
    ]
    for name, kind in measures.items():
        made.append({"name": name, "type": kind, "noisy": True, "bound": None, "of": None})
        ends = [
            {"name": f"{name}_{end}", "type": kind, "noisy": True, "bound": end, "of": name} for end in ("low", "high")
        ]
        made += ends
    return made


def cell(value: float | None, width: float = 29) -> list[Any]:
    return [HIDDEN] * 3 if value is None else [value, value - width, value + width]


BANDS = ["0–17", "18–29", "30–39", "80+"]
BY_BAND = (
    columns({"age_band": "text"}, {"patients": "integer"}),
    [[band, *cell(value)] for band, value in zip(BANDS, [None, 41, 129, 302], strict=True)],
)


def drawn(columns: Columns, rows: Rows, **more: Any) -> dict[str, Any]:
    spec = chart(columns, rows, **more)
    assert spec is not None
    return spec


def svg(spec: dict[str, Any]) -> str:
    """Return what Vega draws; it refuses what is no Vega-Lite."""
    return str(vl_convert.vegalite_to_svg(spec, vl_version="6.4"))


def nodes(spec: Any) -> Iterator[Any]:
    yield spec
    for part in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from nodes(part)


def data(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        datum for node in nodes(spec) if isinstance(node, dict) for datum in node.get("values", ()) if "said" in datum
    ]


def test_a_withheld_cell_is_drawn_as_hidden_and_never_as_a_number() -> None:
    spec = drawn(*BY_BAND)
    hidden, low, *_ = data(spec)
    assert (hidden["value"], hidden["low"], hidden["high"], hidden["hidden"]) == (None, None, None, True)
    assert (low["value"], low["low"], low["high"], low["hidden"]) == (41, 12, 70, False)
    picture = svg(spec)
    assert picture.count(">hidden</text>") == 1
    assert 'aria-label="0–17: hidden"' in picture
    assert 'aria-label="18–29: 41, 12 to 70"' in picture


def test_an_answer_of_which_everything_is_withheld_is_drawn_without_a_number() -> None:
    picture = svg(drawn(BY_BAND[0], [[band, *cell(None)] for band in BANDS]))
    assert picture.count(">hidden</text>") == len(BANDS)
    assert ">0</text>" not in picture


def test_a_chart_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    spec = drawn(*BY_BAND, level=0.9)
    assert spec["title"]["text"] == "Patients by age band"
    assert spec["description"] == (
        "Patients by age band. Numbers are noisy; the 90 % interval of the noise is shown. "
        "Hidden cells are withheld, not zero."
    )
    assert drawn(*BY_BAND, title="Table 2")["title"]["text"] == "Table 2"


def test_numbers_stand_in_order_and_no_value_stands_last_by_its_name() -> None:
    made = columns({"born": "integer"}, {"people": "integer"})
    spec = drawn(made, [[None, *cell(5)], [1930, *cell(69)], [1900, *cell(None)], [1910, *cell(-3)]])
    domains = [node["domain"] for node in nodes(spec) if isinstance(node, dict) and "domain" in node]
    assert ["1900", "1910", "1930", "no value (NULL)"] in domains
    assert "−3, −32 to 26" in svg(spec)


def test_time_is_an_axis_of_its_own_and_read_as_utc() -> None:
    for kind, moment in (("date", "2025-03-01"), ("timestamp", "2025-03-01T00:00:00")):
        spec = drawn(columns({"seen": kind}, {"n": "integer"}), [[moment, *cell(5)], ["2025-04-01", *cell(None)]])
        assert '"type": "temporal"' in json.dumps(spec)
        assert '"type": "utc"' in json.dumps(spec)
        assert data(spec)[0]["key"] == moment + ("Z" if kind == "timestamp" else "")
        assert ">hidden</text>" in svg(spec)
    without = drawn(columns({"seen": "date"}, {"n": "integer"}), [["2025-03-01", *cell(5)], [None, *cell(9)]])
    assert "temporal" not in json.dumps(without)


def test_two_groups_are_told_apart_by_colour_while_few_and_as_panels_when_many() -> None:
    made = columns({"age_band": "text", "region": "text"}, {"patients": "integer"})
    few = drawn(made, [[band, region, *cell(9)] for band in BANDS for region in "NS"])
    many = drawn(made, [[f"band {band:02}", region, *cell(9)] for band in range(9) for region in "ABCDEFGH"])
    assert "xOffset" in json.dumps(few)
    assert "facet" not in few
    assert many["facet"]["title"] == "Region"
    assert svg(few)
    assert svg(many)
    months = [f"2025-{month:02}-01" for month in range(1, 13)]
    timed = drawn(
        columns({"region": "text", "month": "date"}, {"n": "integer"}),
        [[region, month, *cell(9)] for month in months for region in "AB"],
    )
    assert {datum["series"] for datum in data(timed)} == {"A", "B"}
    assert '"shape"' in json.dumps(timed)


def test_several_measures_have_an_axis_each() -> None:
    made = columns({"drug": "text"}, {"people": "integer", "mean_days": "double"})
    spec = drawn(made, [["Acetaminophen 325 MG Oral Tablet", *cell(911), *cell(10.5, 1.25)]])
    assert len(spec["vconcat"]) == 2
    assert "Acetaminophen 325 MG Oral Tablet: 10.5, 9.25 to 11.75" in svg(spec)


def test_one_row_is_shown_as_numbers_with_their_intervals() -> None:
    made = columns({}, {"people": "integer", "admitted": "integer", "percent": "decimal"})
    picture = svg(drawn(made, [[*cell(2015, 33), *cell(None), "36.0", "34.3", "37.7"]]))
    for words in ("2,015", "1,982 to 2,048 (95 %)", "hidden", "36.0", "34.3 to 37.7 (95 %)"):
        assert f">{words}</text>" in picture


def test_what_is_left_out_is_said() -> None:
    made = columns({"concept": "integer"}, {f"m{place}": "integer" for place in range(MEASURES + 2)})
    spec = drawn(made, [[number, *cell(9) * (MEASURES + 2)] for number in range(GROUPS + 50)])
    assert (
        f"The first {GROUPS} of {GROUPS + 50} values of concept are drawn; the table has all."
        in spec["title"]["subtitle"]
    )
    assert f"The first {MEASURES} of {MEASURES + 2} measures are drawn." in spec["title"]["subtitle"]
    assert len(data(spec)) == GROUPS * MEASURES


@pytest.mark.parametrize(
    ("made", "rows"),
    [
        (BY_BAND[0], []),
        (columns({"sex": "text"}, {}), [["F"]]),
        (columns({"sex": "text"}, {"seen": "date"}), [["F", "2025-01-01", "2025-01-01", "2025-01-02"]]),
        (columns({}, {"n": "integer"}), [cell(1), cell(2)]),
        (columns({"a": "text", "b": "text", "c": "text"}, {"n": "integer"}), [["a", "b", "c", *cell(2)]]),
    ],
)
def test_there_is_no_chart_where_none_makes_sense(made: Columns, rows: Rows) -> None:
    assert chart(made, rows) is None


def test_names_and_values_are_text_and_nothing_else() -> None:
    sly = "x.y[0]\"'); alert(1) //<script>alert(1)</script>"
    spec = drawn(columns({sly: "text"}, {sly + "n": "integer"}), [[sly, *cell(7)], ["</svg>", *cell(None)]])
    picture = svg(spec)
    assert "<script>" not in picture
    assert picture.count("</svg>") == 1
    asked = {node["filter"] for node in nodes(spec) if isinstance(node, dict) and "filter" in node}
    assert all("alert" not in test for test in asked)
    assert not {"expr", "signal", "href", "url"} & {
        name for node in nodes(spec) if isinstance(node, dict) for name in node
    }


def test_a_number_without_an_interval_has_no_whisker() -> None:
    made = [one for one in columns({"sex": "text"}, {"n": "integer"}) if not one["bound"]]
    spec = drawn(made, [["F", 5], ["M", None]])
    assert [(datum["low"], datum["said"]) for datum in data(spec)] == [(None, "F: 5"), (None, "M: no value")]
    assert spec["description"].endswith("Numbers are noisy.")
    assert svg(spec)


def test_the_kind_of_document_is_that_of_its_schema() -> None:
    assert (MIME, drawn(*BY_BAND)["$schema"]) == (
        "application/vnd.vegalite.v6+json",
        "https://vega.github.io/schema/vega-lite/v6.json",
    )
