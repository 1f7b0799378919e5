"""The path of a request: what is asked is decided, paid, measured once, recorded, and shown only then."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from audit import LogReader, decode_entry
from tests.house import COUNT, OKAFOR, PROJECT, question
from tre import ledger
from tre.base.reasons import Refused
from tre.broker import Asker
from tre.jobs import State
from tre.ledger import LedgerId
from tre.store.tables import credentials

DATASET = "small"


def answered(running, asked, key=None):
    taken = running.broker.submit(OKAFOR, PROJECT, None, asked, key)
    assert taken.queued, taken.refusals
    return running.broker.wait(OKAFOR, taken.id, 60)


def rows(shown):
    return shown.job.answer.result["rows"]


def spent(running, ledger_id):
    with running.broker.parts.store.reading() as tx:
        return ledger.balance(tx, ledger_id).spent


def entries(home):
    with LogReader(home / "log") as log:
        return [decode_entry(entry) for _, entry in log.scan()]


def verified(home, running):
    with running.broker.parts.store.reading() as tx:
        (home / "ledgers.json").write_text(json.dumps(ledger.export(tx)))
    command = [sys.executable, "-m", "audit", "verify", "--log", str(home / "log"), "--key", str(home / "log.vkey")]
    found = subprocess.run([*command, "--ledger", str(home / "ledgers.json")], capture_output=True, text=True)
    return found.returncode, found.stdout + found.stderr


def test_a_count_is_answered_with_its_interval_and_a_receipt(running):
    shown = answered(running, question(epsilon="1"))
    assert shown.state is State.COMMITTED
    columns = [column["name"] for column in shown.job.answer.result["columns"]]
    assert columns == ["n", "n_low", "n_high"]
    n, low, high = rows(shown)[0]
    assert low <= n <= high
    assert 300 < n < 500
    assert "test.example/log" in running.broker.receipt(OKAFOR, shown.job.id)


def test_who_waits_is_woken_by_the_end_itself(running, monkeypatch):
    monkeypatch.setattr("tre.broker.broker._LOOK", 3600.0)
    taken = running.broker.submit(OKAFOR, PROJECT, None, question())
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(running.broker.wait, OKAFOR, taken.id, 3600.0).result(timeout=60).state is State.COMMITTED


def test_what_is_checked_is_what_is_paid(running):
    decision, facts = running.broker.check(OKAFOR, PROJECT, None, question())
    before = spent(running, LedgerId.of_project(PROJECT, DATASET))
    shown = answered(running, question())
    after = spent(running, LedgerId.of_project(PROJECT, DATASET))
    assert after == before + decision.price
    assert shown.job.decision["price"] == facts["price"]


def test_checking_costs_nothing_and_leaves_no_entry(home, running):
    size = len(entries(home))
    running.broker.check(OKAFOR, PROJECT, None, question())
    assert len(entries(home)) == size


def test_an_identical_question_is_a_replay_at_no_price_and_with_the_same_noise(running):
    first = answered(running, question())
    dataset = spent(running, LedgerId.of_dataset(DATASET))
    again = answered(running, question("select count(*)  as n -- the same\nFROM person AS p"))
    assert rows(again) == rows(first)
    assert spent(running, LedgerId.of_dataset(DATASET)) == dataset
    assert again.job.decision["price"]["amount"] == "0"


SHARE = """
    SELECT a.born, a.n * 100.0 / b.n AS percent
    FROM (SELECT year_of_birth / 10 * 10 AS born, COUNT(*) AS n FROM person GROUP BY 1) a
    CROSS JOIN (SELECT COUNT(*) AS n FROM person) b
"""


def test_two_results_in_one_query_share_its_price_and_each_is_a_question_of_its_own(running):
    alone, _ = running.broker.check(OKAFOR, PROJECT, None, question(epsilon="0.5"))
    both, _ = running.broker.check(OKAFOR, PROJECT, None, question(SHARE, "0.5"))
    assert alone.price.amount <= both.price.amount <= alone.price.amount + 1
    before = spent(running, LedgerId.of_dataset(DATASET))
    shown = answered(running, question(SHARE, "0.5"))
    assert shown.state is State.COMMITTED
    assert spent(running, LedgerId.of_dataset(DATASET)) == before + both.dataset_price
    told = [float(row[1]) for row in rows(shown) if not isinstance(row[1], dict)]
    assert 0 < sum(told) < 300  # per cent of two noisy counts among 120 people
    total = answered(running, question(epsilon="0.1"))
    assert total.job.decision["price"]["amount"] == "0"


MIXED = """
    WITH first AS (
      SELECT person_id, visit_start_date,
             ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY visit_start_date) AS rn
      FROM visit_occurrence
    )
    SELECT p.gender_concept_id AS sex, COUNT(*) AS n, MEDIAN(p.year_of_birth) AS born,
           STDDEV(p.year_of_birth) AS spread,
           COUNT(DISTINCT p.year_of_birth) AS years
    FROM first f JOIN person p ON p.person_id = f.person_id
    WHERE f.rn = 1
    GROUP BY 1
"""


def test_first_events_and_every_kind_of_aggregate_are_answered_and_stored(running):
    asked = question(MIXED, "1")
    shown = answered(running, asked)
    assert shown.state is State.COMMITTED
    names = [column["name"] for column in shown.job.answer.result["columns"]]
    assert [name for name in names if "_" not in name] == ["sex", "n", "born", "spread", "years"]
    # A noisy variance below zero has no root, and a median of few may lie nowhere: such a cell is NULL.
    told = [dict(zip(names, row, strict=True)) for row in rows(shown) if None not in row]
    assert told
    for row in told:
        assert 1900 <= row["born_low"] <= row["born"] <= row["born_high"] <= 2100
        assert row["spread_low"] <= row["spread"] <= row["spread_high"]
    again = answered(running, asked)
    assert again.job.decision["price"]["amount"] == "0"
    assert rows(again) == rows(shown)


TOTALS = """
    SELECT gender_concept_id AS sex, GROUPING(gender_concept_id) AS all_of_them, COUNT(*) AS n
    FROM person
    GROUP BY ROLLUP (1)
    ORDER BY GROUPING(gender_concept_id), 1
"""


def test_each_grouping_set_is_a_question_of_its_own_with_a_share_of_the_price(running):
    """PRIVACY §3.2: what a set measures is what GROUP BY alone would ask, so either serves the other."""
    alone, _ = running.broker.check(OKAFOR, PROJECT, None, question(epsilon="0.5"))
    checked, _ = running.broker.check(OKAFOR, PROJECT, None, question(TOTALS, "0.5"))
    assert alone.price.amount <= checked.price.amount <= alone.price.amount + 1
    shown = answered(running, question(TOTALS, "0.5"))
    assert shown.state is State.COMMITTED
    names = [column["name"] for column in shown.job.answer.result["columns"]]
    told = [dict(zip(names, row, strict=True)) for row in rows(shown)]
    assert [one["all_of_them"] for one in told] == sorted(one["all_of_them"] for one in told)
    (total,) = [one for one in told if one["all_of_them"]]
    assert total["sex"] is None
    assert total["n_low"] < total["n"] < total["n_high"]
    by_sex = question("SELECT gender_concept_id AS s, COUNT(*) AS m FROM person GROUP BY gender_concept_id", "0.1")
    for one in (question(epsilon="0.1"), by_sex):
        assert answered(running, one).job.decision["price"]["amount"] == "0"


def test_one_question_asked_twice_in_a_query_is_measured_and_paid_once(running):
    count = "(SELECT COUNT(*) AS n FROM person)"
    twice = f"SELECT a.n AS n, b.n AS m, a.n - b.n AS d FROM {count} a, {count} b"
    alone, _ = running.broker.check(OKAFOR, PROJECT, None, question(epsilon="0.3"))
    shown = answered(running, question(twice, "0.3"))
    assert shown.job.decision["price"]["amount"] == str(alone.price.amount)
    names = [column["name"] for column in shown.job.answer.result["columns"]]
    (row,) = rows(shown)
    found = dict(zip(names, row, strict=True))
    assert found["n"] == found["m"]
    assert (found["d"], found["d_low"], found["d_high"]) == (0, 0, 0)


def test_averaging_identical_questions_in_flight_gets_one_draw(running):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: answered(running, question()), range(8)))
    assert len({json.dumps(rows(one)) for one in found}) == 1
    prices = sorted(int(one.job.decision["price"]["amount"]) for one in found)
    assert prices[:-1] == [0] * 7


def test_more_epsilon_on_a_question_pays_the_difference_and_combines_the_draws(running):
    answered(running, question(epsilon="0.2"))
    decision, _ = running.broker.check(OKAFOR, PROJECT, None, question(epsilon="0.5"))
    alone, _ = running.broker.check(OKAFOR, PROJECT, None, question("SELECT COUNT(*) AS m FROM death", "0.5"))
    assert decision.price.amount < alone.price.amount
    shown = answered(running, question(epsilon="0.5"))
    assert shown.state is State.COMMITTED
    assert len(shown.job.answer.releases) == 2


def test_a_public_question_is_exact_and_free(running):
    shown = answered(running, question("SELECT concept_name FROM concept WHERE concept_id = 8507"))
    assert rows(shown) == [["MALE"]] or rows(shown) == [["Male"]]
    assert shown.job.decision["price"]["amount"] == "0"


def test_a_refusal_is_on_the_record_with_every_reason_and_costs_nothing(home, running):
    before = spent(running, LedgerId.of_project(PROJECT, DATASET))
    taken = running.broker.submit(OKAFOR, PROJECT, None, question("SELECT nhs_number FROM person"))
    assert not taken.queued
    assert spent(running, LedgerId.of_project(PROJECT, DATASET)) == before
    last = entries(home)[-1]
    assert last["event"] == "query-decision"
    assert last["decision"] == "denied"
    assert "nhs_number" not in json.dumps(last)


def test_all_gates_speak_at_once(running):
    stranger = Asker("stranger", "telepathy")
    with pytest.raises(Refused):
        running.broker.submit(stranger, PROJECT, None, question("DROP TABLE person"))
    taken = running.broker.submit(Asker("okafor", "telepathy"), PROJECT, None, question("SELECT x FROM nowhere"))
    gates = {gate for gate, _ in taken.refusals}
    assert {"settings", "data"} <= gates


def test_a_strangers_query_and_an_unknown_one_answer_alike(running):
    shown = answered(running, question())
    codes = []
    for query in (shown.job.id, "q_nothing"):
        with pytest.raises(Refused) as refused:
            running.broker.find(Asker("stranger", "local"), query)
        codes.append(str(refused.value))
    assert codes[0] == codes[1]


def test_an_answer_is_read_by_who_asked_and_by_the_lead_whose_read_is_on_the_record(home, running):
    shown = answered(running, question())
    with pytest.raises(Refused, match=r"web\.unknown-query"):
        running.broker.read(Asker("colleague", "local"), shown.job.id)
    size = len(entries(home))
    running.broker.read(OKAFOR, shown.job.id)
    assert len(entries(home)) == size
    running.broker.read(Asker("lead", "local"), shown.job.id)
    last = entries(home)[-1]
    assert (last["event"], last["actor"], last["from_index"]) == ("audit-read", "lead", shown.index)


def test_a_right_that_ended_ends_the_reading_of_answers_too(running):
    shown = answered(running, question())
    with running.broker.parts.store.transaction() as tx:
        tx.execute(update(credentials).values(revoked="2026-01-01T00:00:00.000Z"))
    with pytest.raises(Refused, match=r"people\.credential"):
        running.broker.read(OKAFOR, shown.job.id)


def test_an_exhausted_budget_is_refused_with_nothing_granted(running):
    sql = "SELECT COUNT(*) AS n FROM person WHERE year_of_birth > {year}"
    refused = None
    for year in range(1920, 1960):
        taken = running.broker.submit(OKAFOR, PROJECT, None, question(sql.format(year=year), "1"))
        if not taken.queued:
            refused = taken
            break
        running.broker.wait(OKAFOR, taken.id, 60)
    assert refused is not None
    assert {refusal.reason.code for _, refusal in refused.refusals} == {"budget.exhausted"}
    with running.broker.parts.store.reading() as tx:
        balance = ledger.balance(tx, LedgerId.of_project(PROJECT, DATASET))
    assert balance.total.fits(balance.limit)


def test_an_idempotency_key_names_one_request_and_one_question(running):
    first = answered(running, question(), key="abc")
    assert running.broker.submit(OKAFOR, PROJECT, None, question(), "abc").id == first.job.id
    with pytest.raises(Refused) as refused:
        running.broker.submit(OKAFOR, PROJECT, None, question("SELECT COUNT(*) FROM death"), "abc")
    assert str(refused.value) == "request.idempotency-key-reused"


def test_the_sql_lies_in_the_sidecar_alone(home, running):
    secret = "1913"
    answered(
        running, question(f"SELECT COUNT(*) AS n FROM person WHERE year_of_birth = {secret} OR year_of_birth = 1914")
    )
    running.stop()
    for file in [*home.glob("control.db*"), *(home / "log").rglob("*")]:
        if file.is_file():
            assert b"year_of_birth = 1913" not in file.read_bytes(), file


def test_the_log_verifies_with_the_ledgers_after_everything(home, running):
    answered(running, question())
    answered(running, question("SELECT gender_concept_id, COUNT(*) AS n FROM person GROUP BY 1"))
    running.broker.submit(OKAFOR, PROJECT, None, question("SELECT * FROM person"))
    code, report = verified(home, running)
    assert code == 0, report


def test_an_engine_that_dies_burns_the_price_and_tells_governance(home, running, monkeypatch):
    def dies(*_arguments):
        raise RuntimeError("private detail 4711")

    monkeypatch.setattr("tre.broker.running.release", dies)
    before = spent(running, LedgerId.of_dataset(DATASET))
    monkeypatch.setattr(sys.modules["tre.decide.timing"], "_LEAST_LIMIT", 1)
    first = answered(running, question())
    assert first.state is State.BURNED
    assert first.job.error == "fault.engine"
    assert spent(running, LedgerId.of_dataset(DATASET)).amount > before.amount
    assert "4711" not in json.dumps(entries(home))
    assert entries(home)[-1]["event"] == "incident"
    answered(running, question("SELECT COUNT(*) AS n FROM death"))
    with running.broker.parts.store.reading() as tx:
        from tre import governance

        assert governance.find_project(tx, PROJECT).status.value == "locked"
    taken = running.broker.submit(OKAFOR, PROJECT, None, question(COUNT, "0.3"))
    assert not taken.queued


def test_the_history_of_a_project_shows_ones_own_questions_and_all_to_its_lead(home, running):
    shown = [answered(running, question()), answered(running, question("SELECT COUNT(*) AS n FROM death"))]
    own = running.broker.history(OKAFOR, PROJECT, None, 10)
    assert [(one.job.id, asked and asked.sql) for one, asked in own] == [
        (shown[1].job.id, "SELECT COUNT(*) AS n FROM death"),
        (shown[0].job.id, COUNT),
    ]
    assert running.broker.history(Asker("colleague", "local"), PROJECT, None, 10) == ()
    size = len(entries(home))
    led = running.broker.history(Asker("lead", "local"), PROJECT, shown[1].job.number, 10)
    assert [(one.job.id, text) for one, text in led] == [(shown[0].job.id, None)]
    assert len(entries(home)) == size
    with pytest.raises(Refused, match=r"web\.unknown-project"):
        running.broker.history(Asker("stranger", "local"), PROJECT, None, 10)


def test_a_text_is_shown_to_who_asked_and_to_the_lead_whose_read_is_on_the_record(home, running):
    shown = answered(running, question())
    assert running.broker.asked(OKAFOR, shown.job.id) == question()
    last = entries(home)[-1]
    assert (last["event"], last["actor"], last["subject"]) == ("audit-read", "okafor", "own")
    assert running.broker.asked(Asker("lead", "local"), shown.job.id) == question()
    last = entries(home)[-1]
    assert (last["event"], last["actor"], last["project"]) == ("audit-read", "lead", PROJECT)
    for other in ("colleague", "stranger"):
        with pytest.raises(Refused, match=r"web\.unknown-query"):
            running.broker.asked(Asker(other, "local"), shown.job.id)
