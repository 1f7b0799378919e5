"""What a project may spend on a data set: of what it was granted and what the policy allows, the lesser."""

from __future__ import annotations

from fractions import Fraction

from sqlalchemy import select

from tre import ledger
from tre.base.cost import Cost
from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.policy import CompiledPolicy
from tre.privacy.accounting import limit
from tre.store import Transaction
from tre.store.tables import projects


def granted(epsilon: Fraction, delta: Fraction, policy: CompiledPolicy) -> Cost:
    """Return (epsilon, delta) as a limit on the data set of `policy`. Raises Refused (governance.bad-budget)."""
    rules = policy.rules
    try:
        if epsilon <= 0 or not 0 <= delta < 1:
            raise ValueError("no budget")
        return limit(rules.measure, epsilon, delta, rules.conversion_delta)
    except ValueError as error:
        raise Refused.because(reasons.BAD_BUDGET, dataset=policy.dataset) from error


def still_granted(epsilon: Fraction, delta: Fraction, policy: CompiledPolicy) -> Cost:
    """Return the same for a grant of the past: one that a later policy leaves without meaning is worth nothing."""
    try:
        return granted(epsilon, delta, policy)
    except Refused:
        return Cost.zero(policy.rules.measure)


def set_limits(tx: Transaction, project: str, policy: CompiledPolicy, event: str) -> None:
    """Make the project's ledger on the data set of `policy`, or give it the limit that now holds."""
    row = tx.execute(select(projects.c.epsilon, projects.c.delta).where(projects.c.id == project)).one()
    own = still_granted(Fraction(row.epsilon), Fraction(row.delta), policy)
    limit_now = own.least(policy.rules.per_project)
    ledger.ensure(tx, ledger.LedgerId.of_project(project, policy.dataset), limit_now, event)
