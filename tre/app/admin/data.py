"""Data sets and policies: `tre dataset`, `tre policy`."""

from __future__ import annotations

import os
import secrets
from contextlib import closing
from pathlib import Path

from tre import governance
from tre.app.admin.at_home import OPERATOR, AtHome
from tre.app.admin.bounds import look_for_bounds, look_for_sizes
from tre.app.compose import COMMITMENT_KEY, MEBI
from tre.app.settings import source_address
from tre.base.cost import Cost
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import app as reasons
from tre.cli.admin import Added, Paid, Progress
from tre.engines import EngineFailed
from tre.governance.checks import id_refusals, refuse
from tre.journal import Trail
from tre.onboarding import Limits, Version, VersionRefused, discard, onboard
from tre.policy import CompiledPolicy, compile_policy, lint, load_policy
from tre.store import Transaction

_PATIENCE = 60.0


class DataCommands(AtHome):
    """What is asked, and under which policy."""

    def dataset_add(self, name: str, source: Path | str, policy: Path, progress: Progress) -> Added:
        """Make a version of a data set under a policy, put both into force; return it with what it lacks and paid.

        :param source: where files are, or the address of a database.
        """
        refuse(id_refusals(name))
        compiled = compile_policy(load_policy(policy), name)
        try:
            version = self._onboarded(source, compiled, progress)
        except VersionRefused as refused:
            raise self._detailed(refused, name) from None
        self._read_once(version)

        def change(tx: Transaction, trail: Trail) -> None:
            governance.add_dataset(tx, trail, compiled)
            governance.add_version(tx, trail, name, version.name, version.commitment, version.catalogue_digest)

        self.house.act(OPERATOR, change)
        bounds = look_for_bounds(self.house, compiled, version)
        sizes = look_for_sizes(self.house, compiled, version)
        progress("bounds", 1)
        paid = _paid(compiled, "bounds", bounds, False), _paid(compiled, "sizes", sizes, True)
        return Added(version.name, version.absent, tuple(one for one in paid if one.dataset))

    def policy_lint(self, file: Path) -> tuple[str, ...]:
        """Return remarks on a policy. Raises DocumentRefused with every error."""
        return tuple(str(finding) for finding in load_policy(file).warnings) if lint(file) else ()

    def _detailed(self, refused: VersionRefused, dataset: str) -> Refused:
        """Return the refusal with where its detail stands: it may quote data, so it is the controller's to read."""
        file = self.house.home.root / f"refused-{dataset}.txt"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as detail:
            detail.write(refused.detail + "\n")
        return Refused((*refused.refusals, Refusal(reasons.DETAIL, {"file": str(file)})))

    def _onboarded(self, source: Path | str, compiled: CompiledPolicy, progress: Progress) -> Version:
        said, home = self.house.settings.onboarding, self.house.home
        return onboard(
            source if isinstance(source, Path) else source_address(source),
            compiled.catalogue,
            home.versions,
            commitment_key=self.house.key(COMMITMENT_KEY),
            keys=home.keys,
            randomness=secrets.token_bytes,
            clock=self.house.clock,
            limits=Limits(said.memory * MEBI, said.threads, home.spill),
            progress=progress,
            server=self.house.server(),
        )

    def _read_once(self, version: Version) -> None:
        """Open a version that stays in a server as a question would: it is taken back unless the role is fit."""
        if self.house.settings.engine.postgresql is None:
            return
        with closing(self.house.engine()) as engine:
            try:
                with engine.slot(version.path, _PATIENCE):
                    pass
            except EngineFailed:
                discard(version, self.house.server())
                raise Refused.because(reasons.READER) from None


def _paid(policy: CompiledPolicy, what: str, cost: Cost, each: bool) -> Paid:
    """Return a price as shares of the whole budgets of the data set and of a project."""
    dataset, project = (cost.amount / whole.amount for whole in (policy.rules.per_dataset, policy.rules.per_project))
    return Paid(what, dataset, project, each)
