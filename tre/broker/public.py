"""Public facts that planning needs from the data: the distinct values of public columns, exact and free."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock

from tre.base.reasons import Refused
from tre.base.reasons import requests as reasons
from tre.catalogue import Value
from tre.engines import Engine, EngineFailed
from tre.privacy.keys import normal
from tre.sql.canonical import canonical
from tre.sql.plan import PublicKeys
from tre.sql.render import render

_SECONDS = 30.0
_MOST = 512
_known: OrderedDict[tuple[Path, str], tuple[Value, ...]] = OrderedDict()
_lock = Lock()


class PublicLookup:
    """Looks values up on one version, once each: versions are immutable."""

    def __init__(self, engine: Engine, version: Path, patience: float) -> None:
        self._engine, self._version, self._patience = engine, version, patience

    def __call__(self, keys: PublicKeys) -> tuple[Value, ...]:
        """Return the distinct non-NULL values. Raises Refused (request.busy) when no engine came free."""
        name = (self._version, canonical(keys.relation))
        with _lock:
            found = _known.get(name)
        return self._remembered(name, keys) if found is None else found

    def _remembered(self, name: tuple[Path, str], keys: PublicKeys) -> tuple[Value, ...]:
        values = self._values(keys)
        with _lock:
            _known[name] = values
            while len(_known) > _MOST:
                _known.popitem(last=False)
        return values

    def _values(self, keys: PublicKeys) -> tuple[Value, ...]:
        try:
            with self._engine.slot(self._version, self._patience) as slot:
                rows = slot.public(render(keys.relation, self._engine.dialect), {}, _SECONDS)
        except EngineFailed:
            raise Refused.because(reasons.BUSY) from None
        kind = keys.relation.columns[0].type
        values = (normal(value, kind) for value in rows.column(0).to_pylist())
        return tuple(value for value in values if value is not None)
