"""Judging the cosignatures on a head: who said, and when, that it continues every head that they saw before.

A verifier names the witnesses that it believes by their public keys. A key with the log's own name is the log's second
key: that must have signed too, and is nobody's witness. Several keys with one name are one witness.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.cosignatures import CosignatureVerifier, stamp_of
from audit.notes import Checkpoint, NoteError, Verifier, open_checkpoint, parse_note
from audit.replay import OldHead
from audit.report import Report


@dataclass(frozen=True, slots=True)
class Panel:
    """The keys of the witnesses that are believed, and how many of them must have signed."""

    keys: tuple[CosignatureVerifier, ...]
    quorum: int


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A true cosignature: whose, over how many entries, when (RFC 3339, UTC)."""

    witness: str
    size: int
    time: str

    def __str__(self) -> str:
        return f"{self.witness} cosigned {self.size} entries at {self.time}"


def cosigned_by(note: bytes, log: Verifier, panel: Panel) -> tuple[Checkpoint, tuple[Cosigned, ...]]:
    """Return a head, and the cosignatures on it by the panel's keys.

    Raises NoteError when it is no head of the log, a signature is false, or there are too few.
    """
    head = open_checkpoint(note, log, panel.keys)
    lines = {(one.name, one.key_id): one.signature for one in parse_note(note).signatures}
    there = [key for key in panel.keys if (key.name, key.key_id) in lines]
    found = tuple(Cosigned(key.name, head.size, stamp_of(lines[key.name, key.key_id])) for key in there)
    for key in panel.keys:
        if key.name == log.name and key not in there:
            raise NoteError("the log's second key has not signed this head")
    names = witnesses(there, log)
    if len(names) < panel.quorum:
        raise NoteError(f"cosigned by {len(names)} of the witnesses named, and {panel.quorum} are asked for")
    return head, found


def witnesses(keys: Sequence[CosignatureVerifier], log: Verifier) -> set[str]:
    """Return the names of those who have these keys, the log left out."""
    return {key.name for key in keys} - {log.name}


def judge_cosigned(report: Report, note: bytes | None, log: Verifier, panel: Panel) -> tuple[OldHead, ...]:
    """Add what the panel says of the cosigned head; return that head, if it is one, which the log must contain."""
    section = report.section("the cosigned head has the signatures that were asked for")
    if note is None:
        section.problem("there is no head that witnesses cosigned")
        return ()
    try:
        head, found = cosigned_by(note, log, panel)
    except NoteError as error:
        section.problem(str(error))
        return ()
    section.count = len(found)
    section.notes += map(str, found)
    report.cosignatures += [{"witness": one.witness, "size": one.size, "time": one.time} for one in found]
    return (OldHead("the cosigned head", head.size, head.root),)
