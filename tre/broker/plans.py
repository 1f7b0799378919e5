"""Plans of requests that wait in this process, so that a request which is run where it was taken in is planned once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from tre.privacy.plan import PrivatePlan

_MOST = 256


class Basis(NamedTuple):
    """All that a plan is a function of: the sealed text of the question, the policy's digest, the version's name."""

    text: str
    policy: str
    version: str


class Plans:
    """A plan leaves once, and only for the basis that it was made on; without one the request is planned again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Basis, PrivatePlan]] = OrderedDict()

    def keep(self, query: str, basis: Basis, plan: PrivatePlan) -> None:
        """Keep the plan of `query`, forgetting the oldest where there are too many."""
        with self._lock:
            self._kept[query] = basis, plan
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def take(self, query: str, basis: Basis) -> PrivatePlan | None:
        """Return the plan of `query` if it was made on `basis`, and forget it."""
        with self._lock:
            kept = self._kept.pop(query, None)
        return kept[1] if kept is not None and kept[0] == basis else None
