"""Waiting, cancelling and faults: nothing is paid twice, and whoever waits knows what is known."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from tests.client.scripted import LOST, RECEIPT, RESULT, Answer, Asked, problem, query, scripted
from tre.client import Query, TreBudget, TreError, TreRateLimited, TreRefused, TreUnauthorised, TreUnreachable, connect
from tre.client.progress import shower

SQL = "SELECT COUNT(*) AS n FROM person"


def given(state: str, **more: Any) -> Answer:
    return 200, query(state, **more), {}


class Interrupted:
    """Somebody presses Ctrl-C while the answer is awaited."""

    def __call__(self, seconds: float, state: str) -> None:
        raise KeyboardInterrupt


def test_a_question_sent_again_after_a_lost_connection_is_the_same_question() -> None:
    with scripted(LOST, LOST, given("committed", result=RESULT), RECEIPT) as server:
        result = connect(server.url, token="t", project="p1").query(SQL, progress=False)
    assert list(result) == [{"n": 7}]
    first, second, third = (asked for asked in server.asked if asked.method == "POST")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == third.headers["idempotency-key"]
    assert first.body == third.body


def test_two_questions_are_two_and_every_post_has_a_key() -> None:
    with scripted(given("queued")) as server:
        c = connect(server.url, token="t", project="p1")
        one, other = c.query(SQL, wait=False), c.query(SQL, wait=False)
        one.cancel()
        other.cancel()
    keys = [asked.headers["idempotency-key"] for asked in server.asked if asked.method == "POST"]
    assert len(set(keys)) == 4


def test_a_server_that_stays_away_is_unreachable_after_a_few_tries() -> None:
    with scripted(LOST) as server, pytest.raises(TreUnreachable):
        connect(server.url, token="t").projects()
    assert len(server.asked) == 4


def test_a_lost_connection_while_waiting_loses_no_query() -> None:
    pauses: list[float] = []
    with scripted(given("running"), *[LOST] * 9, given("committed", result=RESULT), RECEIPT) as server:
        c = connect(server.url, token="t", project="p1")
        c._wire.sleep = pauses.append
        assert len(c.query(SQL, progress=False)) == 1
    assert sum(asked.method == "POST" for asked in server.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(status: int) -> None:
    pauses: list[float] = []
    busy = problem(status, "web.busy", **{"Retry-After": "7"})
    with scripted(busy, (200, {"projects": []}, {})) as server:
        c = connect(server.url, token="t")
        c._wire.sleep = pauses.append
        assert len(c.projects()) == 0
    assert [int(pause) for pause in pauses] == [7]


def test_a_limit_on_requests_says_when_to_come_back() -> None:
    late = problem(429, "web.too-many", **{"Retry-After": "3600"})
    with scripted(late) as server, pytest.raises(TreRateLimited) as limited:
        connect(server.url, token="t").projects()
    assert limited.value.retry_after == 3600
    assert len(server.asked) == 1


def test_problems_are_exceptions_of_their_kind() -> None:
    for status, code, kind in (
        (401, "identity.token-expired", TreUnauthorised),
        (403, "budget.exhausted", TreBudget),
        (403, "private.row-level-output", TreRefused),
    ):
        with scripted(problem(status, code)) as server, pytest.raises(TreRefused) as refused:
            connect(server.url, token="t", project="p1").query(SQL, progress=False)
        assert type(refused.value) is kind
        assert (refused.value.code, refused.value.remedy, refused.value.request_id) == (code, "Do this.", "r_1")


def test_a_handle_tells_how_the_query_stands_and_gives_its_answer() -> None:
    with scripted(given("queued"), given("running"), given("committed", result=RESULT), RECEIPT) as server:
        taken = connect(server.url, token="t", project="p1").query(SQL, wait=False)
        assert isinstance(taken, Query)
        assert (taken.state, taken.done) == ("queued", False)
        assert taken.status == "running"
        assert list(taken.wait().result()) == [{"n": 7}]
        assert taken.status == "committed"
    assert repr(taken) == "<Query q_1: committed>"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("voided", "before anything was read. Its price, epsilon 0.25, is given back."),
        ("burned", "Its price, epsilon 0.25, stays spent, because it was running."),
        ("committed", "It had been answered already. Its price, epsilon 0.25, stays spent."),
    ],
)
def test_ctrl_c_cancels_the_query_and_says_what_stays_spent(
    state: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with scripted(given("running"), given(state)) as server, pytest.raises(KeyboardInterrupt):
        connect(server.url, token="t", project="p1").query(SQL, progress=Interrupted())
    asked = [(one.method, one.path) for one in server.asked]
    assert asked == [("POST", "/api/v1/queries"), ("POST", "/api/v1/queries/q_1/cancellation")]
    assert words in capsys.readouterr().err


def test_ctrl_c_while_the_question_is_handed_in_finds_it_by_its_key_and_cancels_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(given("queued"), given("voided")) as server:
        c = connect(server.url, token="t", project="p1")
        post = c._wire.post
        keys: list[str] = []

        def interrupted(path: str, body: Any = None, headers: Any = None) -> Any:
            keys.append((headers or {}).get("Idempotency-Key", ""))
            if len(keys) == 1:
                raise KeyboardInterrupt
            return post(path, body, headers)

        monkeypatch.setattr(c._wire, "post", interrupted)
        with pytest.raises(KeyboardInterrupt):
            c.query(SQL)
    assert keys[0] == keys[1] != ""
    assert [one.path for one in server.asked] == ["/api/v1/queries", "/api/v1/queries/q_1/cancellation"]
    assert "given back" in capsys.readouterr().err


def test_a_query_that_ended_without_an_answer_says_why() -> None:
    failure = {"code": "fault.engine", "sentence": "It is so.", "remedy": "Do this."}
    answers = (given("running"), given("burned", failure=failure))
    with scripted(*answers) as server, pytest.raises(TreRefused, match=r"fault\.engine") as refused:
        connect(server.url, token="t", project="p1").query(SQL, progress=False)
    assert refused.value.query == "q_1"


def test_history_is_read_page_by_page() -> None:
    def page(asked: Asked) -> Answer:
        before = 3 if "before=3" in asked.path else None
        names = ["q_1"] if before else ["q_3", "q_2"]
        return (
            200,
            {"queries": [query("committed") | {"id": name, "sql": "SELECT\n 1"} for name in names]}
            | ({} if before else {"next": 3}),
            {},
        )

    with scripted(page) as server:
        history = connect(server.url, token="t", project="p/1").history()
        assert [one.id for one in history] == ["q_3", "q_2", "q_1"]
        assert "SELECT 1" in repr(history)
        assert "<td><pre>SELECT 1</pre></td>" in history._repr_html_()
    assert server.asked[0].path == "/api/v1/projects/p%2F1/queries?limit=50"
    assert server.asked[1].path.endswith("before=3")


class Standing:
    """A query that takes 3 seconds, looked at after `running_seconds`."""

    release_seconds: float | None = 3.0

    def __init__(self, running: float | None) -> None:
        self.running_seconds = running


def test_progress_is_the_time_against_the_release_time_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", terminal)
    for running, state, words in (
        (None, "queued", "[" + " " * 24 + "] queued, 1 s"),
        (1.5, "running", "[" + "█" * 12 + " " * 12 + "] running, 1.5 of 3.0 s"),
        (4.0, "running", "past the release time, ends at its limit"),
        (3.1, "committed", "committed after 1.0 s"),
    ):
        shower(None, Standing(running))(1.0, state)
        assert words in terminal.getvalue().rpartition("\r")[2]
    assert terminal.getvalue().endswith("\n")


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    shower(None, Standing(1.0))(1.0, "running")
    shower(False, Standing(1.0))(1.0, "running")
    assert capsys.readouterr().err == ""


def test_a_wait_looks_again_no_sooner_than_an_answer_can_be_there() -> None:
    slept: list[float] = []
    with scripted(given("running"), given("committed", result=RESULT), RECEIPT) as server:
        c = connect(server.url, token="t", project="p1")
        c._wire.sleep, c._wire.clock = slept.append, lambda: sum(slept)
        c.query(SQL, progress=False)
    assert [one.method for one in server.asked] == ["POST", "GET", "GET"]
    assert sum(slept) == pytest.approx(0.3)


def test_a_wait_ends_at_its_timeout_and_the_query_goes_on() -> None:
    with scripted(given("running")) as server, pytest.raises(TreError, match="goes on as q_1"):
        connect(server.url, token="t", project="p1").query(SQL, progress=False, timeout=0.1)
