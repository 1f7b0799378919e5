"""Data-use codes match, do not match, or leave it to a person; the strictest wins and nothing approves by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tre.policy.purposes import Match, Purposes, match

NRES, GRU, HMB, DS, POA = "DUO:0000004", "DUO:0000042", "DUO:0000006", "DUO:0000007", "DUO:0000011"
NCU, NPOA, IRB = "DUO:0000046", "DUO:0000044", "DUO:0000021"
CODES = [NRES, GRU, HMB, DS, POA, NCU, NPOA, IRB, "DUO:0000037", "insurance"]
STRICTNESS = {Match.MATCH: 0, Match.LOOK: 1, Match.NO_MATCH: 2}


def policy(*allowed: str, conditions: tuple[str, ...] = (), never: tuple[str, ...] = ()) -> Purposes:
    return Purposes(frozenset(allowed), frozenset(conditions), frozenset(never))


@pytest.mark.parametrize(
    ("admitted", "stated", "expected"),
    [
        (policy(HMB), {HMB}, Match.MATCH),
        (policy(HMB), {DS}, Match.MATCH),
        (policy(HMB), {POA}, Match.NO_MATCH),
        (policy(HMB), {GRU}, Match.NO_MATCH),
        (policy(GRU), {HMB, POA}, Match.MATCH),
        (policy(NRES), {GRU}, Match.MATCH),
        (policy(DS), {DS}, Match.LOOK),
        (policy(DS), {HMB}, Match.LOOK),
        (policy(POA), {HMB}, Match.NO_MATCH),
        (policy(HMB), {"DUO:0000037"}, Match.LOOK),
        (policy(HMB), {HMB, "DUO:0000037"}, Match.LOOK),
        (policy(HMB), {HMB, POA}, Match.NO_MATCH),
        (policy(HMB), {POA, "DUO:0000037"}, Match.NO_MATCH),
        (policy(HMB), set(), Match.NO_MATCH),
        (policy(HMB, never=("Insurance",)), {HMB, "insurance"}, Match.NO_MATCH),
        (policy(HMB, conditions=(NCU,)), {HMB}, Match.LOOK),
        (policy(HMB, conditions=(NCU,)), {HMB, NCU}, Match.MATCH),
        (policy(HMB, conditions=(NCU,)), {NCU}, Match.NO_MATCH),
        (policy(GRU, conditions=(NPOA,)), {HMB}, Match.MATCH),
        (policy(GRU, conditions=(NPOA,)), {POA}, Match.NO_MATCH),
        (policy(GRU, conditions=(NPOA,)), {POA, NPOA}, Match.NO_MATCH),
    ],
)
def test_codes_match_by_their_definitions(admitted, stated, expected):
    assert match(admitted, stated) is expected


codes = st.frozensets(st.sampled_from(CODES), max_size=4)


@given(codes, codes, codes, st.sampled_from(CODES), codes)
def test_a_further_ban_or_condition_never_loosens(allowed, conditions, never, more, stated):
    before = STRICTNESS[match(Purposes(allowed, conditions, never), stated)]
    assert STRICTNESS[match(Purposes(allowed, conditions, never | {more}), stated)] >= before
    if more not in stated:
        assert STRICTNESS[match(Purposes(allowed, conditions | {more}, never), stated)] >= before


@given(codes, codes, codes, st.sampled_from(CODES), codes)
def test_admitting_less_never_loosens(allowed, conditions, never, less, stated):
    before = STRICTNESS[match(Purposes(allowed, conditions, never), stated)]
    assert STRICTNESS[match(Purposes(allowed - {less}, conditions, never), stated)] >= before
