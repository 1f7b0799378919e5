"""Each rule is broken once on purpose and the oracle must see it (PRIVACY §5)."""

from __future__ import annotations

from random import Random

import pytest

from tests.oracle.broken import BROKEN, Broken
from tests.oracle.oracle import Oracle, Violation

WORLDS = 40
ORACLE = Oracle()


def seen(broken: Broken, worlds: int, oracle: Oracle = ORACLE) -> list[Violation]:
    """Return what `oracle` finds of `broken`'s statements in the first world that shows it."""
    for seed in range(worlds):
        random = Random(seed)
        made = broken.world(random)
        oracle.load(made, random)
        oracle.stage.load(made.shuffled(random), "shuffled")
        for plan in broken.plans(broken.texts, made.catalogue, oracle.stage.public_keys):
            found = oracle.violations(plan)
            if found:
                return found
    return []


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
def test_the_oracle_sees(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    broken.apply(monkeypatch)
    found = {one.promise for one in seen(broken, WORLDS)}
    assert found & set(broken.promises), f"saw {found}"


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
def test_the_whole_rule_holds_on_the_same_statements(broken: Broken) -> None:
    assert not seen(broken, 1)
