"""What requests may say: pydantic models that take types as they were sent and nothing that they do not know."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from tre.privacy.accuracy import FORM, Accuracy
from tre.privacy.request import AUTOMATIC, Groups
from tre.web.service import QueryRequest

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_DECIMAL = r"^-?\d{1,30}(\.\d{1,30})?$"
_LEAST, _MOST = Decimal("1e-30"), Decimal("1e30")
_FINEST_EXPONENT = -60


def exact(value: object) -> Fraction:
    """Return the number that the decimal text says, exactly. Raises ValueError beyond 30 places either side."""
    if isinstance(value, str):
        if not re.fullmatch(_DECIMAL, value, re.ASCII):
            raise ValueError("not a decimal number")
        return Fraction(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("not a number or a decimal string")
    return _bounded(Decimal(value))


def _bounded(number: Decimal) -> Fraction:
    """Hold a number to a size that its description can say, and to digits that a fraction of it can carry."""
    if not number.is_finite():
        raise ValueError("not a finite number")
    if number and (not _LEAST <= number.copy_abs() <= _MOST or int(number.as_tuple().exponent) < _FINEST_EXPONENT):
        raise ValueError("a number beyond 30 places")
    return Fraction(number) if number else Fraction(0)


def _positive(value: object) -> Fraction:
    number = exact(value)
    if number <= 0:
        raise ValueError("not above 0")
    return number


_ABOVE_0: dict[str, Any] = {"type": "number", "minimum": float(_LEAST), "maximum": float(_MOST)}
_BELOW_0: dict[str, Any] = {"type": "number", "minimum": -float(_MOST), "maximum": -float(_LEAST)}
_NUMBER_SCHEMA: dict[str, Any] = {
    "anyOf": [
        _ABOVE_0,
        _BELOW_0,
        {"type": "number", "minimum": 0, "maximum": 0},
        {"type": "string", "pattern": _DECIMAL},
    ]
}
Exact = Annotated[Fraction, PlainValidator(exact), WithJsonSchema(_NUMBER_SCHEMA)]
Epsilon = Annotated[
    Fraction,
    PlainValidator(_positive),
    WithJsonSchema(
        {
            "anyOf": [
                _ABOVE_0,
                {"type": "string", "pattern": r"^(?=[0.]*[1-9])\d{1,30}(\.\d{1,30})?$"},
            ]
        }
    ),
]


def _accuracy(value: object) -> Accuracy:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return Accuracy.read(value)


Accurate = Annotated[
    Accuracy, PlainValidator(_accuracy), WithJsonSchema({"type": "string", "pattern": FORM, "examples": ["±20@95"]})
]


def _ordered(ends: list[Fraction]) -> list[Fraction]:
    if ends[0] > ends[1]:
        raise ValueError("the low end lies above the high end")
    return ends


Ends = Annotated[list[Exact], Field(min_length=2, max_length=2), AfterValidator(_ordered)]
_MOST_COUNTED = 2**31 - 1
Count = Annotated[int, Field(ge=1, le=_MOST_COUNTED)]


def _counted(value: object) -> Groups:
    if value == AUTOMATIC:
        return AUTOMATIC
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_COUNTED:
        raise ValueError(f"neither a whole number from 1 to {_MOST_COUNTED} nor “{AUTOMATIC}”")
    return value


Counted = Annotated[
    Groups,
    PlainValidator(_counted),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": _MOST_COUNTED}, {"const": AUTOMATIC}],
            "description": f"So many; or {AUTOMATIC}, as a first step tells, whose fixed price is part of the whole",
        }
    ),
]


class Body(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class BoundsBody(Body):
    """Contribution bounds in place of the policy's usual ones: one person's groups, rows of a group, totals."""

    groups: Counted | None = None
    rows: Count | None = None
    totals: dict[str, Ends] = Field(
        default_factory=dict, max_length=64, description="[low, high] by the name of a SUM in the output"
    )


class QuestionBody(Body):
    """A question in SQL and what it may cost."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"project": "study", "sql": "SELECT COUNT(*) AS n FROM person", "epsilon": "0.1"}]
        }
    )

    project: Annotated[str, Field(pattern=NAME)] | None = Field(
        None, description="May be left out with a token made for one project"
    )
    dataset: Annotated[str, Field(pattern=NAME)] | None = Field(
        None, description="May be left out where the project has one data set"
    )
    sql: str = Field(min_length=1, description="One SELECT, at most 16 KiB")
    dialect: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")] | None = Field(
        None, description="The SQL that is written; PostgreSQL by default"
    )
    epsilon: Epsilon | None = Field(
        None, description="The most that the answer may cost; the policy's default if absent, its limit with `accuracy`"
    )
    accuracy: Accurate | None = Field(
        None,
        description="The error that each number may have, which fixes the price: ±20 (at 95 %), ±20@99, ±20@95 all; "
        "or as a share of the number, ±2%, priced by a pilot",
    )
    bounds: BoundsBody = Field(default_factory=BoundsBody)

    def question(self) -> QueryRequest:
        """Return the question that the body asks."""
        totals = {name: (ends[0], ends[1]) for name, ends in self.bounds.totals.items()}
        bounds = self.bounds.groups, self.bounds.rows, totals
        return QueryRequest(self.sql, self.dialect, self.dataset, self.epsilon, self.accuracy, *bounds)


class CheckBody(QuestionBody):
    """A question to decide, and whether to explain its plan."""

    explain: bool = Field(False, description="Say how it would be answered: rows, bounds, noise, cost by part, SQL")


class RefinementBody(Body):
    """What makes an answer sharper: the price of a further draw, or the error that all draws together may leave."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"epsilon": "0.1"}],
            "oneOf": [
                {"required": ["epsilon"], "properties": {"epsilon": {"not": {"type": "null"}}}},
                {"required": ["accuracy"], "properties": {"accuracy": {"not": {"type": "null"}}}},
            ],
        }
    )

    epsilon: Epsilon | None = Field(None, description="The price of the further draw")
    accuracy: Accurate | None = Field(None, description="As in a question: ±20, ±20@99, ±20@95 all, ±2%")

    @model_validator(mode="after")
    def _one(self) -> RefinementBody:
        if (self.epsilon is None) == (self.accuracy is None):
            raise ValueError("either an epsilon or an accuracy")
        return self


class UnlockBody(Body):
    """Why a project may go on after its incidents; kept encrypted beside the log."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class LintBody(Body):
    """A policy document."""

    text: str = Field(description="YAML; the body's own limit is its longest")
