"""Receipts: the proof of an answer, checked offline with the log's public key and nothing of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tre.client.errors import TreUnproven


@dataclass(frozen=True, slots=True)
class Proof:
    """What a receipt proved: the entry at `index` of the log `origin`, under its head of `size` entries and `root`."""

    origin: str
    index: int
    size: int
    root: str
    entry: Mapping[str, Any]


class Receipt(str):
    """The text of a receipt (C2SP tlog-proof), with the answer that it is about."""

    __slots__ = ("_answer",)
    _answer: Mapping[str, Any]

    def __new__(cls, text: str, answer: Mapping[str, Any]) -> Receipt:
        """`answer` is the JSON of the result."""
        made = super().__new__(cls, text)
        made._answer = answer
        return made

    def __reduce__(self) -> tuple[type[Receipt], tuple[str, Mapping[str, Any]]]:
        return Receipt, (str(self), self._answer)

    def verify(self, key: str | os.PathLike[str]) -> Proof:
        """Prove that the log holds this answer: signature, place in the log, query, and the salted commitment.

        `key` is the log's verifier key: its text (`name+id+base64`), or the path of the file that holds it. Have it
        from somebody else than the environment. Needs no network. Raises TreUnproven with what does not hold.
        """
        from audit import Ed25519Verifier, MalformedError, NoteError, ReceiptError, decode_entry
        from audit import Receipt as LogReceipt

        try:
            verifier = Ed25519Verifier.parse(_key_text(key))
            found = LogReceipt.parse(self.encode())
            if found.extra is None:
                raise TreUnproven("The receipt does not carry its entry, so it proves nothing of this answer.")
            head = found.verify(found.extra, verifier)
            entry = decode_entry(found.extra)
        except (NoteError, ReceiptError, MalformedError, UnicodeError) as error:
            raise TreUnproven(f"The receipt does not hold: {error}.") from None
        self._compare(entry)
        return Proof(head.origin, found.index, head.size, head.root.hex(), entry)

    def _compare(self, entry: Mapping[str, Any]) -> None:
        """Hold the entry to this query's outcome and to this very answer."""
        from audit import result_commitment

        if (entry["event"], entry.get("state")) != ("query-outcome", "committed"):
            raise TreUnproven("The receipt is that of another kind of entry.")
        if entry.get("request") != self._answer["query"]:
            raise TreUnproven("The receipt is that of another query.")
        names = [column["name"] for column in self._answer["columns"]]
        if entry.get("result_commitment") != result_commitment(self._answer["salt"], names, self._answer["rows"]):
            raise TreUnproven("The answer is not the one that the log holds: it was changed since.")


def _key_text(key: str | os.PathLike[str]) -> str:
    if isinstance(key, str) and "+" in key and not os.path.exists(key):
        return key.strip()
    try:
        return Path(key).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise TreUnproven(f"The log's key cannot be read: {error.strerror}.") from None
