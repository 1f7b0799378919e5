"""Receipts: C2SP tlog-proof, one small text that proves an entry's place in the log, offline.

Source: https://c2sp.org/tlog-proof. Lines: header, optional `extra` data, `index`, the inclusion path from the
leaf up, an empty line, the signed checkpoint verbatim (with the cosignatures that it carries). This project puts
the entry itself into `extra` when its reader may have it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from audit.entries import encode_entry
from audit.merkle import HASH_SIZE, ProofError, leaf_hash, verify_inclusion
from audit.notes import Checkpoint, NoteError, Verifier, decode_base64, encode_base64, open_checkpoint

HEADER = "c2sp.org/tlog-proof@v1"
MAX_RECEIPT = 1 << 20
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


class ReceiptError(ValueError):
    """A receipt that is malformed or does not prove the entry."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's index, its inclusion path (32-byte hashes), the signed checkpoint, data beside the proof."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines += [f"index {self.index}", *map(encode_base64, self.path), ""]
        return "\n".join(lines) + "\n" + self.checkpoint.decode()

    @classmethod
    def parse(cls, data: bytes) -> "Receipt":
        """Read a receipt strictly. Raises ReceiptError; proves nothing yet."""
        if len(data) > MAX_RECEIPT:
            raise ReceiptError("a receipt of more than 1 MiB")
        proof, blank, checkpoint = data.partition(b"\n\n")
        if not blank:
            raise ReceiptError("a receipt without a checkpoint")
        try:
            return _parse_proof(proof.decode("ascii").split("\n"), checkpoint)
        except (UnicodeDecodeError, NoteError) as error:
            raise ReceiptError("a malformed receipt") from error

    def verify(self, entry: bytes, log: Verifier, others: Sequence[Verifier] = ()) -> Checkpoint:
        """Prove that `entry` stands at the receipt's index in the log `log`; return the head that says so.

        Raises ReceiptError.
        """
        try:
            checkpoint = open_checkpoint(self.checkpoint, log, others)
            verify_inclusion(self.index, checkpoint.size, leaf_hash(entry), self.path, checkpoint.root)
        except (NoteError, ProofError) as error:
            raise ReceiptError(str(error)) from error
        return checkpoint


def exported_entries(data: bytes) -> dict[int, bytes]:
    """Read exported entries, one JSON object a line: `index`, and `entry` with its fields; return their bytes.

    Raises ReceiptError for a line that is no such entry, and for an index that comes twice.
    """
    found: dict[int, bytes] = {}
    for number, line in enumerate(data.splitlines(), 1):
        try:
            one = json.loads(line)
            index, entry = int(one["index"]), encode_entry(one["entry"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ReceiptError(f"line {number} of the entries is no entry") from error
        if index in found:
            raise ReceiptError(f"line {number} of the entries has an index that came before")
        found[index] = entry
    return found


def _parse_proof(lines: list[str], checkpoint: bytes) -> Receipt:
    if lines.pop(0) != HEADER:
        raise ReceiptError("not a receipt: its first line is another")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "))
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None:
        raise ReceiptError("a receipt without an index")
    path = tuple(map(decode_base64, lines))
    if any(len(one) != HASH_SIZE for one in path):
        raise ReceiptError("a hash is not 32 bytes long")
    return Receipt(int(index[1]), path, checkpoint, extra)
