"""From a text to a plan under test, with the bounds that a request or a policy might set."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from random import Random

from tests.privacy.blocks import pure, rules
from tre.base.reasons import Refused
from tre.catalogue import Catalogue
from tre.privacy.keys import PublicValues
from tre.privacy.plan import PrivatePlan, plan
from tre.privacy.request import AUTOMATIC, Ask, Rules
from tre.sql import bind

TODAY = date(2024, 1, 1)
WIDE = rules(groups=2, units=64, known_keys=400, default_epsilon=Fraction(1))
"""Rules under which few questions are refused for their size."""
PURE = pure(groups=2, units=64, known_keys=400, default_epsilon=Fraction(1))
"""The same under pure DP, where unknown keys are refused."""


def asked(random: Random) -> tuple[Ask, Rules]:
    """Return the bounds of a random request under random rules."""
    ask = Ask(
        epsilon=random.choice((None, Fraction(1, 10), Fraction(2))),
        groups=random.choice((None, None, 1, 2, 5, AUTOMATIC, AUTOMATIC)),
        rows=random.choice((None, 1, 2, 3, 50)),
    )
    given = PURE if random.random() < 0.1 else WIDE
    return ask, replace(given, groups=random.choice((1, 2, 3)), minimum_group=random.choice((None, 2)))


def planned(
    text: str, catalogue: Catalogue, public_keys: PublicValues, ask: Ask | None = None, given: Rules = WIDE
) -> PrivatePlan | None:
    """Return the plan of a text, or None where it is refused."""
    try:
        query = bind(text, catalogue, TODAY)
        return plan(query, ask or Ask(rows=3), given, public_keys)
    except Refused:
        return None
