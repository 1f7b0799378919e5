"""Keys and pseudonyms: `tre key`, `tre pseudonym`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tre import governance
from tre.app.admin.at_home import OPERATOR, AtHome
from tre.app.compose import MASTER_KEY
from tre.base.reasons import Refused
from tre.base.reasons import governance as governance_reasons
from tre.base.reasons import pseudonyms as reasons
from tre.cli.admin import Table
from tre.identity import new_key, replace_key
from tre.journal import Trail, rotate_master
from tre.journal.entries import key_rotated, pseudonyms_made
from tre.onboarding import load_version, side_tables
from tre.store import Reading, Transaction

if TYPE_CHECKING:
    from tre.pseudonyms import TokenColumn


class KeyCommands(AtHome):
    """What is done to keys. Their files change inside the transaction of the entry, so that no change goes untold."""

    def key_rotate_issuer(self, *, distrust: bool) -> str:
        """Sign tokens with another key from now on and return its id; with `distrust` nothing older is taken."""
        issuer, key = self.house.issuer, new_key()
        retired = () if distrust else issuer.retired_by(key)

        def change(tx: Transaction, trail: Trail) -> None:
            trail.record(tx, key_rotated(trail.act(), f"issuer/{key.kid}", "distrusted" if distrust else "rotated"))
            replace_key(self.house.home.keys, key, retired)

        self.house.act(OPERATOR, change)
        return key.kid

    def key_rotate_master(self) -> None:
        """Wrap the keys of all encrypted texts under another master key. Refused while a server runs."""
        house = self.house
        # The entry seals no text, so the side-car, which would hold the key, stays closed.
        trail = Trail(OPERATOR, house.clock, _Closed())
        rotate_master(
            house.store,
            house.home.keys / MASTER_KEY,
            lambda tx: trail.record(tx, key_rotated(trail.act(), "master", "rotated")),
        )
        house.journal.settle(trail.events)

    def pseudonym_epoch(self) -> int:
        """Begin a new epoch of pseudonyms and return its number."""
        from tre.pseudonyms import add_epoch

        begun: list[int] = []

        def change(tx: Transaction, trail: Trail) -> None:
            begun.append(add_epoch(self.house.home.keys, self.house.clock))
            trail.record(tx, key_rotated(trail.act(), "pseudonyms", f"epoch-{begun[0]}"))

        self.house.act(OPERATOR, change)
        return begun[0]

    def pseudonym_check(self, dataset: str, project: str, epoch: int | None) -> Table:
        """Make a project's tokens of the version in use, and return under which keys: the tokens are shown to nobody.

        Nothing is told that depends on people: neither how many tokens there are nor how many people have none.
        """
        from tre.pseudonyms import Tokeniser

        house = self.house
        with house.store.reading() as tx:
            version = _granted(tx, dataset, project)
        tables = side_tables(load_version(house.home.versions / version).path.parent)
        if not tables:
            raise Refused.because(reasons.NONE_MADE, dataset=dataset)
        with Tokeniser(house.home.keys) as tokeniser:
            made = [tokeniser.for_project(project, side.column, epoch) for side in tables.values()]

        def change(tx: Transaction, trail: Trail) -> None:
            for one in made:
                told = one.scope.kind.value, one.key_id, one.scope.epoch
                trail.record(tx, pseudonyms_made(trail.act(), project, dataset, version, *told))

        house.act(OPERATOR, change)
        return Table(("type", "key", "epoch"), tuple(_row(one) for one in made))


class _Closed:
    """A side-car that seals nothing."""

    def write(self, *_: object) -> str:
        raise LookupError("no text belongs to this entry; this is a bug, report it")


def _granted(tx: Reading, dataset: str, project: str) -> str:
    found = governance.find_project(tx, project)
    if found is None:
        raise Refused.because(governance_reasons.UNKNOWN_PROJECT, project=ascii(project)[:60])
    if dataset not in found.datasets:
        raise Refused.because(governance_reasons.UNKNOWN_DATASET, dataset=ascii(dataset)[:60])
    return governance.current_version(tx, dataset).name


def _row(made: TokenColumn) -> tuple[str, str, str]:
    return made.scope.kind.value, made.key_id, str(made.scope.epoch)
