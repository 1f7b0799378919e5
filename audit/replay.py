"""Replaying a log's entries: the tree that they make, the roots on the way, and what they add up to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from audit.history import GRACE, History, LedgerState
from audit.ledgers import compare_ledgers
from audit.merkle import EMPTY_ROOT, HASH_SIZE, TILE_HEIGHT, Frontier, leaf_hashes
from audit.report import Report


@dataclass(frozen=True, slots=True)
class OldHead:
    """An older head that the log must contain, and where it comes from."""

    source: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Demands:
    """What a log is held against: older heads, a ledger file, how long a request may stay unanswered."""

    older: tuple[OldHead, ...] = ()
    ledger: Mapping[str, LedgerState] | None = None
    grace: timedelta = GRACE


class Levels:
    """Hashes of consecutive nodes for each tile level, from the first that was added."""

    def __init__(self, first: int = 0) -> None:
        """`first` is the index of the first leaf that will be added."""
        self.first = first
        self._levels: list[bytearray] = []

    def add(self, tiles: Sequence[Sequence[bytes]]) -> None:
        """Add what `Frontier.extend` returned."""
        for level, nodes in enumerate(tiles):
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += b"".join(nodes)

    def __len__(self) -> int:
        return len(self._levels)

    def start(self, level: int) -> int:
        """The index of the first node held at a level."""
        return self.first >> (TILE_HEIGHT * level)

    def hashes(self, level: int, first: int, count: int) -> bytes:
        """`count` hashes of a level from node `first` on, joined; fewer where there are no more."""
        at = (first - self.start(level)) * HASH_SIZE
        return bytes(self._levels[level][at : at + count * HASH_SIZE]) if level < len(self._levels) else b""


class Replay:
    """Hashes every entry again, notes the root at each size asked for, and feeds the history."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self.tree = Frontier()
        self.history = History()
        self.roots = {0: EMPTY_ROOT}
        self._wanted = sorted(set(sizes) - {0}, reverse=True)

    def feed(self, entries: Sequence[bytes], levels: Levels) -> None:
        """Take the next entries; add the nodes that they complete to `levels`."""
        while self._wanted and self._wanted[-1] < self.tree.size + len(entries):
            split = self._wanted[-1] - self.tree.size
            self._take(entries[:split], levels)
            entries = entries[split:]
        self._take(entries, levels)

    def _take(self, entries: Sequence[bytes], levels: Levels) -> None:
        levels.add(self.tree.extend(leaf_hashes(entries)))
        for entry in entries:
            self.history.feed(entry)
        if self._wanted and self._wanted[-1] == self.tree.size:
            self.roots[self._wanted.pop()] = self.tree.root()


def judge_older(report: Report, older: Sequence[OldHead], roots: Mapping[int, bytes], size: int) -> None:
    """Compare every older head with the root that this log of `size` entries had then."""
    section = report.section("every older head is contained in this log")
    for head in older:
        section.count += 1
        if head.size > size:
            section.problem(f"{head.source} knows of {head.size} entries, this log of {size}: it was shortened")
        elif roots.get(head.size) != head.root:
            section.problem(f"{head.source} has another history than this log up to entry {head.size}")


def judge_history(report: Report, history: History, demands: Demands) -> None:
    """Add what the entries themselves say, and the comparison with the ledger file where one is given."""
    history.finish(demands.grace)
    report.sections += [history.entries, history.events, history.requests, history.movements]
    if demands.ledger is not None:
        report.sections.append(compare_ledgers(history.ledgers, demands.ledger))
