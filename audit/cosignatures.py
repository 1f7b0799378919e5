"""Cosignatures: somebody's word, with its time, that a log's head continues every head that they saw before.

Source: https://c2sp.org/tlog-cosignature. Ed25519 (`cosignature/v1`, type 04), and ML-DSA-44 (`subtree/v1`, type 06),
which holds against quantum computers too. A signature is a big-endian uint64, the POSIX time, and the key's signature
over a message that has the time and the head in it.
"""

import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from audit.keys import key_id, split_key
from audit.notes import NoteError, check_name, encode_base64, parse_checkpoint

ED25519, ML_DSA_44 = 0x04, 0x06
SEED = 32
_TIME = struct.Struct(">Q")
_LATEST = 1 << 63
_LAST_YEAR = 253_402_300_799
"""The last second of the year 9999: what a witness says of its time is shown, however wrong."""
_PUBLIC_SIZE = {ED25519: 32, ML_DSA_44: 1312}


class _Public(Protocol):
    def verify(self, signature: bytes, data: bytes, /) -> None: ...


def _message(algorithm: int, name: str, at: int, text: bytes) -> bytes:
    if algorithm == ED25519:
        return b"cosignature/v1\ntime %d\n" % at + text
    head = parse_checkpoint(text.decode())
    return (
        b"subtree/v1\n\0"
        + _short(name)
        + _TIME.pack(at)
        + _short(head.origin)
        + struct.pack(">QQ", 0, head.size)
        + head.root
    )


def _short(text: str) -> bytes:
    data = text.encode()
    if not 0 < len(data) < 256:
        raise NoteError("a name of more than 255 bytes")
    return bytes([len(data)]) + data


class CosignatureVerifier:
    """A cosigner's public key with its name; its text form is `name+hex key id+base64(type ‖ public key)`."""

    def __init__(self, name: str, algorithm: int, public: bytes) -> None:
        """`public` is the raw key. Raises NoteError for a malformed name or key."""
        if len(public) != _PUBLIC_SIZE.get(algorithm):
            raise NoteError("not a cosigner's key")
        self.name, self.algorithm, self.public = check_name(name), algorithm, public
        self.key_id = key_id(name, algorithm, public)
        self._key: _Public = (
            Ed25519PublicKey.from_public_bytes(public)
            if algorithm == ED25519
            else MLDSA44PublicKey.from_public_bytes(public)
        )

    @classmethod
    def parse(cls, text: str) -> "CosignatureVerifier":
        """Read a verifier key's text, one newline at its end allowed. Raises NoteError."""
        name, known_id, algorithm, public = split_key(text.removesuffix("\n"))
        verifier = cls(name, algorithm, public)
        if verifier.key_id != known_id:
            raise NoteError("the key's id does not belong to it")
        return verifier

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.algorithm]) + self.public)}"

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is this key's over the checkpoint `text`, at the time that it names."""
        if len(signature) <= _TIME.size or time_of(signature) >= _LATEST:
            return False
        try:
            message = _message(self.algorithm, self.name, time_of(signature), text)
            self._key.verify(signature[_TIME.size :], message)
        except (InvalidSignature, NoteError):
            return False
        return True


def time_of(signature: bytes) -> int:
    """The time at which a cosignature says that it was made (POSIX)."""
    at: int = _TIME.unpack_from(signature)[0]
    return at


def stamp_of(signature: bytes) -> str:
    """The same time as people read it (RFC 3339, UTC)."""
    return datetime.fromtimestamp(min(time_of(signature), _LAST_YEAR), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Cosigner:
    """A cosigner's private key with its name; its text form is `PRIVATE+KEY+name+id+base64(type ‖ seed)`."""

    def __init__(self, name: str, algorithm: int, seed: bytes, clock: Callable[[], float] = time.time) -> None:
        """`seed` is 32 random bytes. Raises NoteError for a malformed name or seed."""
        if len(seed) != SEED or algorithm not in _PUBLIC_SIZE:
            raise NoteError("a cosigner's seed has 32 bytes")
        self._seed, self._clock = seed, clock
        self._key: Ed25519PrivateKey | MLDSA44PrivateKey = (
            Ed25519PrivateKey.from_private_bytes(seed)
            if algorithm == ED25519
            else MLDSA44PrivateKey.from_seed_bytes(seed)
        )
        self.verifier = CosignatureVerifier(name, algorithm, self._key.public_key().public_bytes_raw())
        self.name, self.key_id = name, self.verifier.key_id

    @classmethod
    def parse(cls, text: str, clock: Callable[[], float] = time.time) -> "Cosigner":
        """Read a private key's text, one newline at its end allowed. Raises NoteError; its text is in no message."""
        if not text.startswith("PRIVATE+KEY+"):
            raise NoteError("not a private key of a cosigner")
        name, known_id, algorithm, seed = split_key(text.removesuffix("\n").removeprefix("PRIVATE+KEY+"))
        cosigner = cls(name, algorithm, seed, clock)
        if cosigner.key_id != known_id:
            raise NoteError("the key's id does not belong to it")
        return cosigner

    def private_text(self) -> str:
        """The private key's text form: secret."""
        material = encode_base64(bytes([self.verifier.algorithm]) + self._seed)
        return f"PRIVATE+KEY+{self.name}+{self.key_id.hex()}+{material}"

    def sign(self, text: bytes) -> bytes:
        """Cosign the checkpoint `text`, now."""
        at = int(self._clock())
        return _TIME.pack(at) + self._key.sign(_message(self.verifier.algorithm, self.name, at, text))
