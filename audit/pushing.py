"""The log's side of witnessing: show the newest head to witnesses, and keep it with what they signed.

It reads the log as everybody does, in a process or thread of its own: however slow, absent or wrong a witness is, no
answer waits for it. What is kept is the newest head that a witness signed, as one file that anyone can verify.
"""

import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from audit.cosignatures import CosignatureVerifier, time_of
from audit.merkle import ProofError
from audit.notes import Note, NoteError, Signature, Signer, parse_checkpoint, parse_note, sign_note, verify_note
from audit.reader import Reader
from audit.static import FetchError, NoRedirect
from audit.witness import MAX_REQUEST, Reply, Request

TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """What became of showing a head to one witness: a sentence for the operator, its cosignatures.

    `contradicts`: the witness knows of another history of this log, or of more of it. Find out who is wrong.
    """

    witness: str
    sentence: str
    signatures: tuple[Signature, ...] = ()
    contradicts: bool = False


Post = Callable[[bytes], Reply]
"""Sends the body of an `add-checkpoint`. Raises OSError."""


def posting(url: str, timeout: float = TIMEOUT) -> Post:
    """Send to the witness whose submission prefix is `url`. Raises ValueError for anything but http and https."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("a witness's address is an http or https URL")
    opener = urllib.request.build_opener(NoRedirect)
    address = f"{url.rstrip('/')}/add-checkpoint"

    def post(body: bytes) -> Reply:
        request = urllib.request.Request(address, data=body, method="POST")  # noqa: S310
        try:
            with opener.open(request, timeout=timeout) as answer:
                return Reply(answer.status, answer.read(MAX_REQUEST).decode("utf-8", "replace"))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read(MAX_REQUEST).decode("utf-8", "replace"))
        except (HTTPException, FetchError) as error:
            raise OSError(str(error) or type(error).__name__) from error

    return post


def show(log: Reader, note: bytes, witness: CosignatureVerifier, post: Post) -> Told:
    """Show a signed head of the log to one witness."""
    size = parse_checkpoint(parse_note(note).text).size
    try:
        # Where a witness stands is asked of it: it answers 409 with the size, and is then asked again.
        reply = post(bytes(_request(log, size, note, 0)))
        if reply.status == 409 and _size(reply.body) > 0:
            known = _size(reply.body)
            if known > size:
                return Told(witness.name, f"knows of {known} entries, this log has {size}: shortened", contradicts=True)
            reply = post(bytes(_request(log, size, note, known)))
            if reply.status == 422 or (reply.status == 409 and _size(reply.body) == known):
                return Told(witness.name, f"knows another history up to entry {known}", contradicts=True)
        if reply.status != 200:
            return Told(witness.name, f"does not cosign: HTTP {reply.status} {reply.body.strip()[:100]!r}")
        return _cosigned(witness, note, reply.body)
    except (OSError, ProofError) as error:
        return Told(witness.name, f"does not answer: {error}")


def _request(log: Reader, size: int, note: bytes, old: int) -> Request:
    return Request(old, tuple(log.consistency(old, size)) if 0 < old < size else (), note)


def _size(body: str) -> int:
    text = body.removesuffix("\n")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def _cosigned(witness: CosignatureVerifier, note: bytes, lines: str) -> Told:
    text = parse_note(note).text
    try:
        offered = parse_note(f"{text}\n{lines}".encode())
        true = verify_note(Note(text, offered.signatures), [witness])
    except NoteError as error:
        return Told(witness.name, f"answers with what is no cosignature of its key: {error}")
    size = parse_checkpoint(text).size
    return Told(witness.name, f"cosigned {size} entries at {time_of(true[0].signature)}", true)


def push(
    log: Reader, witnesses: Sequence[tuple[CosignatureVerifier, Post]], out: Path, own: Sequence[Signer] = ()
) -> list[Told]:
    """Show the newest head to every witness; keep it at `out` with their cosignatures, where there are any.

    `own` sign it too: a second key of the log, of the kind that holds against quantum computers.
    """
    newest = log.checkpoint().encode()
    told = [show(log, newest, verifier, post) for verifier, post in witnesses]
    note = parse_note(newest)
    found = tuple(one for each in told for one in each.signatures)
    if found:
        found += sign_note(note.text, own).signatures
        fresh = out.with_name(out.name + ".new")
        fresh.write_text(str(Note(note.text, (*note.signatures, *found))))
        os.replace(fresh, out)
    return told
