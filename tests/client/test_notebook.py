"""In a notebook: the magic in a real IPython, and what is shown there."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.testing.globalipapp import start_ipython

from tests.client.scripted import RECEIPT, query, scripted
from tests.web.fake import FakeService
from tests.web.live import serving
from tre.client import SUPPRESSED, Connection, Decision, Result, TreRefused, connect

COUNT = "SELECT COUNT(*) AS n FROM person"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(FakeService()) as address:
        yield address


@pytest.fixture
def c(url: str) -> Connection:
    return connect(url, token="ada", project="p1")


@pytest.fixture(scope="module")
def ipython() -> Any:
    shell = start_ipython()
    shell.run_line_magic("load_ext", "tre.client")
    return shell


@pytest.fixture(autouse=True)
def surroundings(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"TRE_URL": url, "TRE_TOKEN": "ada", "TRE_PROJECT": "p1"}.items():
        monkeypatch.setenv(name, text)


def test_a_cell_is_a_question_and_its_answer_is_kept_under_a_name(ipython: Any) -> None:
    found = ipython.run_cell_magic("tre", "--epsilon 0.5 --to answer", COUNT)
    assert isinstance(found, Result)
    assert ipython.user_ns["answer"] is found


def test_a_cell_is_checked_at_no_cost(ipython: Any) -> None:
    found = ipython.run_cell_magic("tre", "--check --epsilon 0.5", COUNT)
    assert isinstance(found, Decision)
    assert found.allowed


def test_a_cell_may_name_a_connection_of_the_notebook(ipython: Any, url: str) -> None:
    ipython.user_ns["mine"] = connect(url, token="ada", project="p1")
    assert len(ipython.run_cell_magic("tre", "--connection mine", COUNT)) == 2
    ran = ipython.run_cell("%%tre --connection nobody\nSELECT 1", store_history=False)
    assert "nobody is no connection" in str(ran.error_in_exec)


@pytest.mark.parametrize("line", ["--no-such", "--to 1x", "--epsilon"])
def test_a_mistake_in_the_options_is_an_error_of_the_cell_and_ends_no_session(ipython: Any, line: str) -> None:
    ran = ipython.run_cell(f"%%tre {line}\n{COUNT}", store_history=False)
    assert str(ran.error_in_exec).startswith("%%tre: ")


def test_a_refusal_is_shown_without_a_traceback(ipython: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ran = ipython.run_cell("%%tre\nSELECT nhs_number FROM person", store_history=False)
    assert isinstance(ran.error_in_exec, TreRefused)
    shown = capsys.readouterr()
    assert "Leave it out." in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err


SLY = "<script>alert(1)</script>"


def sly() -> dict[str, Any]:
    return {
        "query": "q_1",
        "columns": [
            {"name": SLY, "type": "text", "noisy": False},
            {"name": "n", "type": "integer", "noisy": True},
        ],
        "rows": [[SLY, 7], [None, {"marker": "suppressed"}]],
        "cost": {"epsilon": 0.25, "rho": "0.001", "delta": "0", "share": 0.01},
        "bounds": {},
        "notes": [SLY],
        "salt": "5a",
        "receipt": "/api/v1/queries/q_1/receipt",
    }


@pytest.fixture
def answer() -> Iterator[Result]:
    with scripted((200, query("committed", result=sly()), {}), RECEIPT) as server:
        yield connect(server.url, token="t", project="p1").query(COUNT, progress=False)


def test_a_notebook_shows_table_and_picture_with_everything_escaped(answer: Result) -> None:
    shown = answer._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html"}
    assert "<svg" in shown["text/html"]
    assert "<script" not in shown["text/html"]
    assert "&lt;script&gt;" in shown["text/html"]
    assert ">suppressed</td>" in shown["text/html"]
    assert ">0</td>" not in shown["text/html"]


def test_without_vl_convert_the_notebook_draws_the_chart_itself(
    answer: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "vl_convert":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    shown = answer._repr_mimebundle_()
    assert "<svg" not in shown["text/html"]
    assert shown["application/vnd.vegalite.v6+json"]["$schema"].endswith("/v6.json")
    assert shown["application/vnd.vegalite.v5+json"]["$schema"].endswith("/v5.json")
    picture = answer.chart()
    assert picture is not None
    assert picture.svg() is None


def test_a_withheld_cell_is_neither_true_nor_false_and_stays_one_when_copied() -> None:
    import copy
    import pickle

    with pytest.raises(TypeError, match="neither true nor false"):
        bool(SUPPRESSED)
    assert copy.deepcopy(SUPPRESSED) is SUPPRESSED
    assert pickle.loads(pickle.dumps(SUPPRESSED)) is SUPPRESSED


def test_everything_that_comes_back_is_a_table_in_a_notebook_and_in_text(c: Connection) -> None:
    for thing in (c.projects(), c.datasets(), c.dataset("northfield"), c.budget(), c.history()):
        assert thing._repr_html_().startswith("<table>")
        assert len(repr(thing).splitlines()) >= 2
    assert "year_of_birth" in repr(c.dataset("northfield"))
    assert c.check("SELECT nhs_number FROM person")._repr_html_().count("<pre>") == 1
    assert "±12.5" in c.check(COUNT)._repr_html_()
