"""C2SP signed notes and checkpoints: strict parsing, Ed25519 signing and verification, key files.

Sources: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint; the text forms of keys are those of
Go's golang.org/x/mod/sumdb/note. A note may carry several signature lines; those of unknown keys are kept and
ignored, as the format asks, so that witnesses' cosignatures travel with a checkpoint.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = 0x01
MAX_NOTE = 1 << 20
MAX_SIGNATURES = 100
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_HEX_ID = re.compile(r"[0-9a-f]{8}")
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


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    """The first four bytes of SHA256(name ‖ 0A ‖ algorithm ‖ public key)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise NoteError(f"not a key name: {name[:80]!r}")
    return name


class Ed25519Verifier:
    """A public Ed25519 key with its name; its text form is `name+hex key id+base64(01 ‖ public key)`."""

    def __init__(self, name: str, public: bytes) -> None:
        """`public` is the raw 32-byte key. Raises NoteError for a malformed name or key."""
        if len(public) != 32:
            raise NoteError("an Ed25519 public key has 32 bytes")
        self.name = _check_name(name)
        self.public = public
        self.key_id = key_id(name, ED25519, public)
        self._key = Ed25519PublicKey.from_public_bytes(public)

    @classmethod
    def parse(cls, text: str) -> "Ed25519Verifier":
        """Read a verifier key's text, one newline at its end allowed. Raises NoteError."""
        name, material = _split_key(text.removesuffix("\n"))
        verifier = cls(name, material[1])
        if verifier.key_id != material[0]:
            raise NoteError("the key's id does not belong to it")
        return verifier

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([ED25519]) + self.public)}"

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Tell whether `signature` (64 bytes) is this key's over `text`."""
        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Ed25519Signer:
    """A private Ed25519 key with its name; its text form is `PRIVATE+KEY+name+id+base64(01 ‖ seed)`."""

    def __init__(self, name: str, seed: bytes) -> None:
        """`seed` is 32 random bytes. Raises NoteError for a malformed name or seed."""
        if len(seed) != 32:
            raise NoteError("an Ed25519 seed has 32 bytes")
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.verifier = Ed25519Verifier(name, public)
        self.name = name
        self.key_id = self.verifier.key_id

    @classmethod
    def parse(cls, text: str) -> "Ed25519Signer":
        """Read a signer key's text, one newline at its end allowed. Raises NoteError; its text is in no message."""
        rest = text.removesuffix("\n").removeprefix("PRIVATE+KEY+")
        if not text.startswith("PRIVATE+KEY+"):
            raise NoteError("not a private key of a log")
        name, material = _split_key(rest)
        signer = cls(name, material[1])
        if signer.key_id != material[0]:
            raise NoteError("the key's id does not belong to it")
        return signer

    def private_text(self) -> str:
        """The private key's text form: secret."""
        return f"PRIVATE+KEY+{self.name}+{self.key_id.hex()}+{encode_base64(bytes([ED25519]) + self._seed)}"

    def sign(self, text: bytes) -> bytes:
        """Sign `text`: 64 bytes."""
        return self._key.sign(text)


def _split_key(text: str) -> tuple[str, tuple[bytes, bytes]]:
    name, plus, rest = text.partition("+")
    hex_id, plus_too, encoded = rest.partition("+")
    if not (plus and plus_too and _HEX_ID.fullmatch(hex_id)):
        raise NoteError("not a log's key: name+id+base64 expected")
    data = decode_base64(encoded)
    if len(data) != 33 or data[0] != ED25519:
        raise NoteError("not an Ed25519 key")
    return _check_name(name), (bytes.fromhex(hex_id), data[1:])


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
    return Signature(_check_name(name), data[:4], data[4:])


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
