"""The log's side of witnessing: show the newest head to witnesses, and keep it with what they signed.

It reads the log as everybody does, in a process or thread of its own: however slow, absent or wrong a witness is, no
answer waits for it, nor does another witness. What is kept (`cosigned.py`) is the newest head that
enough of them signed.
"""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPException
from pathlib import Path

from audit import cosigned
from audit.cosignatures import CosignatureVerifier, stamp_of
from audit.merkle import ProofError
from audit.notes import Note, NoteError, Signature, Signer, parse_checkpoint, parse_note, sign_note, verify_note
from audit.reader import LogError, Reader
from audit.static import FetchError, NoRedirect
from audit.witness import MAX_REQUEST, Reply, Request

TIMEOUT = 10.0
PATIENCE = 30.0
"""Seconds after which a witness counts as absent, though it still sends something now and then."""


class Word(Enum):
    """What a witness's answer comes to."""

    COSIGNED = "cosigned"
    ABSENT = "absent"
    FALSE = "false"
    CONTRADICTS = "contradicts"
    """It knows of another history of this log, or of more of it. Find out who is wrong."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of showing a head to one witness: a word, a sentence for the operator, its cosignatures."""

    witness: str
    word: Word
    sentence: str
    signatures: tuple[Signature, ...] = ()


Post = Callable[[bytes], Reply]
"""Sends the body of an `add-checkpoint`. Raises OSError."""


def posting(url: str, timeout: float = TIMEOUT) -> Post:
    """Send to the witness whose submission prefix is `url`, one body at a time.

    Raises ValueError for anything but http and https.
    """
    if not url.startswith(("https://", "http://")):
        raise ValueError("a witness's address is an http or https URL")
    opener = urllib.request.build_opener(NoRedirect)
    address = f"{url.rstrip('/')}/add-checkpoint"
    busy = threading.Lock()

    def post(body: bytes) -> Reply:
        # One that sends a byte now and then holds a thread up: one, and not another one for every head.
        if not busy.acquire(blocking=False):
            raise OSError("it has not finished its answer to the last head")
        try:
            return sent(body)
        finally:
            busy.release()

    def sent(body: bytes) -> Reply:
        request = urllib.request.Request(address, data=body, method="POST")  # noqa: S310
        try:
            with opener.open(request, timeout=timeout) as answer:
                return Reply(answer.status, answer.read(MAX_REQUEST).decode("utf-8", "replace"))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read(MAX_REQUEST).decode("utf-8", "replace"))
        except (HTTPException, FetchError, ValueError) as error:
            raise OSError(str(error) or type(error).__name__) from error

    return post


def show(log: Reader, note: bytes, witness: CosignatureVerifier, post: Post, known: int = 0) -> Told:
    """Show a signed head of the log to one witness, which is believed to know of `known` entries."""
    size = parse_checkpoint(parse_note(note).text).size
    try:
        reply = post(bytes(_request(log, size, note, known)))
        # Where a witness stands only it knows: it answers 409 with the size, and is asked again.
        if reply.status == 409 and _size(reply.body) != known:
            known = _size(reply.body)
            if known > size:
                return Told(witness.name, Word.CONTRADICTS, f"knows of {known} entries, this log has {size}: shortened")
            reply = post(bytes(_request(log, size, note, known)))
        if known and (reply.status == 422 or (reply.status == 409 and _size(reply.body) == known)):
            return Told(witness.name, Word.CONTRADICTS, f"knows another history up to entry {known}")
        if reply.status != 200:
            sentence = f"does not cosign: HTTP {reply.status} {reply.body.strip()[:100]!a}"
            return Told(witness.name, Word.ABSENT, sentence)
        return _judged(witness, note, reply.body)
    except (OSError, LogError, ProofError) as error:
        return Told(witness.name, Word.ABSENT, f"does not answer: {error}")


def _request(log: Reader, size: int, note: bytes, old: int) -> Request:
    return Request(old, tuple(log.consistency(old, size)) if 0 < old < size else (), note)


def _size(body: str) -> int:
    text = body.removesuffix("\n")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def _judged(witness: CosignatureVerifier, note: bytes, lines: str) -> Told:
    text = parse_note(note).text
    try:
        offered = parse_note(f"{text}\n{lines}".encode())
        true = verify_note(Note(text, offered.signatures), [witness])
    except NoteError as error:
        return Told(witness.name, Word.FALSE, f"answers with what is no cosignature of its key: {error}")
    size = parse_checkpoint(text).size
    return Told(witness.name, Word.COSIGNED, f"cosigned {size} entries at {stamp_of(true[0].signature)}", true)


def push(
    log: Reader,
    witnesses: Sequence[tuple[CosignatureVerifier, Post]],
    out: Path,
    own: Sequence[Signer] = (),
    *,
    quorum: int = 1,
    patience: float = PATIENCE,
) -> list[Told]:
    """Show the newest head to all witnesses at once; keep it at `out` where `quorum` of them cosigned it.

    `own` sign it too: a second key of the log, of the kind that holds against quantum computers. A witness with
    several keys is one witness. After `patience` seconds the rest is not waited for. Raises LogError, OSError.
    """
    newest = log.checkpoint().encode()
    note, known = parse_note(newest), cosigned.signers(out)
    size = parse_checkpoint(note.text).size

    def shown(witness: CosignatureVerifier, post: Post) -> Told:
        before = known.get((witness.name, witness.key_id), 0)
        return show(log, newest, witness, post, before if before <= size else 0)

    told = _at_once(shown, witnesses, patience)
    found = _kept(out, note.text, [witness for witness, _ in witnesses])
    found |= {(one.name, one.key_id): one for each in told for one in each.signatures}
    if len({name for name, _ in found}) >= quorum:
        signatures = (*note.signatures, *found.values(), *sign_note(note.text, own).signatures)
        cosigned.keep(out, str(Note(note.text, signatures)).encode())
    return told


def _kept(out: Path, text: str, witnesses: Sequence[CosignatureVerifier]) -> dict[tuple[str, bytes], Signature]:
    """Those on the kept head that are still true of the newest: a witness that is away today has signed it before."""
    try:
        note = parse_note(cosigned.kept(out) or b"")
        found = verify_note(note, witnesses) if note.text == text else ()
    except NoteError:
        return {}
    return {(one.name, one.key_id): one for one in found}


def _at_once(
    shown: Callable[[CosignatureVerifier, Post], Told],
    witnesses: Sequence[tuple[CosignatureVerifier, Post]],
    patience: float,
) -> list[Told]:
    told = [Told(witness.name, Word.ABSENT, "does not answer in time") for witness, _ in witnesses]

    def ask(place: int) -> None:
        told[place] = shown(*witnesses[place])

    threads = [threading.Thread(target=ask, args=(place,), daemon=True) for place in range(len(witnesses))]
    end = time.monotonic() + patience
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return list(told)
