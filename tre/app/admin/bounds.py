"""Finding the bounds that a policy leaves open: paid and on the record, then measured, then kept (PRIVACY §3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from tre import governance, ledger
from tre.app.admin.at_home import OPERATOR
from tre.app.compose import House
from tre.base.cost import Cost
from tre.journal import Trail
from tre.ledger import LedgerId
from tre.onboarding import Version, measure_bounds
from tre.policy import CompiledPolicy, with_version
from tre.privacy.histograms import Subject, blocks, wanted
from tre.privacy.mechanisms import OpenDPNoise
from tre.store import Transaction


def look_for_bounds(house: House, policy: CompiledPolicy, version: Version) -> None:
    """Measure on a version what bounds nothing and was not measured on an earlier one.

    A data set whose budget no longer covers it is left as it is: what is not bounded is refused. Raises Refused
    (onboarding.bounds-unfinished).
    """
    catalogue = with_version(
        policy.catalogue, version.name, version.enforced, version.public_sizes, version.absent, version.counted
    )
    every = wanted(catalogue)
    with house.store.reading() as tx:
        known = governance.found_bounds(tx, policy.dataset)
        left = ledger.balance(tx, LedgerId.of_dataset(policy.dataset)).left
    missing = [subject for subject in every if subject not in known]
    price = _price(policy, missing, every)
    if not missing or not price.fits(left):
        return
    measured_as = blocks(missing, catalogue, policy.rules, price)
    paid: list[str] = []

    def pay(tx: Transaction, trail: Trail) -> None:
        paid[:] = [governance.pay_for_bounds(tx, trail, policy.dataset, version.name, price)]

    house.act(OPERATOR, pay)
    with closing(house.engine()) as engine:
        found = measure_bounds(engine, version.path, missing, measured_as, OpenDPNoise())
    house.act(OPERATOR, lambda tx, trail: governance.keep_bounds(tx, trail, paid[0], found))


def _price(policy: CompiledPolicy, missing: Sequence[Subject], every: Sequence[Subject]) -> Cost:
    """Return the price of what is missing: of the whole price its part, so that no histogram is noisier for it."""
    whole = policy.rules.bounds
    if whole is None or not every:
        return Cost.zero(policy.rules.measure)
    return Cost(whole.measure, whole.amount * len(missing) // len(every))
