"""C2SP signed notes and checkpoints: strict parsing, signing, verification.

Sources: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint. A note may carry several signature
lines; those of unknown keys are kept and ignored, as the format asks, so that witnesses' cosignatures travel
with a checkpoint.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_NOTE = 1 << 20
MAX_SIGNATURES = 100
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteError(ValueError):
    """A note, key or checkpoint that is malformed or not signed as required."""


class Signer(Protocol):
    """What signs notes: the log's key now; further kinds of signature later."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def sign(self, text: bytes) -> bytes: ...


class Verifier(Protocol):
    """What checks one key's signatures."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...
    def verify(self, text: bytes, signature: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, newline included."""
        return f"— {self.name} {encode_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signature lines."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(one.line for one in self.signatures)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's head: origin line, number of entries, root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note text: origin, size, base64 of the root."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Read standard base64 in its one canonical spelling. Raises NoteError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise NoteError("malformed base64") from error
    if encode_base64(data) != text:
        raise NoteError("base64 in a second spelling")
    return data


def check_name(name: str) -> str:
    """Return a key's name as given. Raises NoteError for an empty one or one with spaces or a plus sign."""
    if not _NAME.fullmatch(name):
        raise NoteError(f"not a key name: {name[:80]!r}")
    return name


def sign_note(text: str, signers: Iterable[Signer]) -> Note:
    """Sign a text that ends in a newline by every signer."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteError("a note's text ends in a newline and has no control characters")
    data = text.encode()
    return Note(text, tuple(Signature(one.name, one.key_id, one.sign(data)) for one in signers))


def parse_note(data: bytes) -> Note:
    """Read a signed note strictly. Raises NoteError; says nothing yet about the truth of its signatures."""
    if len(data) > MAX_NOTE:
        raise NoteError("a note of more than 1 MiB")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("a note that is not UTF-8") from error
    if _CONTROL.search(whole):
        raise NoteError("a note with control characters")
    head, blank, tail = whole.rpartition("\n\n")
    if not (blank and tail.endswith("\n")):
        raise NoteError("a note without signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("a note with too many signatures")
    return Note(head + "\n", tuple(map(_parse_signature, lines)))


def _parse_signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, space, encoded = rest.partition(" ")
    if dash != "—" or not space:
        raise NoteError("a malformed signature line")
    data = decode_base64(encoded)
    if len(data) < 5:
        raise NoteError("a signature that is too short")
    return Signature(check_name(name), data[:4], data[4:])


def verify_note(note: Note, verifiers: Sequence[Verifier]) -> tuple[Signature, ...]:
    """Return the signatures of known keys, all true. Signatures of unknown keys are ignored.

    Raises NoteError when one of a known key is false or repeated, or when there is none.
    """
    known = {(one.name, one.key_id): one for one in verifiers}
    verified: dict[tuple[str, bytes], Signature] = {}
    data = note.text.encode()
    for one in note.signatures:
        verifier = known.get((one.name, one.key_id))
        if verifier is None:
            continue
        if (one.name, one.key_id) in verified:
            raise NoteError(f"two signatures of {one.name}")
        if not verifier.verify(data, one.signature):
            raise NoteError(f"a false signature of {one.name}")
        verified[one.name, one.key_id] = one
    if not verified:
        raise NoteError("no signature of the log's key")
    return tuple(verified.values())


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text: exactly three lines. Raises NoteError.

    Extension lines are refused: no log of this kind writes them and cosignatures do not cover them.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise NoteError("a checkpoint has three lines: origin, size, root")
    if not _SIZE.fullmatch(lines[1]):
        raise NoteError("a checkpoint's size is a decimal number")
    root = decode_base64(lines[2])
    if len(root) != 32:
        raise NoteError("a checkpoint's root has 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


def open_checkpoint(data: bytes, log: Verifier, others: Sequence[Verifier] = ()) -> Checkpoint:
    """Read a signed checkpoint of the log `log`, whose name is the origin; `others` may have signed too.

    Raises NoteError unless the log's own signature is there and every signature of a known key is true.
    """
    note = parse_note(data)
    verified = verify_note(note, [log, *others])
    if not any((one.name, one.key_id) == (log.name, log.key_id) for one in verified):
        raise NoteError("no signature of the log's key")
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != log.name:
        raise NoteError(f"a checkpoint of another log: {checkpoint.origin[:80]!r}")
    return checkpoint
