"""Answers as a researcher gets them: frames, intervals, receipts, waiting, one draw for one question, release times."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest

from tests.e2e.service import audit, ledgers, tre
from tests.e2e.sources import CANARY_BORN
from tre.client import connect

BY_SEX = "SELECT gender_concept_id AS sex, COUNT(*) AS n FROM person GROUP BY gender_concept_id"


@pytest.fixture
def connection(service, token):
    return connect(service.url, token=token, project="study")


def test_an_answer_reads_in_pandas_polars_and_arrow_with_its_interval(connection):
    result = connection.query(BY_SEX, epsilon="0.5")
    pandas, polars, arrow = result.to_pandas(), result.to_polars(), result.to_arrow()
    assert list(pandas.columns) == polars.columns == arrow.column_names == ["sex", "n", "n_low", "n_high"]
    assert polars["n"].to_list() == arrow["n"].to_pylist()
    assert pandas["n"].dropna().tolist() == polars["n"].drop_nulls().to_list()
    known = pandas.dropna(subset=["n"])
    assert len(known) >= 2
    assert (known["n_low"] <= known["n"]).all()
    assert (known["n"] <= known["n_high"]).all()


def test_totals_and_subtotals_leave_below_each_other_each_with_its_interval(connection):
    sql = f"SELECT gender_concept_id AS sex, GROUPING(gender_concept_id) AS total, {BY_SEX.split(' AS sex, ')[1]}"
    result = connection.query(sql.replace("BY gender_concept_id", "BY ROLLUP (gender_concept_id)"), epsilon="0.5")
    found = result.to_pandas()
    assert list(found.columns) == ["sex", "total", "n", "n_low", "n_high"]
    (total,) = found[found["total"] == 1].to_dict("records")
    assert total["n_low"] < total["n"] < total["n_high"]
    assert total["sex"] is None or total["sex"] != total["sex"]
    assert len(found) >= 3


def test_a_receipt_proves_the_answer_offline_and_not_after_an_edit(connection, town, tmp_path):
    result = connection.query("SELECT COUNT(*) AS n FROM person", epsilon="0.5")
    receipt = tmp_path / "receipt.txt"
    receipt.write_text(result.receipt)
    found = audit("receipt", receipt, "--key", town / "log.vkey")
    assert found.code == 0, found.said
    assert "RECEIPT VERIFIED" in found.out
    lines = result.receipt.splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if line.startswith("index "))
    lines[place] = f"index {int(lines[place].split()[1]) - 1}\n"
    receipt.write_text("".join(lines))
    assert audit("receipt", receipt, "--key", town / "log.vkey").code == 5


def test_whoever_does_not_wait_is_told_where_the_answer_will_be(service, token):
    body = {"project": "paced", "sql": "SELECT COUNT(*) AS n FROM person WHERE year_of_birth > 1950", "epsilon": "0.1"}
    begun = time.monotonic()
    taken = service.call("POST", "/api/v1/queries", token, json=body, headers={"Prefer": "wait=0"})
    assert taken.status_code == 202
    assert int(taken.headers["Retry-After"]) >= 1
    place = taken.headers["Location"]
    early = service.call("GET", f"{place}/result", token)
    assert (early.status_code, early.json()["code"]) == (409, "web.query-not-finished"), early.text
    while (found := service.call("GET", place, token).json())["state"] in ("queued", "running"):
        assert time.monotonic() - begun < 20
        time.sleep(0.05)
    assert found["state"] == "committed"
    assert time.monotonic() - begun >= found["decision"]["release_seconds"]
    assert service.call("GET", f"{place}/result", token).json()["rows"]


def test_the_same_question_from_eight_threads_is_drawn_once_and_paid_once(service, token, town):
    sql = "SELECT COUNT(*) AS n FROM person WHERE month_of_birth = 7"
    before = ledgers(town)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: service.ask(sql, token, project="study", epsilon="0.2").json(), range(8)))
    assert {one["state"] for one in found} == {"committed"}
    assert len({json.dumps(one["result"]["rows"]) for one in found}) == 1
    paid = sorted(Fraction(one["result"]["cost"]["rho"]) for one in found)
    assert paid[0] == paid[6] == 0 < paid[7]
    assert moved(before, ledgers(town)) == {"project/study/small": paid[7], "dataset/small": paid[7]}


def moved(before, after):
    """Return by how much rho each ledger was moved."""
    spent = {name: Fraction(int(one["spent"]["amount"]), 10**9) for name, one in after.items()}
    found = {name: now - Fraction(int(before[name]["spent"]["amount"]), 10**9) for name, now in spent.items()}
    return {name: by for name, by in found.items() if by}


def test_the_budget_on_the_wire_is_that_of_the_exported_ledgers(service, token, town):
    service.ask("SELECT COUNT(*) AS n FROM death", token, project="study", epsilon="0.2")
    (account,) = service.budget("study", token)
    exported = json.loads(tre("ledger", "export", home=town).out)["ledgers"]["project/study/small"]
    for part in ("limit", "spent", "reserved"):
        for wire, here, places in (("rho", "amount", 9), ("delta", "delta", 18)):
            assert Fraction(account[part][wire]) == Fraction(int(exported[part][here]), 10**places), (part, wire)
    left = Fraction(account["limit"]["rho"]) - Fraction(account["spent"]["rho"]) - Fraction(account["reserved"]["rho"])
    assert Fraction(account["left"]["rho"]) == left


def _asked(service, token, dataset, project, sql):
    begun = time.monotonic()
    answer = service.ask(sql, token, project=project, dataset=dataset, epsilon="0.1")
    assert answer.status_code == 200, answer.text
    return answer.json()["decision"]["release_seconds"], time.monotonic() - begun


def test_an_answer_leaves_at_its_time_whether_the_patient_is_in_the_data_or_not(service, token):
    """PRIVACY §3.10: the time is fixed by the request and public sizes; the slack is what HTTP and the log take."""
    sql = f"SELECT COUNT(*) AS n FROM person WHERE year_of_birth = {CANARY_BORN} AND month_of_birth <> {{month}}"
    told, took = {}, {"calm": [], "calm-less": []}
    for month in (1, 2, 3):
        for dataset, project in (("calm", "paced"), ("calm-less", "paced-less")):
            told[dataset, month], elapsed = _asked(service, token, dataset, project, sql.format(month=month))
            took[dataset].append(elapsed)
    (release,) = set(told.values())
    assert release > 0
    assert (release * 1000) % 250 == 0
    assert all(elapsed >= release for each in took.values() for elapsed in each), (release, took)
    assert abs(min(took["calm"]) - min(took["calm-less"])) < 0.25, took


def test_a_replay_leaves_no_sooner_than_a_first_answer(service, token):
    sql = "SELECT COUNT(*) AS n FROM person WHERE gender_concept_id = 8507"
    release, first = _asked(service, token, "calm", "paced", sql)
    again = _asked(service, token, "calm", "paced", sql)
    assert again[0] == release
    assert min(first, again[1]) >= release
