"""Verifying the writer's own folder, also while it runs: is it whole, unaltered, in order, does it add up?"""

import time
from collections.abc import Callable
from pathlib import Path

from audit.derived import Derived, index_rows
from audit.files import File, Files, OsFiles
from audit.head import Head, HeadError
from audit.merkle import TILE_HEIGHT
from audit.notes import Checkpoint, NoteError, Verifier, open_checkpoint
from audit.records import START, Record, scan, tail_is_clean
from audit.replay import Demands, Levels, OldHead, Replay, judge_history, judge_older
from audit.report import Report

KEPT_SIGNATURES = 10_000
"""How many heads inside the record file have their signature checked besides the last one's. All are compared."""
_PIECE = 1 << 16
_PATIENCE, _PAUSE = 2.0, 0.05  # seconds


def verify_folder(
    folder: Path,
    log: Verifier,
    demands: Demands,
    *,
    head_folder: Path | None = None,
    every_signature: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Verify a log folder and, where it can be read, its second place.

    Nothing is written and no lock is taken. Raises OSError when it is no log folder.
    """
    report, files = Report(log.name), OsFiles()
    older = list(demands.older)
    least = 0
    if head_folder is not None and (head := _second_place(report, files, head_folder, log, sleep)) is not None:
        older.append(head)
        least = head.size
    replay = Replay(head.size for head in older)
    with_signatures = None if every_signature else KEPT_SIGNATURES
    records, derived = files.open(folder / "records", "read"), Derived(files, folder, writing=False)
    try:
        _FolderPass(report, log, replay, records, derived, with_signatures).run(least, sleep)
    finally:
        derived.close()
        records.close()
    judge_older(report, older, replay.roots, replay.tree.size)
    judge_history(report, replay.history, demands)
    return report


def _second_place(
    report: Report, files: Files, folder: Path, log: Verifier, sleep: Callable[[float], None]
) -> OldHead | None:
    section = report.section("the second place holds a head of this log")
    section.count = 1
    try:
        head = Head.open(files, folder, writing=False)
        try:
            checkpoint = open_checkpoint(head.read(), log)
            if not _patient(head.intact, sleep):
                section.problem("one of its two slots is damaged: torn by a crash (a start mends it) or altered")
        finally:
            head.close()
    except (HeadError, NoteError) as error:
        section.problem(str(error))
        return None
    return OldHead("the second place", checkpoint.size, checkpoint.root)


def _patient(ready: Callable[[], bool], sleep: Callable[[float], None]) -> bool:
    """Ask again for a moment: a writer may be at work."""
    for _ in range(int(_PATIENCE / _PAUSE)):
        if ready():
            return True
        sleep(_PAUSE)
    return ready()


class _FolderPass:
    """One pass over a record file, with the derived files beside it."""

    def __init__(
        self,
        report: Report,
        log: Verifier,
        replay: Replay,
        records: File,
        derived: Derived,
        signatures: int | None,
    ) -> None:
        self._report, self._log, self._replay = report, log, replay
        self._records, self._derived, self._signatures = records, derived, signatures
        self._newest = report.section("the newest head is signed by the log's key")
        self._kept = report.section("every head kept in the record file is that of the entries before it")
        self._copies = report.section("the tile files and the index are those of the entries")
        self._levels, self._rows = Levels(), bytearray()
        self._last: Record | None = None

    def run(self, least: int, sleep: Callable[[float], None]) -> None:
        """Read to the end, or to what was published at the start when a writer is at work.

        What is being written at this moment may yet be lost with the power, and its head with it: such a head
        must not be reported. `least` is the size that the second place knows of.
        """
        published = self._derived.count()
        self._read_until(max(published, least))
        self._judge_tail(published, sleep)
        self._compare()
        self._judge_newest()

    @property
    def _end(self) -> int:
        return self._last.end if self._last else 0

    def _read_until(self, size: int | None) -> None:
        first, previous = (self._last.size, self._last.checksum) if self._last else (0, START)
        for record in scan(self._records, self._end, first, previous):
            self._take(record)
            if size is not None and record.size >= size:
                return

    def _take(self, record: Record) -> None:
        self._last = record
        self._replay.feed(record.entries, self._levels)
        self._rows += index_rows(record.position, record.entries)
        self._compare_head(record)
        if record.size - self._levels.first >= _PIECE:
            self._compare()

    def _compare_head(self, record: Record) -> None:
        tree = self._replay.tree
        text = Checkpoint(self._log.name, tree.size, tree.root()).text
        if not record.checkpoint.startswith(text.encode() + b"\n"):
            self._kept.problem(f"the head kept at size {record.size} is another")
        elif self._signatures is None or self._kept.count < self._signatures:
            try:
                open_checkpoint(record.checkpoint, self._log)
            except NoteError as error:
                self._kept.problem(f"the head kept at size {record.size}: {error}")
        self._kept.count += 1

    def _judge_tail(self, published: int, sleep: Callable[[float], None]) -> None:
        """Tell apart what may follow the last record read: nothing, a writer's work, a crash, damage."""

        def settled() -> bool:
            return tail_is_clean(self._records, self._end) or self._derived.count() > published

        size = self._replay.tree.size
        if not _patient(settled, sleep):
            self._read_beyond(size)
        elif self._derived.count() > published:
            self._kept.notes.append("the log grew meanwhile; later entries were not looked at")
        elif published > size:
            self._copies.problem(f"the index has {published} entries, the record file {size}")

    def _read_beyond(self, size: int) -> None:
        """Read whole records that no reader was told of: a killed writer's, kept by its next start."""
        self._read_until(None)
        if not tail_is_clean(self._records, self._end):
            self._kept.problem(
                f"after {self._replay.tree.size} entries come bytes that are no record: "
                "torn by a crash (a start of the log clears them) or altered"
            )
        if self._replay.tree.size > size:
            self._copies.notes.append(f"{self._replay.tree.size - size} entries are not yet in them")

    def _compare(self) -> None:
        """Compare the derived files with the entries since the last comparison, as far as they are published."""
        levels, size = self._levels, self._replay.tree.size
        end = max(min(self._derived.count(), size), levels.first)
        rows = self._derived.row_bytes(levels.first, end - levels.first)
        if rows != self._rows[: len(rows)]:
            self._copies.problem(f"the index differs between entries {levels.first} and {end}")
        for level in range(len(levels)):
            start = levels.start(level)
            count = (end >> (TILE_HEIGHT * level)) - start
            if count and self._derived.hashes(level, start, count) != levels.hashes(level, start, count):
                self._copies.problem(f"tile level {level} differs between entries {levels.first} and {end}")
        self._copies.count = end
        self._levels, self._rows = Levels(size), bytearray()

    def _judge_newest(self) -> None:
        self._newest.count = 1
        if self._last is None:
            self._newest.problem("the record file holds no record")
            return
        try:
            self._report.adopt(open_checkpoint(self._last.checkpoint, self._log), self._last.checkpoint)
        except NoteError as error:
            self._newest.problem(str(error))
        if self._signatures is not None and self._kept.count > self._signatures:
            self._kept.notes.append(f"signatures checked: those of the first {self._signatures:,} and of the last")
