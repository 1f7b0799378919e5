"""Identifiers as blocks: type and value in 16 bytes, injectively, a whole column in one buffer.

A block is the type's code, the value's length, the value's bytes, zeros to the end. Different identifiers are
different blocks, and a block says what it holds: a token that was decrypted under a wrong key is known by its form.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tre.catalogue import IdentifierType

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]

BLOCK = 16
LONGEST = BLOCK - 2
"""The longest value in bytes. A longer one has no token: to hash it down would be no permutation any more."""


_CODES = {IdentifierType.NHS_NUMBER: 1, IdentifierType.LOCAL_NUMBER: 2}
_LENGTHS = {IdentifierType.NHS_NUMBER: (10, 10), IdentifierType.LOCAL_NUMBER: (1, LONGEST)}
_PADDING = np.array(
    [[0 if place < 2 + length else 255 for place in range(BLOCK)] for length in range(LONGEST + 1)], dtype=np.uint8
).view(np.uint64)
_HEAD = np.array([255, 255] + [0] * LONGEST, dtype=np.uint8).view(np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class Identifiers:
    """A column of identifiers: `blocks` (m × 16) of the m rows that have one, `present` (n) says which these are."""

    kind: IdentifierType
    blocks: Bytes = field(repr=False)
    present: Flags = field(repr=False)


def local_numbers(column: pa.Array | pa.ChunkedArray) -> Identifiers:
    """Return hospital numbers and the like, texts of 1 to 14 bytes taken to the letter; others are absent."""
    texts = one_array(column)
    lengths = byte_lengths(texts)
    present = (lengths >= 1) & (lengths <= LONGEST)
    kept = texts.filter(pa.array(present))
    lengths = lengths[present]
    blocks = empty_blocks(IdentifierType.LOCAL_NUMBER, len(lengths))
    blocks[:, 1] = lengths
    starts = np.cumsum(lengths) - lengths
    rows = np.repeat(np.arange(len(lengths)), lengths)
    blocks[rows, 2 + np.arange(len(rows)) - starts[rows]] = flat_bytes(kept)
    return Identifiers(IdentifierType.LOCAL_NUMBER, blocks, present)


def well_formed(blocks: Bytes, kind: IdentifierType) -> bool:
    """Whether all of `blocks` (m × 16) are blocks of `kind`: 16 random bytes pass with probability below 2⁻¹⁵."""
    shortest, longest = _LENGTHS[kind]
    if shortest == longest:
        fixed = np.zeros(BLOCK, dtype=np.uint8)
        fixed[:2] = _CODES[kind], shortest
        held = _PADDING[shortest] | _HEAD
        return bool(((blocks.view(np.uint64) & held) == fixed.view(np.uint64)).all())
    lengths = blocks[:, 1]
    if not ((blocks[:, 0] == _CODES[kind]) & (lengths >= shortest) & (lengths <= longest)).all():
        return False
    return not (blocks.view(np.uint64) & _PADDING[lengths]).any()


def empty_blocks(kind: IdentifierType, rows: int) -> Bytes:
    """Return `rows` blocks of `kind` that hold nothing yet."""
    blocks = np.zeros((rows, BLOCK), dtype=np.uint8)
    blocks[:, 0] = _CODES[kind]
    return blocks


def one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column of texts as one array with 64-bit offsets. Raises pa.ArrowInvalid for what is no text."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.cast(pa.large_string())


def byte_lengths(texts: pa.Array) -> NDArray[np.int64]:
    """Return each text's length in bytes, −1 for NULL."""
    offsets = _offsets(texts)
    lengths = np.diff(offsets)
    if texts.null_count:
        lengths[texts.is_null().to_numpy(zero_copy_only=False)] = -1
    return lengths


def flat_bytes(texts: pa.Array) -> Bytes:
    """Return the bytes of all texts, one after the other; NULLs must have been filtered out."""
    if not len(texts):
        return np.empty(0, dtype=np.uint8)
    offsets = _offsets(texts)
    return np.frombuffer(texts.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]]


def _offsets(texts: pa.Array) -> NDArray[np.int64]:
    if not len(texts):
        return np.zeros(1, dtype=np.int64)
    return np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
