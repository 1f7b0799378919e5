"""Random statements of the admitted language (PRIVACY §2), as text over the tables of `tests.oracle.worlds`.

Every production is named and counted, so that a test can see that none is out of use; expressions use every function
of the registry through `tests.oracle.calls`. With `loose` now and then a rule is broken by the text itself (a join
without person equality, a nullable side's key): the binder must refuse those, or the oracle will say why not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from tests.oracle import calls, staged
from tests.oracle.calls import Kinds
from tests.oracle.groupings import bracketed, grouped_by, within_a_person
from tests.oracle.sets import combined
from tests.oracle.windows import first_rows, windowed

INT, NUM, TEXT, DATE, TIME, BOOL, DOUBLE = (
    Kinds.INT,
    Kinds.NUM,
    Kinds.TEXT,
    Kinds.DATE,
    Kinds.TIME,
    Kinds.BOOL,
    Kinds.DOUBLE,
)


@dataclass(frozen=True)
class Col:
    """A column as a query names it; `key` marks a unit key, `bounded` one with declared or derived bounds."""

    text: str
    kind: Kinds
    key: bool = False
    bounded: bool = False
    nullable: bool = True

    @property
    def name(self) -> str:
        return self.text.rsplit(".", 1)[-1]


@dataclass(frozen=True)
class Source:
    """Something to stand in FROM: its text and its columns, the unit key first."""

    text: str
    columns: tuple[Col, ...]
    tables: tuple[tuple[str, str], ...] = ()  # (declared table, alias) in reach, not nulled

    @property
    def key(self) -> Col:
        return next(one for one in self.columns if one.key)

    def of(self, *kinds: Kinds) -> list[Col]:
        return [one for one in self.columns if one.kind in kinds and not one.key]


SPREADS = ("VAR_SAMP", "VAR_POP", "STDDEV_SAMP", "STDDEV_POP", "VARIANCE", "STDDEV")

TABLES: dict[str, tuple[Col, ...]] = {
    "person": (
        Col("person_id", INT, True),
        Col("sex", INT),
        Col("born", INT, bounded=True),
        Col("place_id", INT),
        Col("score", DOUBLE, bounded=True),
        Col("note", TEXT),
    ),
    "visit": (
        Col("person_id", INT, True),
        Col("visit_id", INT, nullable=False),
        Col("kind", INT),
        Col("start", DATE),
        Col("paid", NUM, bounded=True),
    ),
    "event": (
        Col("person_id", INT, True),
        Col("event_id", INT, nullable=False),
        Col("visit_id", INT),
        Col("code", INT),
        Col("value", DOUBLE, bounded=True),
        Col("big", INT),
        Col("label", TEXT),
        Col("flag", BOOL),
        Col("at", TIME),
    ),
    "death": (Col("person_id", INT, True), Col("cause", INT), Col("day", DATE)),
    "episode": (
        Col("person_id", INT, True),
        Col("number", INT, nullable=False),
        Col("kind", INT),
        Col("weight", INT, bounded=True),
    ),
}
PUBLIC: dict[str, tuple[Col, ...]] = {
    "concept": (Col("concept_id", INT, nullable=False), Col("name", TEXT), Col("class_id", INT)),
    "ancestor": (Col("above", INT, nullable=False), Col("below", INT, nullable=False)),
}
PLACE = (Col("place_id", INT, nullable=False), Col("region", TEXT), Col("size", INT))


def _a_number(text: str) -> bool:
    """A number alone in GROUP BY is a position, or refused."""
    return text.lstrip("-").replace(".", "", 1).isdigit()


@dataclass
class Grammar:
    """Makes statements from `random`; `used` counts the productions taken."""

    random: Random
    loose: bool = False
    plain: bool = False  # only what means the same as plain text on the engine
    depth: int = 2
    used: Counter[str] = field(default_factory=Counter)
    only: frozenset[str] = frozenset()  # directed: productions that must be taken where they can
    _alias: int = 0
    _with: list[str] = field(default_factory=list)

    # --- choices ------------------------------------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, name: str, options: dict[str, Callable[[], object]]) -> object:
        """Take one production, a directed one first."""
        wanted = sorted(self.only & options.keys())
        chosen = self.random.choice(wanted if wanted and self.chance(0.8) else sorted(options))
        self.used[f"{name}:{chosen}"] += 1
        return options[chosen]()

    def alias(self) -> str:
        self._alias += 1
        return f"t{self._alias}"

    # --- statements ---------------------------------------------------------------------------------------

    def statement(self) -> str:
        """Return the text of one query."""
        self._with = []
        source = self.source(self.depth)
        where = self.where(source)
        if self.plain:
            keyed = self.pick("query", {"grouped": lambda: True, "total": lambda: False})
            keys = self.keys(source) if keyed else []
            bits = [f"GROUPING({bracketed(keys)}) AS bits"] if keys else []
            listed = ", ".join([*keys, *bits, *self.aggregates(source)])
            text = f"SELECT {listed} FROM {source.text}{where}"
            text += f" GROUP BY {grouped_by(self, keys)}" if keys else ""
            return (f"WITH {', '.join(self._with)} " if self._with else "") + text
        text = str(
            self.pick(
                "query",
                {
                    "grouped": lambda: self.grouped(source, where),
                    "distinct": lambda: self.distinct(source, where),
                    "total": lambda: self.total(source, where),
                    "released": lambda: self.released(source, where),
                },
            )
        )
        return (f"WITH {', '.join(self._with)} " if self._with else "") + text

    def total(self, source: Source, where: str) -> str:
        measured = self.aggregates(source)
        return f"SELECT {', '.join(measured)} FROM {source.text}{where}"

    def grouped(self, source: Source, where: str) -> str:
        keys = self.keys(source)
        measured = self.aggregates(source)
        by = [str(place + 1) for place in range(len(keys))] if self.chance(0.5) else keys
        bits = [f"GROUPING({bracketed(keys)}) AS bits"] if self.chance(0.3) else []
        listed = ", ".join([*keys, *measured, *bits])
        return f"SELECT {listed} FROM {source.text}{where} GROUP BY {grouped_by(self, by)}{self.above()}"

    def above(self) -> str:
        text = ""
        if self.chance(0.2):
            text += str(
                self.pick(
                    "above",
                    {
                        "having count": lambda: " HAVING COUNT(*) > 1",
                        "having units": lambda: " HAVING COUNT(*) FILTER (WHERE 1 = 1) >= 0",
                    },
                )
            )
        if self.chance(0.3):
            text += str(
                self.pick(
                    "above",
                    {
                        "order": lambda: " ORDER BY 1 DESC NULLS LAST",
                        "order limit": lambda: " ORDER BY 1 LIMIT 2",
                        "limit": lambda: " LIMIT 3 OFFSET 1",
                    },
                )
            )
        return text

    def distinct(self, source: Source, where: str) -> str:
        return f"SELECT DISTINCT {', '.join(self.keys(source))} FROM {source.text}{where}"

    def released(self, source: Source, where: str) -> str:
        keys = self.keys(source, most=1)
        inner = f"SELECT {keys[0]} AS k, COUNT(*) AS n FROM {source.text}{where} GROUP BY {keys[0]}"
        return str(
            self.pick(
                "released",
                {
                    "outer": lambda: f"SELECT k, n * 2 AS twice FROM ({inner}) x WHERE n > 0 ORDER BY k",
                    "sum": lambda: f"SELECT SUM(n) AS s FROM ({inner}) x",
                    "of a total": lambda: (
                        f"SELECT x.k, x.n * 1.0 / y.n AS share FROM ({inner}) x CROSS JOIN "
                        f"(SELECT COUNT(*) AS n FROM {source.text}{where}) y"
                    ),
                    "of a value": lambda: (
                        f"SELECT {keys[0]} AS k, COUNT(*) * 1.0 / (SELECT COUNT(*) FROM visit) AS share "
                        f"FROM {source.text}{where} GROUP BY {keys[0]}"
                    ),
                    "windowed": lambda: (
                        f"SELECT k, n * 1.0 / SUM(n) OVER () AS share, RANK() OVER (ORDER BY n DESC) AS place, "
                        f"LAG(n) OVER (ORDER BY k) AS before FROM ({inner}) x"
                    ),
                    "united": lambda: f"SELECT k, n FROM ({inner}) x UNION ALL SELECT k, n * 2 FROM ({inner}) y",
                    "beside another": lambda: f"SELECT x.n, y.n AS m FROM ({inner}) x, ({inner}) y",
                    "with public": lambda: f"SELECT c.name, x.n FROM ({inner}) x JOIN concept c ON c.concept_id = x.n",
                },
            )
        )

    def keys(self, source: Source, most: int = 2) -> list[str]:
        found = []
        for _ in range(self.random.choice((1, 1, most))):
            found.append(
                str(
                    self.pick(
                        "key",
                        {
                            "column": lambda: self.column(source, INT, TEXT, DATE, BOOL, TIME, NUM),
                            "expression": lambda: self.expression(
                                source, self.random.choice((INT, TEXT, BOOL, DATE)), 1
                            ),
                            "case": lambda: self.case(source, TEXT, "'low'", "'high'"),
                            "condition": lambda: f"({self.condition(source, 1)})",
                        },
                    )
                )
            )
        return list(dict.fromkeys(f"({one} + 0)" if _a_number(one) else one for one in found))

    def aggregates(self, source: Source) -> list[str]:
        return [f"{self.aggregate(source)} AS a{place}" for place in range(self.random.choice((1, 1, 2, 3)))]

    def aggregate(self, source: Source) -> str:
        text = str(
            self.pick(
                "aggregate",
                {
                    "count": lambda: "COUNT(*)",
                    "count x": lambda: f"COUNT({self.column(source, INT, TEXT, DATE, BOOL, DOUBLE)})",
                    "count units": lambda: f"COUNT(DISTINCT {source.key.text})",
                    "count distinct": lambda: (
                        f"COUNT(DISTINCT {self.column(source, INT, TEXT, DATE, BOOL, DOUBLE, NUM)})"
                    ),
                    "count distinct expression": lambda: (
                        f"COUNT(DISTINCT {self.expression(source, self.random.choice((INT, TEXT)), 1)})"
                    ),
                    "count expression": lambda: f"COUNT({self.expression(source, self.random.choice((INT, TEXT)), 1)})",
                    "sum": lambda: f"SUM({self.bounded(source)})",
                    "avg": lambda: f"AVG({self.bounded(source)})",
                    "sum expression": lambda: f"SUM({self.number(source)})",
                    "avg expression": lambda: f"AVG({self.number(source)})",
                    "spread": lambda: f"{self.random.choice(SPREADS)}({self.bounded(source)})",
                    "spread expression": lambda: f"{self.random.choice(SPREADS)}({self.number(source)})",
                    "extreme": lambda: f"{self.random.choice(('MIN', 'MAX'))}({self.bounded(source)})",
                    "percentile": lambda: self.percentile(self.bounded(source)),
                    **({} if self.plain else self.medians(source)),
                },
            )
        )
        if self.chance(0.25):
            self.used["aggregate:filter"] += 1
            text += f" FILTER (WHERE {self.condition(source, 1)})"
        elif self.chance(0.05):
            self.used["aggregate:against a value"] += 1
            text += f" FILTER (WHERE {self.against_a_value(source)})"
        return text

    def medians(self, source: Source) -> dict[str, Callable[[], object]]:
        """Quantiles that plain SQL interpolates, of expressions, and of dates; they are answered without it."""
        return {
            "median": lambda: f"MEDIAN({self.bounded(source)})",
            "median expression": lambda: f"MEDIAN({self.number(source)})",
            "percentile between": lambda: f"PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY {self.bounded(source)})",
            "extreme moment": lambda: f"{self.random.choice(('MIN', 'MEDIAN'))}({self.column(source, DATE, TIME)})",
        }

    def percentile(self, argument: str) -> str:
        share = self.random.choice(("0.005", "0.25", "0.5", "0.9"))
        return f"PERCENTILE_DISC({share}) WITHIN GROUP (ORDER BY {argument})"

    def bounded(self, source: Source) -> str:
        found = [one.text for one in source.columns if one.bounded]
        return self.random.choice(found) if found else f"CASE WHEN {self.condition(source, 1)} THEN 2 ELSE -1 END"

    def number(self, source: Source) -> str:
        return str(
            self.pick(
                "number",
                {
                    "case": lambda: self.case(source, NUM, self.bounded(source), "1"),
                    "arithmetic": lambda: f"{self.bounded(source)} {self.random.choice('+-*')} {self.bounded(source)}",
                    "scaled": lambda: f"({self.bounded(source)} - 3) * 2",
                    **({} if self.plain else {"divided": lambda: f"{self.bounded(source)} / 4"}),
                    "coalesced": lambda: f"COALESCE({self.bounded(source)}, 1)",
                },
            )
        )

    # --- sources ------------------------------------------------------------------------------------------

    def source(self, depth: int) -> Source:
        """Return persons' rows to select from."""
        options: dict[str, Callable[[], object]] = {"table": self.table}
        if depth > 0:
            options |= {
                "join units": lambda: self.join_units(depth),
                "join full": lambda: self.join_full(depth),
                "join link": self.join_link,
                "join public": lambda: self.join_public(depth),
                "join attribute": lambda: self.join_attribute(depth),
                "comma": lambda: self.comma(depth),
                "derived": lambda: self.derived(depth),
                "per person": lambda: self.per_person(depth),
                "distinct inside": lambda: self.distinct_inside(depth),
                "windowed": lambda: windowed(self, depth),
                "distinct on": lambda: first_rows(self, depth),
                "set": lambda: combined(self, depth),
                "with": lambda: self.common(depth),
                "with twice": lambda: self.twice(depth),
                "join released": lambda: staged.joined_back(self, depth),
            }
            if self.loose:
                options["join loose"] = lambda: self.join_loose(depth)
        found = self.pick("source", options)
        assert isinstance(found, Source)
        return found

    def table(self, name: str = "") -> Source:
        name = name or self.random.choice(sorted(TABLES))
        alias = self.alias()
        columns = tuple(replace(one, text=f"{alias}.{one.text}") for one in TABLES[name])
        return Source(f"{name} {alias}", columns, ((name, alias),))

    def join_units(self, depth: int) -> Source:
        left, right = self.source(depth - 1), self.source(depth - 1)
        terms = [f"{left.key.text} = {right.key.text}"]
        if self.chance(0.3):
            terms.append(self.condition(replace(left, columns=left.columns + right.columns), 1))
        if self.chance(0.3):
            terms.append(self.matching(left, right))
        self.random.shuffle(terms)
        return self.joined(left, right, " AND ".join(terms))

    def join_full(self, depth: int) -> Source:
        """Both sides kept: their key is COALESCE of the two, an ordinary column each by itself."""
        left, right = self.source(depth - 1), self.table()
        terms = [f"{left.key.text} = {right.key.text}"]
        if self.chance(0.4):
            terms.append(self.matching(left, right))
        key = Col(f"COALESCE({left.key.text}, {right.key.text})", INT, key=True, nullable=False)
        others = tuple(replace(one, key=False, nullable=True) for one in (*left.columns, *right.columns))
        text = f"{left.text} FULL JOIN {right.text} ON {' AND '.join(terms)}"
        if self.chance(0.5):
            return Source(text, (key, *others))
        alias = self.alias()
        inner = ", ".join(f"{one.text} AS {name}" for name, one in (("u", key), ("a", others[-1]), ("b", others[1])))
        columns = (
            replace(key, text=f"{alias}.u"),
            replace(others[-1], text=f"{alias}.a"),
            replace(others[1], text=f"{alias}.b"),
        )
        return Source(f"(SELECT {inner} FROM {text}) {alias}", columns)

    def matching(self, left: Source, right: Source) -> str:
        pairs = [(a.text, b.text) for a in left.of(INT) for b in right.of(INT)]
        return " = ".join(self.random.choice(pairs)) if pairs else "1 = 1"

    def joined(self, left: Source, right: Source, on: str) -> Source:
        if self.chance(0.5):
            self.used["join:left"] += 1
            other = tuple(replace(one, key=False, nullable=True) for one in right.columns)
            if self.chance(0.3):
                self.used["join:right"] += 1
                kept, nulled = (f"({one.text})" if "JOIN" in one.text else one.text for one in (left, right))
                return Source(f"{nulled} RIGHT JOIN {kept} ON {on}", left.columns + other, left.tables)
            return Source(
                f"{left.text} LEFT JOIN ({right.text}) ON {on}"
                if " " in right.text.strip() and "JOIN" in right.text
                else f"{left.text} LEFT JOIN {right.text} ON {on}",
                left.columns + other,
                left.tables,
            )
        self.used["join:inner"] += 1
        text = f"({right.text})" if "JOIN" in right.text and not right.text.startswith("(") else right.text
        return Source(f"{left.text} JOIN {text} ON {on}", left.columns + right.columns, left.tables + right.tables)

    def join_link(self) -> Source:
        event, visit = self.table("event"), self.table("visit")
        left, right = (event, visit) if self.chance(0.7) else (visit, event)
        link = f"{self._of(event, 'visit_id')} = {self._of(visit, 'visit_id')}"
        return self.joined(left, right, link)

    def join_loose(self, depth: int) -> Source:
        """A text that breaks a rule: no person equality, or one by an ordinary column."""
        left, right = self.source(depth - 1), self.source(depth - 1)
        return self.joined(left, right, self.matching(left, right))

    def _of(self, source: Source, name: str) -> str:
        return next(one.text for one in source.columns if one.name == name)

    def join_public(self, depth: int) -> Source:
        left = self.source(depth - 1)
        right = self.public()
        on = str(
            self.pick(
                "public join",
                {
                    "equal": lambda: self.matching(left, right),
                    "range": lambda: f"{self.column(left, INT)} <= {self.random.choice(right.of(INT)).text}",
                    "filtered": lambda: f"{self.matching(left, right)} AND {self.condition(right, 1)}",
                },
            )
        )
        if self.chance(0.2):
            self.used["join:public first"] += 1
            text = f"({left.text})" if "JOIN" in left.text else left.text
            return Source(f"{right.text} JOIN {text} ON {on}", left.columns + right.columns, left.tables)
        return self.joined(left, right, on)

    def public(self) -> Source:
        if not self.plain and self.chance(0.15):
            self.used["join:constants"] += 1
            alias = self.alias()
            rows = self.random.choice(("(1, 2), (2, NULL), (3, 3)", "(1, 1), (1, 2), (NULL, 3)"))
            return Source(f"(VALUES {rows}) AS {alias}(k, m)", (Col(f"{alias}.k", INT), Col(f"{alias}.m", INT)))
        name, alias = self.random.choice(sorted(PUBLIC)), self.alias()
        columns = tuple(replace(one, text=f"{alias}.{one.text}") for one in PUBLIC[name])
        if self.chance(0.3):
            self.used["public:derived"] += 1
            if self.chance(0.3):
                self.used["public:windowed"] += 1
                number = f"ROW_NUMBER() OVER (ORDER BY {', '.join(one.name for one in PUBLIC[name])}) AS place"
                return Source(
                    f"(SELECT *, {number} FROM {name}) {alias}", (*columns, Col(f"{alias}.place", INT, bounded=True))
                )
            cut = f" ORDER BY {columns[-1].name} LIMIT 2", " LIMIT 3"
            tail = " WHERE 1 = 1" if self.plain else self.random.choice((*cut, " WHERE 1 = 1"))
            return Source(f"(SELECT * FROM {name}{tail}) {alias}", columns)
        return Source(f"{name} {alias}", columns)

    def join_attribute(self, depth: int) -> Source:
        left, alias = self.source(depth - 1), self.alias()
        columns = tuple(replace(one, text=f"{alias}.{one.text}") for one in PLACE)
        keys = [one.text for one in left.columns if one.name == "place_id"] or [self.column(left, INT)]
        on = f"{keys[0]} = {alias}.place_id"
        return self.joined(left, Source(f"place {alias}", columns), on)

    def comma(self, depth: int) -> Source:
        """A comma join stands in a derived table of its own, its equality in WHERE."""
        left, right = self.source(depth - 1), self.table()
        both = left.columns + right.columns
        inner = f"{left.text}, {right.text} WHERE {left.key.text} = {right.key.text}"
        return self._select_from(replace(left, columns=both), inner, "")

    def derived(self, depth: int) -> Source:
        source = self.source(depth - 1)
        return self._select_from(source, source.text, self.where(source))

    def _select_from(self, source: Source, text: str, where: str) -> Source:
        alias, columns, listed = self.alias(), [], []
        for place, one in enumerate(source.columns):
            if (one.key and not any(known.key for known in columns)) or (not one.key and self.chance(0.7)):
                listed.append(f"{one.text} AS c{place}")
                columns.append(replace(one, text=f"{alias}.c{place}"))
        for place in range(self.random.choice((0, 1))):
            kind = self.random.choice((INT, TEXT, BOOL))
            listed.append(f"{self.expression(source, kind, 1)} AS e{place}")
            columns.append(Col(f"{alias}.e{place}", kind))
        return Source(f"(SELECT {', '.join(listed)} FROM {text}{where}) {alias}", tuple(columns))

    def per_person(self, depth: int) -> Source:
        source, alias = self.source(depth - 1), self.alias()
        keys, columns = [source.key.text], [Col(f"{alias}.u", INT, True)]
        listed = [f"{source.key.text} AS u"]
        if self.chance(0.4):
            key = self.column(source, INT, TEXT, DATE)
            key = f"({key} + 0)" if _a_number(key) else key
            keys.append(key)
            listed.append(f"{key} AS g")
            columns.append(Col(f"{alias}.g", self._kind(source, key)))
        for place in range(self.random.choice((1, 2))):
            text, kind, bounded = self.exact(source)
            listed.append(f"{text} AS m{place}")
            columns.append(Col(f"{alias}.m{place}", kind, bounded=bounded))
        having = f" HAVING {self.exact(source)[0]} IS NOT NULL" if self.chance(0.2) else ""
        by = within_a_person(self, keys[0], keys[1:])
        text = f"SELECT {', '.join(listed)} FROM {source.text}{self.where(source)} GROUP BY {by}{having}"
        return Source(f"({text}) {alias}", tuple(columns))

    def _kind(self, source: Source, text: str) -> Kinds:
        return next((one.kind for one in source.columns if one.text == text), INT)

    def exact(self, source: Source) -> tuple[str, Kinds, bool]:
        """Return an exact aggregate within a unit: its text, kind and whether its value is bounded."""

        def of(function: str, *kinds: Kinds) -> tuple[str, Kinds, bool]:
            text = self.column(source, *kinds)
            return f"{function}({text})", self._kind(source, text), False

        found = self.pick(
            "exact",
            {
                "count": lambda: ("COUNT(*)", INT, True),
                "count x": lambda: (f"COUNT({self.column(source, INT, TEXT)})", INT, True),
                "count distinct": lambda: (f"COUNT(DISTINCT {self.column(source, INT, TEXT, DATE)})", INT, True),
                "sum": lambda: of("SUM", INT, NUM),
                "avg": lambda: (of("AVG", INT, NUM)[0], DOUBLE, False),
                "min": lambda: of("MIN", INT, TEXT, DATE, DOUBLE),
                "max": lambda: of("MAX", INT, TEXT, DATE, TIME),
                "median": lambda: (of("MEDIAN", INT, DOUBLE)[0], DOUBLE, False),
                "percentile": lambda: (
                    self.percentile(text := self.column(source, INT, DATE)),
                    self._kind(source, text),
                    False,
                ),
            },
        )
        assert isinstance(found, tuple)
        return found

    def distinct_inside(self, depth: int) -> Source:
        source, alias = self.source(depth - 1), self.alias()
        column = self.column(source, INT, TEXT, DATE, BOOL)
        text = f"SELECT DISTINCT {source.key.text} AS u, {column} AS d FROM {source.text}{self.where(source)}"
        return Source(
            f"({text}) {alias}", (Col(f"{alias}.u", INT, True), Col(f"{alias}.d", self._kind(source, column)))
        )

    def common(self, depth: int) -> Source:
        made = self.derived(depth)
        name, body = f"w{len(self._with)}", made.text
        text, old = body.rsplit(") ", 1)
        self._with.append(f"{name} AS {text})")
        alias = self.alias()
        columns = tuple(replace(one, text=one.text.replace(f"{old}.", f"{alias}.", 1)) for one in made.columns)
        return Source(f"{name} {alias}", columns)

    def twice(self, depth: int) -> Source:
        first = self.common(depth)
        name, old = first.text.split()
        alias = self.alias()
        columns = tuple(replace(one, text=one.text.replace(f"{old}.", f"{alias}.", 1)) for one in first.columns)
        second = Source(f"{name} {alias}", columns)
        return self.joined(first, second, f"{first.key.text} = {second.key.text}")

    # --- conditions and expressions ---------------------------------------------------------------------------

    def where(self, source: Source) -> str:
        terms = [self.condition(source, 2)] if self.chance(0.5) else []
        if self.chance(0.1):
            terms.append(self.against_a_value(source))
        return f" WHERE {' AND '.join(terms)}" if terms else ""

    def against_a_value(self, source: Source) -> str:
        number = self.random.choice([one.text for one in source.of(INT)] or ["1"])
        value = self.pick(
            "value",
            {
                "aggregate": lambda: "(SELECT MIN(concept_id) FROM concept)",
                "no row": lambda: "(SELECT MAX(concept_id) FROM concept WHERE concept_id < 0)",
                "looked up": lambda: "(SELECT class_id FROM concept WHERE concept_id = 2)",
                "in brackets": lambda: "((SELECT COUNT(*) FROM concept) - 1)",
                "released": lambda: staged.value(self),
                **self.tied_values(source, number),
            },
        )
        return f"{number} {self.random.choice(('>=', '<', '<>'))} {value}"

    def tied_values(self, source: Source, number: str) -> dict[str, Callable[[], object]]:
        """Subqueries as values, tied by equalities: an aggregate, a unique look-up, the first row of an order.

        In plain text no two rows that differ may tie for the first: which one it is would be the engine's choice.
        """
        found: dict[str, Callable[[], object]] = {
            "of a code": lambda: f"(SELECT class_id FROM concept z WHERE z.concept_id = {number})",
            "tied released": lambda: staged.tied(self, number),
        }
        if any(one.key for one in source.columns):
            tie = f"z.person_id = {source.key.text}"
            order = "z.start DESC, z.visit_id, z.kind, z.paid" if self.plain else "z.start DESC"
            found |= {
                "tied count": lambda: f"(SELECT COUNT(z.visit_id) FROM visit z WHERE {tie})",
                "tied largest": lambda: f"(SELECT MAX(z.code) FROM event z WHERE z.code > 1 AND {tie})",
                "tied look-up": lambda: f"(SELECT z.cause FROM death z WHERE {tie})",
                "tied first": lambda: f"(SELECT z.kind FROM visit z WHERE {tie} ORDER BY {order} LIMIT 1)",
            }
        return found

    def condition(self, source: Source, depth: int) -> str:
        if depth <= 0:
            return self.comparison(source)
        return str(
            self.pick(
                "condition",
                {
                    "comparison": lambda: self.comparison(source),
                    "function": lambda: self.expression(source, BOOL, depth - 1),
                    "computed": lambda: self.computed(source),
                    "and": lambda: f"{self.condition(source, depth - 1)} AND {self.condition(source, depth - 1)}",
                    "or": lambda: f"({self.condition(source, depth - 1)} OR {self.comparison(source)})",
                    "not": lambda: f"NOT ({self.condition(source, depth - 1)})",
                    "exists": lambda: self.exists(source),
                    "in units": lambda: self.in_units(source),
                    "in tied": lambda: self.in_tied(source),
                    "in public": lambda: self.in_public(source),
                    "exists public": lambda: self.exists_public(source),
                    "in released": lambda: staged.among(self, source),
                    "exists released": lambda: staged.there_is(self, source),
                },
            )
        )

    def computed(self, source: Source) -> str:
        kind = self.random.choice(list(Kinds))
        return f"{self.expression(source, kind, 1)} {self.random.choice(('=', '<', '>='))} {self.literal(kind)}"

    def comparison(self, source: Source) -> str:
        column = self.random.choice(source.of(INT, NUM, TEXT, DATE, BOOL, DOUBLE, TIME) or [source.columns[0]])
        return str(
            self.pick(
                "comparison",
                {
                    "literal": lambda: (
                        f"{column.text} {self.random.choice(('=', '<', '>=', '<>'))} {self.literal(column.kind)}"
                    ),
                    "null": lambda: f"{column.text} IS {self.random.choice(('', 'NOT '))}NULL",
                    "in": lambda: (
                        f"{column.text} {self.random.choice(('', 'NOT '))}IN "
                        f"({self.literal(column.kind)}, {self.literal(column.kind)})"
                    ),
                    "between": lambda: (
                        f"{column.text} BETWEEN {self.literal(column.kind)} AND {self.literal(column.kind)}"
                    ),
                    "unit": lambda: f"{source.columns[0].text} = {self.random.choice((1, 2, 3))}",
                },
            )
        )

    def subject(self, source: Source, where: Callable[[Source], str]) -> tuple[Source, str]:
        inner = self.source(1 if self.chance(0.2) else 0)
        return inner, f"{inner.text} WHERE {where(inner)}"

    def exists(self, source: Source) -> str:
        if not any(one.key for one in source.columns):
            return self.comparison(source)
        inner, text = self.subject(source, lambda one: f"{one.key.text} = {source.key.text}")
        more = f" AND {self.matching(inner, source)}" if self.chance(0.3) else ""
        more += f" AND {self.comparison(inner)}" if self.chance(0.3) else ""
        return f"{self.random.choice(('', 'NOT '))}EXISTS (SELECT 1 FROM {text}{more})"

    def in_units(self, source: Source) -> str:
        if not any(one.key for one in source.columns):
            return self.comparison(source)
        inner = self.source(1 if self.chance(0.2) else 0)
        member = f"SELECT {inner.key.text} FROM {inner.text}{self.where(inner) if self.chance(0.3) else ''}"
        return f"{source.key.text} {self.random.choice(('', 'NOT '))}IN ({member})"

    def in_tied(self, source: Source) -> str:
        if not any(one.key for one in source.columns):
            return self.comparison(source)
        inner = self.table()
        member = f"SELECT {self.column(inner, INT)} FROM {inner.text} WHERE {inner.key.text} = {source.key.text}"
        return f"{self.column(source, INT)} {self.random.choice(('', 'NOT '))}IN ({member})"

    def in_public(self, source: Source) -> str:
        inner = self.public()
        member = f"SELECT {self.random.choice(inner.of(INT)).text} FROM {inner.text}"
        return f"{self.column(source, INT)} {self.random.choice(('', 'NOT '))}IN ({member})"

    def exists_public(self, source: Source) -> str:
        inner = self.public()
        return f"EXISTS (SELECT 1 FROM {inner.text} WHERE {self.matching(inner, source)})"

    def case(self, source: Source, kind: Kinds, one: str, other: str) -> str:
        return f"CASE WHEN {self.condition(source, 1)} THEN {one} ELSE {other} END"

    def column(self, source: Source, *kinds: Kinds) -> str:
        found = source.of(*kinds)
        if not found:
            return self.literal(kinds[0])
        return self.random.choice(found).text

    def expression(self, source: Source, kind: Kinds, depth: int) -> str:
        """Return an expression of `kind`: a column, or a function of the registry over others."""
        templates = calls.templates(kind, self.plain)
        if depth <= 0 or not templates or self.chance(0.2):
            return self.column(source, kind) if self.chance(0.8) else self.literal(kind)
        template = self.random.choice(templates)
        self.used[f"call:{template.function}"] += 1
        given = [self.expression(source, one, depth - 1) for one in template.operands]
        return template.text.format(*given, literal=self.literal(INT))

    def literal(self, kind: Kinds) -> str:
        return self.random.choice(calls.TAME[kind] if self.plain else calls.LITERALS[kind])
