"""What the commands share: exit codes, and arguments that name a key."""

from pathlib import Path

from audit.keys import Ed25519Verifier, load_verifier
from audit.notes import NoteError

DONE, FAULT, USAGE, FAILED = 0, 1, 2, 5


class UsageError(Exception):
    """Arguments that cannot be meant."""


def public_key(path: Path) -> Ed25519Verifier:
    """Read a log's public key. Raises UsageError, OSError."""
    try:
        return load_verifier(path)
    except (NoteError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no public key of a log: {error}") from error
