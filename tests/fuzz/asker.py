"""Random questions of a researcher, and the whole decision on each over a small random world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from tests.fuzz.language import Language
from tests.fuzz.mutations import mutated
from tests.oracle.asking import TODAY, asked
from tests.oracle.grammar import Grammar
from tests.oracle.oracle import Oracle
from tests.oracle.worlds import world
from tests.policy.people import ASKING, policy
from tre.catalogue import Value
from tre.decide import Decision, Drawn, Question, Situation, decide
from tre.privacy.request import Rules
from tre.sql.parse import DIALECTS
from tre.sql.plan import PublicKeys
from tre.sql.render import render

POLICY = policy()
KINDS = ("grammar", "language", "mutated grammar", "mutated language")
NOTHING_DRAWN = Drawn((), frozenset(), (), 0)


@dataclass(frozen=True)
class Case:
    """One question under one set of rules; `kind` says how its text was made."""

    kind: str
    question: Question
    rules: Rules


def case(random: Random) -> Case:
    """Return a random question: admitted for the most part, of all of SQL, or either gone wrong."""
    kind = random.choices(KINDS, (25, 25, 30, 20))[0]
    text = (
        Grammar(random, loose=random.random() < 0.3, depth=random.choice((0, 1, 1, 2))).statement()
        if "grammar" in kind
        else Language(random).statement()
    )
    text = mutated(random, text) if "mutated" in kind else text
    dialect = "postgres" if random.random() < 0.6 else random.choice(DIALECTS)
    ask, rules = asked(random)
    return Case(kind, Question(text, dialect, ask), rules)


class House:
    """A world with the engine that holds it, and decisions about it; nothing was asked before."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self.oracle = Oracle()
        self.world = world(random)
        self.oracle.load(self.world, random)
        self._known: dict[str, tuple[Value, ...]] = {}

    def decide(self, case: Case) -> Decision:
        """Return the whole decision."""
        catalogue, rules = self.world.catalogue, case.rules
        situation = Situation(
            context=ASKING,
            policy=replace(POLICY, catalogue=catalogue, rules=rules),
            catalogue=catalogue,
            made_under=catalogue.digest,
            today=TODAY,
            left={"project": rules.per_project, "dataset": rules.per_dataset},
            drawn=lambda question: NOTHING_DRAWN,
            public_keys=self.public_keys,
        )
        return decide(case.question, situation)

    def public_keys(self, keys: PublicKeys) -> tuple[Value, ...]:
        """Return the values of a public column, as a look-up does that remembers them."""
        text = render(keys.relation).sql
        if text not in self._known:
            self._known[text] = self.oracle.stage.public_keys(keys)
        return self._known[text]
