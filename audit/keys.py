"""The log's Ed25519 key: signing, verifying, its text forms and its files.

Source: https://c2sp.org/signed-note; the text forms are those of Go's golang.org/x/mod/sumdb/note.
"""

import hashlib
import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.notes import NoteError, check_name, decode_base64, encode_base64

ED25519 = 0x01
_HEX_ID = re.compile(r"[0-9a-f]{8}")


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    """The first four bytes of SHA256(name ‖ 0A ‖ algorithm ‖ public key)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


class Ed25519Verifier:
    """A public Ed25519 key with its name; its text form is `name+hex key id+base64(01 ‖ public key)`."""

    def __init__(self, name: str, public: bytes) -> None:
        """`public` is the raw 32-byte key. Raises NoteError for a malformed name or key."""
        if len(public) != 32:
            raise NoteError("an Ed25519 public key has 32 bytes")
        self.name = check_name(name)
        self.public = public
        self.key_id = key_id(name, ED25519, public)
        self._key = Ed25519PublicKey.from_public_bytes(public)

    @classmethod
    def parse(cls, text: str) -> "Ed25519Verifier":
        """Read a verifier key's text, one newline at its end allowed. Raises NoteError."""
        name, known_id, algorithm, public = split_key(text.removesuffix("\n"))
        if algorithm != ED25519:
            raise NoteError("not an Ed25519 key")
        verifier = cls(name, public)
        if verifier.key_id != known_id:
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
        name, known_id, algorithm, seed = split_key(rest)
        if algorithm != ED25519:
            raise NoteError("not an Ed25519 key")
        signer = cls(name, seed)
        if signer.key_id != known_id:
            raise NoteError("the key's id does not belong to it")
        return signer

    def private_text(self) -> str:
        """The private key's text form: secret."""
        return f"PRIVATE+KEY+{self.name}+{self.key_id.hex()}+{encode_base64(bytes([ED25519]) + self._seed)}"

    def sign(self, text: bytes) -> bytes:
        """Sign `text`: 64 bytes."""
        return self._key.sign(text)


def split_key(text: str) -> tuple[str, bytes, int, bytes]:
    """Read a key's text: name, key id, algorithm, key material. Raises NoteError."""
    name, plus, rest = text.partition("+")
    hex_id, plus_too, encoded = rest.partition("+")
    if not (plus and plus_too and _HEX_ID.fullmatch(hex_id)):
        raise NoteError("not a log's key: name+id+base64 expected")
    data = decode_base64(encoded)
    if len(data) < 2:
        raise NoteError("a key without its material")
    return check_name(name), bytes.fromhex(hex_id), data[0], data[1:]


def create_key(name: str, seed: bytes, private_path: Path, public_path: Path) -> Ed25519Signer:
    """Make the key of a log called `name` (its origin) from 32 random bytes, and write its two files.

    The private file is readable by its owner alone. Raises NoteError for a malformed name, FileExistsError when
    one of the files is there already: a key is never overwritten; OSError.
    """
    signer = Ed25519Signer(name, seed)
    write_key(signer.private_text(), str(signer.verifier), private_path, public_path)
    return signer


def write_key(private: str, public: str, private_path: Path, public_path: Path) -> None:
    """Write a key's two files, durably. Raises FileExistsError, OSError."""
    _write_new(private_path, private, 0o600)
    _write_new(public_path, public, 0o644)


def _write_new(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)


def load_signer(path: Path) -> Ed25519Signer:
    """Read a private key file. Raises NoteError, OSError."""
    return Ed25519Signer.parse(path.read_text("utf-8"))


def load_verifier(path: Path) -> Ed25519Verifier:
    """Read a verifier key file. Raises NoteError, OSError."""
    return Ed25519Verifier.parse(path.read_text("utf-8"))
