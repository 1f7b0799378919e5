"""What an issuer publishes, remembered for a while: read when first needed, again when it does not fit or has aged.

Threats met here: whoever makes up key ids or begins sign-ins without end causes one reading in `pause` seconds; what
the issuer withdraws is not used after `LASTING`; where it cannot be had, nothing is accepted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from tre.base.clock import Clock
from tre.base.reasons import Refused
from tre.base.reasons.identity import ISSUER_UNAVAILABLE
from tre.identity.fetching import Unreachable

LASTING = 3600.0
"""Seconds after which a document is read again even when nothing is missing in it."""

Published = TypeVar("Published")


class Remembered(Generic[Published]):
    """The last reading of a document that may change. Safe for threads; what is known never waits for the network."""

    def __init__(self, read: Callable[[], Published], clock: Clock, pause: float) -> None:
        """Read nothing yet.

        :param read: returns the document as it is now, or raises Unreachable.
        :param pause: the least seconds between two readings.
        """
        self._read, self._clock, self._pause = read, clock, pause
        self._reading = threading.Lock()
        self._last: tuple[float, Published] | None = None
        self._tried: float | None = None

    def get(self, fits: Callable[[Published], bool] = lambda _document: True) -> Published:
        """Return the document, read again where it does not fit and a reading is due; it may still not fit then.

        Raises Refused (identity.issuer-unavailable).
        """
        found = self._fresh()
        if found is not None and fits(found):
            return found
        with self._reading:
            found = self._fresh()
            if (found is None or not fits(found)) and self._is_due():
                self._read_again()
                found = self._fresh()
            if found is None:
                raise Refused.because(ISSUER_UNAVAILABLE)
            return found

    def _fresh(self) -> Published | None:
        last = self._last
        return last[1] if last is not None and self._clock.monotonic() < last[0] + LASTING else None

    def _is_due(self) -> bool:
        return self._tried is None or self._clock.monotonic() >= self._tried + self._pause

    def _read_again(self) -> None:
        """Read the document; where it cannot be had, what is known stays for its time."""
        self._tried = self._clock.monotonic()
        try:
            self._last = self._tried, self._read()
        except Unreachable as failed:
            raise Refused.because(ISSUER_UNAVAILABLE) from failed
