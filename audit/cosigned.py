"""The newest head that witnesses have cosigned: the file `cosigned` in the log's folder, which anyone may have.

It holds the head with the log's signature, the witnesses', and that of the log's second key where there is one. It is
no part of the log: where it is lost or spoilt the log goes on without it, and witnesses are asked again.
"""

import os
from pathlib import Path

from audit.notes import MAX_NOTE, NoteError, parse_checkpoint, parse_note

NAME = "cosigned"
_PUBLIC = 0o644


def keep(path: Path, note: bytes) -> None:
    """Replace the kept head, durably. Raises OSError."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PUBLIC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(note)
        file.flush()
        os.fsync(descriptor)
    os.replace(fresh, path)


def kept(path: Path) -> bytes | None:
    """Return what is kept, or None where nothing can be read. Says nothing yet about its truth."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE + 1)
    except OSError:
        return None


def signers(path: Path) -> dict[tuple[str, bytes], int]:
    """Return whose signatures the kept head has, by name and key id, with its size."""
    try:
        note = parse_note(kept(path) or b"")
        size = parse_checkpoint(note.text).size
    except NoteError:
        return {}
    return {(one.name, one.key_id): size for one in note.signatures}
