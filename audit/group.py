"""Group commit: the calls of many threads that wait for one disk (or one socket) go together.

The first caller leads: it takes all calls that are waiting, commits them, wakes the others, and lets the first of
those who came meanwhile lead. A lock around each call would instead make everyone wait for everyone's flush.
"""

import threading
from collections.abc import Callable, Sequence

from audit.tiles import MAX_ENTRY

MAX_BATCH = 1 << 24
"""Bytes of entries, each with its length, of one call; a batch that holds as many takes no further callers."""


class Call:
    """One caller's entries, `weight` bytes as a bundle. Its committer fills in `indexes`, or its group the `error`.

    `since`: the caller knows that none of its entries stands before this index. What stands there or after is
    not appended again; its index is returned. None: nothing is looked up.
    """

    __slots__ = ("entries", "error", "indexes", "leads", "since", "weight", "woken")
    woken: threading.Lock  # of a call that waits in a group

    def __init__(self, entries: Sequence[bytes], since: int | None, weight: int) -> None:
        self.entries, self.since, self.weight = entries, since, weight
        self.indexes: Sequence[int] | None = None
        self.error: BaseException | None = None
        self.leads = False


def checked(entries: Sequence[bytes]) -> int:
    """Return the weight of a call's entries.

    Raises ValueError for one of more than 65,535 bytes, or more than 16 MiB in all.
    """
    if max(map(len, entries), default=0) > MAX_ENTRY:
        raise ValueError(f"an entry has at most {MAX_ENTRY} bytes")
    weight = sum(map(len, entries)) + 2 * len(entries)
    if weight > MAX_BATCH:
        raise ValueError(f"one call has at most {MAX_BATCH} bytes of entries")
    return weight


def how_many(calls: Sequence[Call]) -> int:
    """How many of the first calls make up one batch: at least one."""
    total = 0
    for count, call in enumerate(calls):
        total += call.weight
        if count and total > MAX_BATCH:
            return count
    return len(calls)


class Group:
    """Calls that are committed together, by one caller at a time."""

    def __init__(self, commit: Callable[[Sequence[Call]], None]) -> None:
        """`commit` sets every call's indexes, or raises."""
        self._commit = commit
        self._mutex = threading.Lock()
        self._pending: list[Call] = []
        self._leading = False

    def submit(self, call: Call) -> None:
        """Return when the call has its indexes or its error."""
        call.woken = threading.Lock()
        call.woken.acquire()
        with self._mutex:
            self._pending.append(call)
            call.leads = not self._leading
            self._leading = True
        if not call.leads:
            self._wait(call)
        if call.leads:
            self._lead()

    def _wait(self, call: Call) -> None:
        try:
            call.woken.acquire()
        except BaseException:
            # Interrupted: it must not be left in the queue, where it could be asked to lead and never answer.
            with self._mutex:
                self._pending = [one for one in self._pending if one is not call]
                if call.leads:
                    self._hand_over()
            raise

    def _lead(self) -> None:
        with self._mutex:
            count = how_many(self._pending)
            batch, self._pending = self._pending[:count], self._pending[count:]
        try:
            self._commit(batch)
        except BaseException as error:
            for one in batch:
                one.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            with self._mutex:
                self._hand_over()
            for one in batch:
                one.woken.release()

    def _hand_over(self) -> None:
        """Let the first of those who came meanwhile lead. Called under the mutex."""
        self._leading = bool(self._pending)
        if self._pending:
            self._pending[0].leads = True
            self._pending[0].woken.release()
