"""The passage from private to released, as two types (DESIGN "Types carry the safety").

Only engines construct `Partials`; only `tre.privacy` constructs a `Release`; the ledger reloads one through
`reload_release`. A linter of the tests holds these three sentences.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Never

from tre.catalogue import Value

if TYPE_CHECKING:
    import pyarrow as pa

Key = tuple[Value | None, ...]


class Partials:
    """Exact, private sums per group as they crossed the pipe: Arrow IPC bytes, decoded by `decode_partials` alone."""

    __slots__ = ("_stream",)

    def __init__(self, stream: bytes | bytearray) -> None:
        self._stream = stream

    def __repr__(self) -> str:
        return "<Partials>"

    def __reduce__(self) -> Never:
        raise TypeError("partials are private and never leave the process")


def decode_partials(partials: Partials) -> pa.Table:
    """Return the Arrow table inside. Called by `tre.privacy.release` alone."""
    import pyarrow as pa

    return pa.ipc.open_stream(partials._stream).read_all()


@dataclass(frozen=True, slots=True)
class Release:
    """The noisy vector of one block.

    `keys` has one tuple per row, in key order; `vectors` one integer per row and measure, on the measure's grid;
    `variances` the variance of each measure's noise in squared grid units; `rho` what it cost as an exact
    fraction (epsilon under pure DP).
    """

    keys: tuple[Key, ...]
    vectors: Mapping[str, tuple[int, ...]]
    variances: Mapping[str, Fraction]
    rho: Fraction

    def as_json(self) -> str:
        """Return text that `reload_release` reads back equal."""
        return json.dumps(
            {
                "keys": [[_tagged(part) for part in key] for key in self.keys],
                "vectors": {name: [str(value) for value in vector] for name, vector in self.vectors.items()},
                "variances": {name: str(variance) for name, variance in self.variances.items()},
                "rho": str(self.rho),
            },
            sort_keys=True,
        )


def reload_release(text: str) -> Release:
    """Return the release that the ledger stored."""
    stored = json.loads(text)
    return Release(
        keys=tuple(tuple(_untagged(part) for part in key) for key in stored["keys"]),
        vectors={name: tuple(int(value) for value in vector) for name, vector in stored["vectors"].items()},
        variances={name: Fraction(variance) for name, variance in stored["variances"].items()},
        rho=Fraction(stored["rho"]),
    )


def _tagged(part: Value | None) -> list[str] | None:
    if part is None:
        return None
    if isinstance(part, (date, datetime)):
        return [type(part).__name__, part.isoformat()]
    return [type(part).__name__, str(part)]


_READERS: dict[str, Callable[[str], Value]] = {
    "bool": lambda text: text == "True",
    "int": int,
    "str": str,
    "Decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def _untagged(part: list[str] | None) -> Value | None:
    if part is None:
        return None
    kind, text = part
    return _READERS[kind](text)
