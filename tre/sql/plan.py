"""What a query means: frozen, typed nodes, apart from what was typed and from any engine.

Columns are known by id, never by name: an id is given once in a plan, and a reference to a column of an
enclosing query is simply an id that the subplan does not produce. Every node is built by `tre.sql.bind` from a
checked tree, or by `tre.privacy` when it lowers a private aggregate to partials; `tre.sql.render` alone turns
nodes into text. What may be said about a relation (status, unit keys, dependencies, work) stands in
`tre.sql.tracing`, one named rule per node.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from tre.catalogue import Interval, Table, Type, Usual, Value

# --- expressions ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The domain of a column looked up in public tables: the distinct values of the column of `relation`."""

    relation: Relation


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an expression's value from declarations alone.

    `interval` holds for every non-NULL value; `granularity` is the grid on which every value lies (None: no
    grid); `domain` lists every non-NULL value or says which public relation does; `max_length` bounds text. `usually`
    is what one person's values are taken to add up to: of all of this it alone is no proof.
    """

    nullable: bool = True
    interval: Interval | None = None
    granularity: Fraction | None = None
    domain: tuple[Value, ...] | PublicKeys | None = None
    max_length: int | None = None
    usually: Usual | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The declared column that a bare column is a copy of."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a relation produces. Equality of columns is equality of ids."""

    id: int
    name: str = field(compare=False)
    type: Type = field(compare=False)
    facts: Facts = field(compare=False, default=Facts())
    origin: Origin | None = field(compare=False, default=None)


@dataclass(frozen=True)
class Ref:
    """A column's value; of the relation itself, or of an enclosing query (correlation)."""

    column: Column

    @property
    def type(self) -> Type:
        return self.column.type

    @property
    def facts(self) -> Facts:
        return self.column.facts


@dataclass(frozen=True)
class Literal:
    """A constant; None is NULL."""

    value: Value | Fraction | None
    type: Type
    facts: Facts


@dataclass(frozen=True)
class Parameter:
    """A value bound when the statement runs, such as the secret of the keyed mix. Never part of the text."""

    name: str
    type: Type
    facts: Facts = Facts(nullable=False)


@dataclass(frozen=True)
class Call:
    """A function of the allow-list in `tre.sql.functions`, operators included. Total: it cannot fail on a value."""

    function: str
    arguments: tuple[Expression, ...]
    type: Type
    facts: Facts


@dataclass(frozen=True)
class Case:
    """CASE WHEN condition THEN result … ELSE otherwise END (simple CASE is bound to this form)."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression
    type: Type
    facts: Facts


@dataclass(frozen=True)
class Exists:
    """[NOT] EXISTS over a relation whose filters may refer to the enclosing query. IN binds to this form."""

    relation: Relation
    negated: bool
    type: Type
    facts: Facts = Facts(nullable=False, domain=(False, True))


Expression = Ref | Literal | Parameter | Call | Case | Exists


# --- relations --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scan:
    """A declared table, its bounds clamped, domains mapped, text cut and row cap enforced by the scan itself."""

    table: Table
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class UnitCounts:
    """The rows of each unit in a declared table, as its version keeps them; `columns` are the unit and their number."""

    table: Table
    columns: tuple[Column, Column]


@dataclass(frozen=True)
class Listed:
    """Rows of constants; SELECT without FROM has one row without columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Literal, ...], ...]


@dataclass(frozen=True)
class Filter:
    """Rows of `input` for which `condition` is true."""

    input: Relation
    condition: Expression

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns


@dataclass(frozen=True)
class Project:
    """One output column per (column, expression); a bare Ref may keep its column's id."""

    input: Relation
    outputs: tuple[tuple[Column, Expression], ...]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for column, _ in self.outputs)


class JoinKind(StrEnum):
    """The joins of the plan; comma joins bind to INNER. RIGHT and FULL are widened later."""

    INNER = "inner"
    LEFT = "left"


@dataclass(frozen=True)
class Join:
    """Columns of both sides; after a LEFT join the right side's columns are new ids with nullable facts."""

    kind: JoinKind
    left: Relation
    right: Relation
    condition: Expression
    nulled: tuple[tuple[Column, Column], ...] = ()  # LEFT: (column of the join, column of the right side)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        right = tuple(new for new, _ in self.nulled) if self.nulled else self.right.columns
        return self.left.columns + right


class Aggregation(StrEnum):
    """Exact aggregates, inside the enclave or over public tables."""

    COUNT_ROWS = "count_rows"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    VAR_SAMP = "var_samp"
    VAR_POP = "var_pop"
    STDDEV_SAMP = "stddev_samp"
    STDDEV_POP = "stddev_pop"
    MIN = "min"
    MAX = "max"
    QUANTILE_CONT = "quantile_cont"
    QUANTILE_DISC = "quantile_disc"
    HISTOGRAM = "histogram"  # how often each value stands; the planner alone asks for it
    BIT_OR = "bit_or"  # which bits any value has; the planner alone asks for it


@dataclass(frozen=True, slots=True)
class Aggregated:
    """One aggregate: `column` is its output; `where` is its FILTER; `fraction` is that of a quantile."""

    column: Column
    function: Aggregation
    argument: Expression | None = None
    where: Expression | None = None
    fraction: Fraction | None = None


@dataclass(frozen=True)
class Aggregate:
    """An exact GROUP BY: over public tables, or keyed by the unit inside the enclave, or the final clipped sums.

    Keys are (output column, expression over the input). Without keys there is exactly one row.
    """

    input: Relation
    keys: tuple[tuple[Column, Expression], ...]
    aggregates: tuple[Aggregated, ...]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for column, _ in self.keys) + tuple(one.column for one in self.aggregates)


@dataclass(frozen=True)
class Keep:
    """The first `rows` rows of each partition under `order`: row caps, l0 selection. Order must be total.

    `counted`, where asked for, is a further column: how many rows the partition had before.
    """

    input: Relation
    partition: tuple[Expression, ...]
    order: tuple[Expression, ...]
    rows: int
    counted: Column | None = None

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns if self.counted is None else (*self.input.columns, self.counted)


class WindowFunction(StrEnum):
    """Functions of a row and the rows of its partition; aggregates are those of its frame."""

    ROW_NUMBER = "row_number"
    RANK = "rank"
    DENSE_RANK = "dense_rank"
    PERCENT_RANK = "percent_rank"
    CUME_DIST = "cume_dist"
    NTILE = "ntile"
    LAG = "lag"
    LEAD = "lead"
    FIRST_VALUE = "first_value"
    LAST_VALUE = "last_value"
    NTH_VALUE = "nth_value"
    COUNT_ROWS = "count_rows"
    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    VAR_SAMP = "var_samp"
    VAR_POP = "var_pop"
    STDDEV_SAMP = "stddev_samp"
    STDDEV_POP = "stddev_pop"


class FrameUnit(StrEnum):
    """What the ends of a frame count: rows, values of the order, or groups of peers."""

    ROWS = "rows"
    RANGE = "range"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows from `start` to `end`, relative to the row: 0 is the row or its peers, less is before; None: no end."""

    unit: FrameUnit
    start: int | None = None
    end: int | None = None

    @property
    def whole(self) -> bool:
        """Whether it is the partition."""
        return self.start is None and self.end is None


WHOLE = Frame(FrameUnit.ROWS)


@dataclass(frozen=True, slots=True)
class Window:
    """One window: `column` is its output; `where` is its FILTER; `frame` is None for functions that have none.

    Terms of `order`: (expression, descending, nulls first). It is total wherever tied rows are told apart.
    """

    column: Column
    function: WindowFunction
    arguments: tuple[Expression, ...] = ()
    partition: tuple[Expression, ...] = ()
    order: tuple[tuple[Expression, bool, bool], ...] = ()
    frame: Frame | None = None
    where: Expression | None = None


@dataclass(frozen=True)
class Windowed:
    """The rows of `input`, each with the values of its windows."""

    input: Relation
    windows: tuple[Window, ...]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns + tuple(one.column for one in self.windows)


class PrivateFunction(StrEnum):
    """What a private aggregate measures. MIN and MAX are extreme quantiles."""

    COUNT_ROWS = "count_rows"
    COUNT = "count"
    COUNT_UNITS = "count_units"  # COUNT(DISTINCT unit key)
    COUNT_DISTINCT = "count_distinct"  # of anything else
    SUM = "sum"
    AVG = "avg"
    VAR_SAMP = "var_samp"
    VAR_POP = "var_pop"
    STDDEV_SAMP = "stddev_samp"
    STDDEV_POP = "stddev_pop"
    QUANTILE_CONT = "quantile_cont"
    QUANTILE_DISC = "quantile_disc"


QUANTILES = frozenset({"quantile_cont", "quantile_disc"})
"""The aggregates that are a value at a rank: MEDIAN, PERCENTILE_CONT, PERCENTILE_DISC."""
SPREADS = frozenset({"var_samp", "var_pop", "stddev_samp", "stddev_pop"})
"""The aggregates that measure how far values lie apart."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One aggregate that the mechanism will measure: its output column, argument, FILTER and quantile's fraction."""

    column: Column
    function: PrivateFunction
    argument: Expression | None = None
    where: Expression | None = None
    fraction: Fraction | None = None


@dataclass(frozen=True)
class PrivateAggregate:
    """The mechanism's place (PRIVACY §2): an aggregate over a unit-keyed relation without the unit key.

    `unit` is one of the input's unit keys. `keys` are (output column, expression over the input); a key is known
    when its facts have a domain, else unknown. `groups_per_unit` is 1 where the keys are a function of the unit
    by declared dependencies (or there are none), else None: the bound must come from policy or request.
    `rows_per_unit` is the static worst case of input rows of one unit, `typical_rows` the policy's contribution
    bound carried through the joins (None: undeclared), `one_row` whether a unit has at most one row by
    dependency, `one_row_a_group` whether it has in each group. Its columns are released: what stands above is
    post-processing.
    """

    input: Relation
    unit: Column
    keys: tuple[tuple[Column, Expression], ...]
    asked: tuple[Asked, ...]
    groups_per_unit: int | None
    rows_per_unit: int
    typical_rows: int | None
    one_row: bool
    one_row_a_group: bool = False

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for column, _ in self.keys) + tuple(one.column for one in self.asked)


@dataclass(frozen=True)
class Released:
    """A table of already released (noisy) or simulated values, handed to the engine as input `name`."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Distinct:
    """Distinct rows of a public or released relation, or of a unit-keyed one with its unit key in the row."""

    input: Relation

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns


@dataclass(frozen=True)
class Sort:
    """ORDER BY … LIMIT … OFFSET … over public or released rows. Terms: (expression, descending, nulls first)."""

    input: Relation
    terms: tuple[tuple[Expression, bool, bool], ...]
    limit: int | None = None
    offset: int = 0

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return self.input.columns


class SetKind(StrEnum):
    """The set operations; rows are compared as a whole, NULL being NULL's equal."""

    UNION = "union"
    INTERSECT = "intersect"
    EXCEPT = "except"


@dataclass(frozen=True)
class SetOperation:
    """Rows of two relations put together, or those of the left that the right has, or has not.

    `outputs` are (column, column of the left, column of the right). Without `every` no two rows are alike; with it
    (ALL) a row stands as often as the sides say.
    """

    kind: SetKind
    every: bool
    left: Relation
    right: Relation
    outputs: tuple[tuple[Column, Column, Column], ...]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for column, _, _ in self.outputs)


Relation = (
    Scan
    | UnitCounts
    | Listed
    | Filter
    | Project
    | Join
    | Aggregate
    | Keep
    | Windowed
    | SetOperation
    | PrivateAggregate
    | Released
    | Distinct
    | Sort
)


# --- a whole query ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """A bound query: `root` yields `names` in order.

    `blocks` are the private aggregates inside `root`, in evaluation order; none means that the answer is public,
    exact and free. `tables` and `columns` are what it touches; `notes` says what the planner added (a key
    equality implied by a link, …); `canonical` is the text of the canonical form of the whole query.
    """

    root: Relation
    names: tuple[str, ...]
    blocks: tuple[PrivateAggregate, ...]
    tables: tuple[str, ...]
    columns: tuple[Origin, ...]
    notes: tuple[str, ...]
    canonical: str
