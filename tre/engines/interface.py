"""What the broker asks of an engine, whatever runs inside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tre.base.passage import Partials
from tre.base.statement import Statement

if TYPE_CHECKING:
    import pyarrow as pa

Parameter = int | str


class EngineFailed(Exception):  # noqa: N818 - the fault lies with the engine, whose cause is private
    """A statement was not answered. It never says why: the cause may depend on private data (PRIVACY §1)."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """What one engine process may use: bytes of memory and of spill, and threads; `workers` processes per version."""

    memory: int = 2 * 1024**3
    spill: int = 8 * 1024**3
    threads: int = 2
    workers: int = 1


class Slot(Protocol):
    """One engine process, held for one request. A failed statement ends the slot's process."""

    def partials(
        self,
        statement: Statement,
        parameters: Mapping[str, Parameter],
        seconds: float,
        inputs: Mapping[str, pa.Table] = ...,
    ) -> Partials:
        """Return the exact sums of `statement` over private tables and `inputs`, values that were released before.

        EngineFailed at the limit of `seconds` or on any error.
        """

    def public(self, statement: Statement, inputs: Mapping[str, pa.Table], seconds: float) -> pa.Table:
        """Return the rows of a statement over public tables and `inputs` (released values) alone."""

    def cancel(self) -> None:
        """Kill the process; a statement under way raises EngineFailed in its thread."""


class Engine(Protocol):
    """A pool of engine processes per data-set version."""

    dialect: str

    def slot(self, version: Path, seconds: float) -> AbstractContextManager[Slot]:
        """Return a slot on `version`, waiting up to `seconds` for one; EngineFailed when none came free."""

    def close(self) -> None:
        """Kill every process and remove the spill directories."""
