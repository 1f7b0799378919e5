"""The form of a question: what was typed, kept as typed, and read by the same model that REST reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from tre.base.reasons import Refusal, Refused
from tre.web.bodies import QuestionBody
from tre.web.contract import validated
from tre.web.service import QueryRequest
from tre.web.views import BoundsView

_QUOTES = "“”"
_TEXTS = ("dataset", "dialect", "epsilon", "accuracy")
_COUNTS = ("groups", "rows")


@dataclass(frozen=True, slots=True)
class Total:
    """One line of bounds: what one person may contribute to the SUM of an output."""

    output: str
    low: str
    high: str

    @property
    def said(self) -> bool:
        """Whether a bound was typed; a name alone only offers the line."""
        return bool(self.low or self.high)


@dataclass(frozen=True, slots=True)
class Form:
    """A question as it stands in the form."""

    sql: str = ""
    dataset: str = ""
    dialect: str = ""
    epsilon: str = ""
    accuracy: str = ""
    groups: str = ""
    rows: str = ""
    totals: tuple[Total, ...] = ()

    @classmethod
    def sent(cls, form: MultiDict[str, str]) -> Form:
        """Return the form that a browser sent: lines end as people write them, empty lines of bounds fall away."""
        lines = zip(*(form.getlist(f"total-{part}") for part in ("output", "low", "high")), strict=False)
        totals = (Total(*(text.strip() for text in line)) for line in lines)
        plain = {name: form.get(name, "").strip() for name in (*_TEXTS, *_COUNTS)}
        sql = form.get("sql", "").replace("\r\n", "\n")
        return cls(sql=sql, totals=tuple(one for one in totals if one.said), **plain)

    @property
    def digest(self) -> str:
        """A digest of everything typed, so that what runs is what was checked."""
        typed = replace(self, totals=tuple(one for one in self.totals if one.said))
        return hashlib.sha256(json.dumps(asdict(typed), sort_keys=True).encode()).hexdigest()

    def request(self) -> QueryRequest:
        """Return the question. Raises Refused with a reason for every field that is wrong."""
        body = validated(QuestionBody, self._body())
        assert isinstance(body, QuestionBody)
        return body.question()

    def _body(self) -> Mapping[str, Any]:
        said = {"sql": self.sql, **{one: getattr(self, one) or None for one in _TEXTS}}
        counts = {name: _count(getattr(self, name)) for name in _COUNTS}
        return {**said, "bounds": {**counts, "totals": {one.output: [one.low, one.high] for one in self.totals}}}

    def with_outputs(self, bounds: BoundsView | None) -> Form:
        """Return the form with a line for every output whose total is bounded, so that it can be changed."""
        named = {one.output for one in self.totals}
        found = [Total(name, "", "") for name in (bounds.totals if bounds else ()) if name not in named]
        return replace(self, totals=(*self.totals, *found))


def _count(text: str) -> int | str | None:
    """Return a whole number; other text as it is, for the model to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text or None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A field that is wrong: its id on the page, and why."""

    field: str
    sentence: str
    remedy: str


def mistakes(refused: Refused) -> tuple[Mistake, ...]:
    """Return what is wrong with a form, field by field."""
    return tuple(_mistake(refusal) for refusal in refused.refusals)


def _mistake(refusal: Refusal) -> Mistake:
    named = refusal.values.get("field", "").strip(_QUOTES).split(".")
    field = "totals" if "totals" in named else named[-1]
    known = field if field in (*_TEXTS, *_COUNTS, "totals") else "sql"
    return Mistake(known, refusal.sentence, refusal.remedy)
