"""The second place: the last signed head, kept apart from the log so that a shortened log refuses to start.

One file of two slots, written in turn, so that a torn write spoils at most the older head. A slot is a line
`tre-head-v1 SHA256-of-checkpoint`, the signed checkpoint itself, and zeros: it can be read by eye.
A plain signed checkpoint of the log, put there by hand, is accepted too.
"""

import hashlib
from pathlib import Path

from audit.files import File, Files
from audit.notes import Checkpoint, NoteError, parse_checkpoint, parse_note

NAME = "checkpoint"
SLOT = 8192
_MARK = b"tre-head-v1 "


class HeadError(Exception):
    """The second place is missing, damaged, or does not hold what it must."""


class Head:
    """The second place, open for its one writer (or, opened for reading, for a verifier)."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._seen: tuple[bytes, int, bytes] | None = None

    @classmethod
    def open(cls, files: Files, folder: Path, *, writing: bool) -> "Head":
        """Open what exists. Raises HeadError when there is none, OSError."""
        try:
            return cls(files.open(folder / NAME, "write" if writing else "read"))
        except FileNotFoundError:
            raise HeadError(f"no signed head in {folder}: the second place is lost") from None

    @classmethod
    def create(cls, files: Files, folder: Path, checkpoint: bytes) -> "Head":
        """Make the second place with its first head, durably."""
        files.make_folder(folder)
        file = files.open(folder / NAME, "create")
        file.write(bytes(2 * SLOT), 0)
        file.write(_slot(checkpoint), 0)
        file.flush()
        files.flush_folder(folder)
        files.flush_folder(folder.parent)
        return cls(file)

    def read(self) -> bytes:
        """Return the newest signed checkpoint. Raises HeadError when both slots are damaged."""
        return self._newest()[2]

    def swap(self, expected: bytes, checkpoint: bytes) -> None:
        """Replace the head `expected` by `checkpoint`, durably. Raises HeadError when another head is there."""
        before, slot, current = self._newest()
        if current != expected:
            raise HeadError("the second place was changed by somebody else")
        data, at = _slot(checkpoint), (1 - slot) * SLOT
        self._file.write(data, at)
        self._file.flush()
        before = before.ljust(2 * SLOT, b"\x00")
        self._seen = (before[:at] + data + before[at + SLOT :], 1 - slot, checkpoint)

    def intact(self) -> bool:
        """Tell whether both slots are whole or unused: a damaged one was torn by a crash, or altered."""
        data = self._file.read(2 * SLOT, 0)
        slots = [data[slot * SLOT :][:SLOT] for slot in (0, 1)]
        return all(not slot.strip(b"\x00") or _unslot(slot) is not None for slot in slots)

    def heal(self) -> None:
        """Write the newest head over what is damaged, durably: at most both slots, one after the other."""
        for _ in (0, 1):
            if not self.intact():
                self.swap(self.read(), self.read())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _newest(self) -> tuple[bytes, int, bytes]:
        """What the file holds, which slot of it counts, and the checkpoint there."""
        data = self._file.read(2 * SLOT, 0)
        # Parsing two checkpoints at every commit would cost as much as signing one.
        if self._seen is None or data != self._seen[0]:
            self._seen = (data, *_newest_of(data))
        return self._seen


def _newest_of(data: bytes) -> tuple[int, bytes]:
    heads = [(slot, note) for slot in (0, 1) if (note := _unslot(data[slot * SLOT :][:SLOT])) is not None]
    if not heads:
        return 0, _plain(data)
    return max(heads, key=lambda head: _head_of(head[1]).size)


def _slot(checkpoint: bytes) -> bytes:
    line = _MARK + hashlib.sha256(checkpoint).hexdigest().encode() + b"\n"
    slot = line + checkpoint
    if len(slot) > SLOT:
        raise HeadError("a checkpoint that is too long for the second place")
    return slot.ljust(SLOT, b"\x00")


def _unslot(slot: bytes) -> bytes | None:
    line, _, rest = slot.partition(b"\n")
    note = rest.rstrip(b"\x00")
    if line != _MARK + hashlib.sha256(note).hexdigest().encode():
        return None
    return note


def _plain(data: bytes) -> bytes:
    note = data.rstrip(b"\x00")
    _head_of(note)
    return note


def _head_of(note: bytes) -> Checkpoint:
    try:
        return parse_checkpoint(parse_note(note).text)
    except NoteError as error:
        raise HeadError("the second place is damaged") from error
