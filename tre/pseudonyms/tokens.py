"""A column of tokens that knows its key: what was made under different keys is never compared."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tre.base.reasons import Refused
from tre.base.reasons import pseudonyms as reasons
from tre.pseudonyms.blocks import BLOCK, Bytes, Flags
from tre.pseudonyms.keys import Scope

_ROW = np.dtype((np.void, BLOCK))


@dataclass(frozen=True, slots=True, eq=False)
class TokenColumn:
    """Tokens (`fixed_size_binary(16)`, NULL where there was no identifier), their scope and the id of their key."""

    scope: Scope
    key_id: str
    tokens: pa.FixedSizeBinaryArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.tokens)

    def concat(self, other: TokenColumn) -> TokenColumn:
        """Return both columns as one. Raises Refused (pseudonyms.keys-differ)."""
        self._same_key(other)
        return TokenColumn(self.scope, self.key_id, pa.concat_arrays([self.tokens, other.tokens]))

    def rows_in(self, other: TokenColumn) -> pa.Int32Array:
        """Return for each row the first row of `other` with its token, else NULL; NULL equals nothing, as in SQL.

        Raises Refused (pseudonyms.keys-differ).
        """
        self._same_key(other)
        return pc.index_in(self.tokens, value_set=other.tokens, skip_nulls=True)

    def _same_key(self, other: TokenColumn) -> None:
        if (self.scope, self.key_id) != (other.scope, other.key_id):
            one, two = (f"{column.scope}, key {column.key_id}" for column in (self, other))
            raise Refused.because(reasons.KEYS_DIFFER, one=one, other=two)


def spread(tokens: Bytes, present: Flags) -> pa.FixedSizeBinaryArray:
    """Return `tokens` (m × 16) at the m rows of `present` (n), NULL at the others."""
    absent = None
    if not present.all():
        full = np.zeros((len(present), BLOCK), dtype=np.uint8)
        full.view(_ROW)[present, 0] = tokens.view(_ROW)[:, 0]  # whole rows are moved several times faster than bytes
        tokens = full
        absent = pa.array(present).buffers()[1]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(BLOCK), len(present), [absent, pa.py_buffer(tokens)])


def gathered(column: pa.FixedSizeBinaryArray) -> tuple[Bytes, Flags]:
    """Return what `spread` was given: the tokens of the rows that have one, and which these are."""
    present = column.is_valid().to_numpy(zero_copy_only=False)
    kept = column.drop_null() if column.null_count else column
    if not len(kept):
        return np.empty((0, BLOCK), dtype=np.uint8), present
    data = np.frombuffer(kept.buffers()[1], dtype=np.uint8)
    return data[kept.offset * BLOCK : (kept.offset + len(kept)) * BLOCK].reshape(-1, BLOCK), present
