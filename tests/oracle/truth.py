"""The other way to an answer: the text itself, run on the engine (PRIVACY §5 "Truth in the limit")."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isclose
from typing import Any

from tests.oracle.asking import WIDE, planned
from tests.oracle.oracle import Oracle
from tests.oracle.stage import FULL, partials, tuples
from tests.privacy.exact import NoNoise, released
from tre.privacy.answer import answer
from tre.privacy.plan import PrivatePlan
from tre.privacy.request import Ask

Row = tuple[Any, ...]
GRID = 0.05
"""A double without declared granularity is summed on a power-of-two grid, a millionth of its bound a row."""


@dataclass(frozen=True)
class Answers:
    """What leaves with wide bounds and no noise, and what plain SQL says."""

    ours: list[Row]
    plain: list[Row]
    keys: int


def wide(text: str, oracle: Oracle) -> PrivatePlan | None:
    """Return the plan of `text` with bounds that clip nothing, or None where it is refused."""
    assert oracle.world is not None
    return planned(text, oracle.world.catalogue, oracle.stage.public_keys, Ask(groups=500), WIDE)


def answers(text: str, plan: PrivatePlan, oracle: Oracle) -> Answers:
    """Answer `text` both ways."""
    found = released(plan, lambda *given: partials(oracle.stage.run(given[0], FULL, given[1])), NoNoise())
    ours = answer(plan, found, oracle.stage.evaluate)
    plain = tuples(oracle.stage.plain(text))
    keys = sum(1 for column in ours.columns if not column.noisy)
    return Answers([tuple(row) for row in ours.rows], plain, keys)


def differences(found: Answers) -> list[str]:
    """Return where the two differ. Known groups without rows leave as zeros; an empty sum is 0, no NULL."""
    ours = {_key(row, found.keys): row[found.keys :] for row in found.ours}
    plain = {_key(row, found.keys): row[found.keys :] for row in found.plain}
    wrong = [f"{key} is missing" for key in plain if key not in ours]
    for key, row in ours.items():
        expected = plain.get(key, (0,) * len(row))
        if not all(_close(a, b) for a, b in zip(row, expected, strict=True)):
            wrong.append(f"{key}: {row} for {expected}")
    return wrong


def _key(row: Row, width: int) -> Row:
    """A decimal key comes as the nearest double from where averages of the server's own are read."""
    return tuple(float(one) if isinstance(one, (float, Decimal)) else one for one in row[:width])


def _close(one: Any, other: Any) -> bool:
    left, right = float(one or 0), float(other or 0)
    return isclose(left, right, rel_tol=1e-5, abs_tol=GRID)
