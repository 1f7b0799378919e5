"""What the commands share: exit codes, and arguments that name keys and witnesses."""

import argparse
import re
from pathlib import Path

from audit.cosignatures import CosignatureVerifier
from audit.keys import Ed25519Verifier, load_verifier
from audit.notes import NoteError
from audit.static import FetchError, from_folder, from_url
from audit.witnessed import Panel, witnesses

DONE, FAULT, USAGE, FAILED = 0, 1, 2, 5
URL = re.compile(r"https?://")
_KEY = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+")


class UsageError(Exception):
    """Arguments that cannot be meant."""


def public_key(path: Path) -> Ed25519Verifier:
    """Read a log's public key. Raises UsageError, OSError."""
    try:
        return load_verifier(path)
    except (NoteError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no public key of a log: {error}") from error


def add_panel(command: argparse.ArgumentParser) -> None:
    """Add the arguments that name the witnesses whom a verifier believes."""
    command.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="VKEY",
        help="a witness's public key, or a file with it, whose cosignature must be there; may be given again",
    )
    command.add_argument(
        "--quorum", type=int, metavar="K", help="how many of these witnesses must have signed (default: all)"
    )


def panel(options: argparse.Namespace, log: Ed25519Verifier) -> Panel | None:
    """Return the witnesses that the arguments name, None where they name none. Raises UsageError, OSError."""
    keys = tuple(map(_witness_key, options.witness))
    named = len(witnesses(keys, log))
    quorum: int = named if options.quorum is None else options.quorum
    if options.quorum is not None and not 0 < quorum <= named:
        raise UsageError(f"--quorum is at least 1 and at most the number of witnesses, {named}")
    return Panel(keys, quorum) if keys else None


def _witness_key(text: str) -> CosignatureVerifier:
    try:
        return CosignatureVerifier.parse(text if _KEY.fullmatch(text) else Path(text).read_text("utf-8"))
    except (NoteError, UnicodeDecodeError) as error:
        raise UsageError(f"{text[:80]} is no public key of a witness: {error}") from error


def cosigned_head(log: str, given: Path | None) -> bytes | None:
    """Find the cosigned head: the one given, the log's own, or its newest where that has the cosignatures.

    Raises UsageError, OSError.
    """
    if given is not None:
        return given.read_bytes()
    try:
        fetch = from_url(log, None) if URL.match(log) else from_folder(Path(log))
    except ValueError as error:
        raise UsageError(str(error)) from error
    for name in ("cosigned", "checkpoint"):
        try:
            return fetch(name)
        except FetchError:
            continue
    return None
