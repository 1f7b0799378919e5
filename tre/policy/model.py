"""The form of a policy document: what may stand in it, and how each value is written.

Keys are words that can be read aloud. What one value means is decided here; what several mean together, in `lint`.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from tre.policy import words

_NUMBER = {"type": "number"}
_COUNT = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}], "description": "500, 1e6 or 2 million rows"}
_DAY = {"type": "string", "format": "date"}

Positive = Annotated[Fraction, BeforeValidator(words.positive), WithJsonSchema({**_NUMBER, "exclusiveMinimum": 0})]
Share = Annotated[
    Fraction,
    BeforeValidator(words.share),
    WithJsonSchema({**_NUMBER, "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
]
Count = Annotated[int, BeforeValidator(words.count), WithJsonSchema(_COUNT)]
Magnitude = Annotated[tuple[int, bool], BeforeValidator(words.magnitude), WithJsonSchema(_COUNT)]
Duration = Annotated[
    Fraction, BeforeValidator(words.duration), WithJsonSchema({"type": "string", "pattern": "^[0-9]+ (ms|s)$"})
]
Day = Annotated[date, BeforeValidator(words.day), WithJsonSchema(_DAY)]
ColumnType = Annotated[
    words.ColumnType,
    BeforeValidator(words.column_type),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(boolean|integer|decimal\(\d+, ?\d+\)|double|text(\(\d+\))?|date|timestamp"
            r"|nhs-number|local-number)$",
        }
    ),
]
Name = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
PolicyName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Words = Annotated[str, Field(min_length=1, max_length=2000)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Duo = Annotated[str, Field(pattern=r"^DUO:[0-9]{7}$")]
Target = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}\.[a-z_][a-z0-9_]{0,62}$", description="TABLE.COLUMN")]
Scalar = Annotated[Any, WithJsonSchema({"type": ["boolean", "number", "string"]})]
Key = Annotated[
    list[Name],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class Part(BaseModel):
    """What all parts share: unknown keys refused, nothing converted, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class PartOrWord(Part):
    """A part that a single word may stand for, which is then its `short` key."""

    short: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, value: object) -> object:
        return {cls.short: value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        full = handler.resolve_ref_schema(found)
        whole = dict(full)
        full.clear()
        full.update(anyOf=[{"type": "string"}, whole], description=whole.pop("description"))
        return found


class Controller(Part):
    """Who answers for the data, and where to ask."""

    name: Words
    contact: Words


class LawfulBasis(Part):
    """The basis under Articles 6 and 9 of the GDPR, such as 6(1)(e) and 9(2)(j)."""

    article6: str = Field(alias="gdpr 6", pattern=r"^6\(1\)\([a-f]\)$")
    article9: str | None = Field(None, alias="gdpr 9", pattern=r"^9\(2\)\([a-j]\)$")


class Purposes(Part):
    """What the data may be used for, as GA4GH DUO codes; `never` lists codes or words that rule a project out."""

    allowed: Annotated[list[Duo], Field(min_length=1)]
    conditions: list[Duo] = Field(default=[])
    never: list[Words] = Field(default=[])


class Unit(Part):
    """The privacy unit: whose presence the answers hide."""

    table: Name
    key: Name


class AnswerLimit(Part):
    """The most that one answer may cost, and what it costs when the request does not say."""

    epsilon: Positive
    by_default: Positive | None = Field(None, alias="by default")
    delta: Share | None = None


class Limit(Part):
    """The most that a ledger may spend."""

    epsilon: Positive
    delta: Share | None = None


class Delta(Part):
    """How delta is shared: `conversion` fixes what people read as epsilon, `keys` is what one answer may spend."""

    conversion: Share
    keys: Share


class BoundsRelease(Part):
    """What finding out bounds costs, once: the data set, and each project that is given it.

    Each version's sizes cost them a twenty-fifth of it besides.
    """

    epsilon: Positive


class Budget(Part):
    """The privacy budget: per answer, per project, and for the data set whoever asks."""

    measure: Literal["zcdp", "pure"]
    per_answer: AnswerLimit = Field(alias="per answer")
    per_project: Limit = Field(alias="per project")
    dataset: Limit = Field(alias="data set")
    bounds: BoundsRelease | None = None
    delta: Delta | None = None


class Answers(Part):
    """What holds for every answer."""

    minimum_group: Count | None = Field(None, alias="minimum group")
    groups: Count | None = Field(None, alias="groups per person")
    automatic_groups: bool = Field(True, alias="automatic groups")
    known_keys: Count = Field(1000, alias="known keys")
    release_every: Duration = Field(Fraction(1, 4), alias="release every", json_schema_extra={"default": "250 ms"})
    most_rows_per_unit: Count = Field(10**8, alias="most rows per person")
    most_rows: Count = Field(10**15, alias="most rows")


class Requirement(Part):
    """What a role needs: credentials by kind, and one of these ways of signing in."""

    needs: list[Word] = Field(default=[])
    acr: Annotated[list[Word], Field(min_length=1)]


class People(Part):
    """Who may ask; the lead of a project needs what a researcher needs unless it says more."""

    researcher: Requirement
    lead: Requirement | None = None


class Register(Part):
    """What the public register and the data dictionary show, as sentences."""

    title: Words
    description: Words | None = None
    retention: Words | None = None


class Column(PartOrWord):
    """A column, or in “kinds” what several columns share."""

    short: ClassVar[str] = "is"
    kind: str | None = Field(None, alias="is")
    klass: Literal["unit key", "direct identifier", "quasi-identifier", "sensitive", "ordinary"] | None = Field(
        None, alias="class"
    )
    type: ColumnType | None = None
    never_empty: bool = Field(False, alias="never empty")
    bounds: Annotated[list[Scalar], Field(min_length=2, max_length=2)] | Literal["automatic"] | None = None
    granularity: Positive | None = None
    domain: Annotated[list[Scalar], Field(min_length=1, max_length=10_000)] | None = None
    calendar: Annotated[list[Day], Field(min_length=2, max_length=2)] | None = None
    optional: bool = False

    def over(self, kind: Self) -> Column:
        """Return this column with what it leaves unsaid taken from `kind`."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return kind.model_copy(update=said)


class TableUnit(PartOrWord):
    """The column that holds the unit; or `through` which column, and `to` which unique one, the unit is found."""

    short: ClassVar[str] = "column"
    column: Name | None = None
    through: Name | None = None
    to: Target | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.column is None) != (self.through is not None and self.to is not None):
            raise ValueError("write a column, or {through: COLUMN, to: TABLE.COLUMN}")
        return self


class Table(Part):
    """A table: who may use it how, whose rows it holds, and what each column says."""

    access: Literal["private", "attribute", "public", "hidden"]
    unit: TableUnit | None = None
    optional: bool = False
    rows_per_unit: Count | None = Field(None, alias="rows per person")
    typical_rows: Count | None = Field(None, alias="usual rows")
    magnitude: Magnitude | None = None
    unknown_people: Literal["refuse", "leave out"] = Field("refuse", alias="rows of unknown people")
    only_rows: dict[Name, Annotated[list[Scalar], Field(min_length=1)]] = Field(default={}, alias="only rows where")
    unique: list[Key] = Field(default=[])
    links: dict[Name, Target] = Field(default={})
    columns: dict[Name, Column] = Field(default={})


class Policy(Part):
    """A policy: what one data set's controller lays down for every question that is asked of it."""

    policy: PolicyName
    controller: Controller
    shown: Register = Field(alias="register")
    lawful_basis: LawfulBasis = Field(alias="lawful basis")
    purposes: Purposes
    people: People
    unit: Unit
    budget: Budget
    answers: Answers
    kinds: dict[str, Column] = Field(default={})
    tables: Annotated[dict[Name, Table], Field(min_length=1)]

    @property
    def people_magnitude(self) -> int | None:
        """The declared upper bound of people."""
        table = self.tables.get(self.unit.table)
        return table.magnitude[0] if table and table.magnitude and not table.magnitude[1] else None

    def magnitude(self, table: Table) -> int | None:
        """Return the declared upper bound of a table's rows."""
        if table.magnitude is None:
            return None
        rows, per_person = table.magnitude
        return rows * (self.people_magnitude or 1) if per_person else rows

    def column(self, declared: Column) -> Column:
        """Return `declared` with its kind filled in; an unknown kind (a finding of its own) adds nothing."""
        kind = self.kinds.get(declared.kind) if declared.kind else None
        return declared.over(kind) if kind else declared
