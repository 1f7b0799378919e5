"""Matching a project's purposes with what a policy admits, by GA4GH's Data Use Ontology (DUO), in three values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_NO_RESTRICTION, _GENERAL, _MEDICAL, _DISEASE, _ANCESTRY = (
    "DUO:0000004",
    "DUO:0000042",
    "DUO:0000006",
    "DUO:0000007",
    "DUO:0000011",
)
# What each permission admits besides itself, by the codes' definitions (DUO, 2021-02-23): general research use
# serves any research purpose; health or medical or biomedical research excludes origins and ancestry.
_ADMITS = {
    _NO_RESTRICTION: frozenset({_NO_RESTRICTION, _GENERAL, _MEDICAL, _DISEASE, _ANCESTRY}),
    _GENERAL: frozenset({_GENERAL, _MEDICAL, _DISEASE, _ANCESTRY}),
    _MEDICAL: frozenset({_MEDICAL, _DISEASE}),
    _ANCESTRY: frozenset({_ANCESTRY}),
}
PERMISSIONS = frozenset({_NO_RESTRICTION, _GENERAL, _MEDICAL, _DISEASE, _ANCESTRY})
_PROHIBITS = {"DUO:0000044": _ANCESTRY}


class Match(StrEnum):
    """What the codes say. `LOOK` means that a person must look; it never approves by itself (GOVERNANCE §2)."""

    MATCH = "match"
    NO_MATCH = "no match"
    LOOK = "a person must look"


@dataclass(frozen=True, slots=True)
class Purposes:
    """What a policy admits: DUO permissions, DUO modifiers as conditions, and codes or words that rule a use out."""

    allowed: frozenset[str]
    conditions: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()


def match(policy: Purposes, project: Iterable[str]) -> Match:
    """Return whether all of a project's purposes are admitted; the strictest value wins.

    A project states permissions for what it is about and modifiers for the conditions that it meets.
    """
    stated = frozenset(project)
    about = stated - policy.conditions
    if not about or _ruled_out(policy, stated):
        return Match.NO_MATCH
    found = {_permission(policy, code) for code in about} | {_condition(code, stated) for code in policy.conditions}
    return next(value for value in (Match.NO_MATCH, Match.LOOK, Match.MATCH) if value in found)


def _ruled_out(policy: Purposes, stated: frozenset[str]) -> bool:
    never = {word.casefold() for word in policy.never}
    return any(code.casefold() in never for code in stated)


def _permission(policy: Purposes, code: str) -> Match:
    if code not in PERMISSIONS:
        return Match.LOOK
    if any(code in _ADMITS.get(allowed, ()) for allowed in policy.allowed):
        return Match.MATCH
    # Disease-specific permissions compare diseases, which codes alone do not tell.
    return Match.LOOK if _DISEASE in policy.allowed and code in (_DISEASE, _MEDICAL) else Match.NO_MATCH


def _condition(code: str, stated: frozenset[str]) -> Match:
    """A prohibition binds whatever the project states; any other condition it states or a person looks."""
    if code in _PROHIBITS:
        return Match.NO_MATCH if _PROHIBITS[code] in stated else Match.MATCH
    return Match.MATCH if code in stated else Match.LOOK
