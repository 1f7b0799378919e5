"""Query parameters: typed, each at most once, none that is not declared."""

from datetime import UTC, datetime

import pytest

from tre.base.reasons import Refused
from tre.web.parameters import choice, moment, read_query, text, whole

DECLARED = {
    "limit": whole("How many", 1, 100),
    "since": moment("From when on"),
    "event": choice("Of which kind", "query-intent", "query-outcome"),
    "actor": text("Whose", r"[a-z]{1,8}"),
}


def test_parameters_are_read_into_their_types() -> None:
    found = read_query(DECLARED, b"limit=7&since=2026-03-01T09%3A00%3A00.000000Z&event=query-intent&actor=ada")
    assert found == {
        "limit": 7,
        "since": datetime(2026, 3, 1, 9, tzinfo=UTC),
        "event": "query-intent",
        "actor": "ada",
    }
    assert read_query(DECLARED, b"") == {}


@pytest.mark.parametrize(
    "sent",
    [
        b"limit=0", b"limit=101", b"limit=07", b"limit=+7", b"limit=7.0", b"limit=", b"limit", b"limit=7&limit=7",
        b"limit=%D9%A7", b"limit=7%0a", b"since=yesterday", b"since=2026-02-30T00:00:00Z", b"event=query", b"actor=%ff",
        b"actor=ad\xc3a", b"more=1", b"=", b"&", b"limit=1&" + b"&".join(b"x%d=1" % n for n in range(64)),
    ],
)  # fmt: skip
def test_a_parameter_of_another_form_unknown_or_repeated_is_refused(sent: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_query(DECLARED, sent)
    assert [one.reason.code for one in refused.value.refusals] == ["web.query-parameter"]
