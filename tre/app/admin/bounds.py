"""Finding the bounds that a policy leaves open, and the sizes of a version: paid, on the record, measured, kept.

PRIVACY §3.2 for bounds: once a data set. PRIVACY §1 for sizes: once a version.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from tre import governance, ledger
from tre.app.admin.at_home import OPERATOR
from tre.app.compose import House
from tre.base.cost import Cost
from tre.base.passage import Release
from tre.catalogue import Catalogue
from tre.journal import Trail
from tre.ledger import LedgerId
from tre.onboarding import Version, measure_bounds
from tre.policy import CompiledPolicy, with_version
from tre.privacy import choice, histograms, sizes
from tre.privacy.blocks import Block
from tre.privacy.histograms import Subject, histogram
from tre.privacy.mechanisms import OpenDPNoise
from tre.store import Transaction


def look_for_bounds(house: House, policy: CompiledPolicy, version: Version) -> Cost:
    """Measure on a version what bounds nothing and was not measured on an earlier one; return what was paid.

    A data set whose budget no longer covers it is left as it is: what is not bounded is refused. Raises Refused
    (onboarding.bounds-unfinished).
    """
    catalogue = _declared(policy, version)
    every = histograms.wanted(catalogue)
    with house.store.reading() as tx:
        known = governance.found_bounds(tx, policy.dataset)
    missing = [subject for subject in every if subject not in known]
    price = _price(policy, missing, every)
    if not missing or not _affordable(house, policy, price):
        return Cost.zero(price.measure)
    measured_as = histograms.blocks(missing, catalogue, policy.rules, price)
    release, found = _measured(house, policy, version, price, measured_as)
    told = [histogram(*one) for one in zip(missing, measured_as, found, strict=True)]
    house.act(OPERATOR, lambda tx, trail: governance.keep_bounds(tx, trail, release, told))
    return price


def look_for_sizes(house: House, policy: CompiledPolicy, version: Version) -> Cost:
    """Measure how many rows and people a version's tables have, where rows are bounded; return what was paid.

    Where the budget no longer covers it nothing is priced by sizes. Raises Refused (onboarding.bounds-unfinished).
    """
    with house.store.reading() as tx:
        known, done = governance.found_bounds(tx, policy.dataset), governance.found_sizes(tx, version.name)
    catalogue = choice.with_bounds(_declared(policy, version), known, policy.rules)
    tables, price = sizes.wanted(catalogue), policy.rules.sizes
    if done or not tables or price is None or not _affordable(house, policy, price):
        return Cost.zero(policy.rules.measure)
    measured_as = sizes.blocks(tables, catalogue, policy.rules, price)
    release, found = _measured(house, policy, version, price, measured_as)
    told = {name: sizes.size(block, one) for name, block, one in zip(tables, measured_as, found, strict=True)}
    house.act(OPERATOR, lambda tx, trail: governance.keep_sizes(tx, trail, release, told))
    return price


def _declared(policy: CompiledPolicy, version: Version) -> Catalogue:
    return with_version(
        policy.catalogue, version.name, version.enforced, version.public_sizes, version.absent, version.counted
    )


def _affordable(house: House, policy: CompiledPolicy, price: Cost) -> bool:
    with house.store.reading() as tx:
        return price.fits(ledger.balance(tx, LedgerId.of_dataset(policy.dataset)).left)


def _measured(
    house: House, policy: CompiledPolicy, version: Version, price: Cost, blocks: Sequence[Block]
) -> tuple[str, tuple[Release, ...]]:
    """Return the id of a release that is paid before anything is read, and what it released."""
    paid: list[str] = []

    def pay(tx: Transaction, trail: Trail) -> None:
        paid[:] = [governance.pay_for_bounds(tx, trail, policy.dataset, version.name, price)]

    house.act(OPERATOR, pay)
    with closing(house.engine()) as engine:
        return paid[0], measure_bounds(engine, version.path, blocks, OpenDPNoise())


def _price(policy: CompiledPolicy, missing: Sequence[Subject], every: Sequence[Subject]) -> Cost:
    """Return the price of what is missing: of the whole price its part, so that no histogram is noisier for it."""
    whole = policy.rules.bounds
    if whole is None or not every:
        return Cost.zero(policy.rules.measure)
    return Cost(whole.measure, whole.amount * len(missing) // len(every))
