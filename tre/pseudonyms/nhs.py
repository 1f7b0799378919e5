"""NHS numbers: ten digits, the last a modulus-11 check digit (NHS Data Dictionary, "NHS NUMBER").

The column's declared class decides that values are identifiers, not the checksum, which 9 % of random ten-digit texts
pass; the checksum only keeps mistyped numbers from becoming people of their own (GOVERNANCE §5).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tre.pseudonyms.blocks import (
    Bytes,
    Flags,
    Identifiers,
    IdentifierType,
    byte_lengths,
    empty_blocks,
    flat_bytes,
    one_array,
)

_DIGITS = 10
_SPACED = 12
_SPACES = (3, 7)
_ZERO = ord("0")
_WEIGHED = tuple(range(10, 0, -1))  # the check digit itself has weight 1: then the whole sum is a multiple of 11
_MULTIPLE = np.arange(9 * sum(_WEIGHED) + 1) % 11 == 0


def nhs_numbers(column: pa.Array | pa.ChunkedArray) -> Identifiers:
    """Return the valid NHS numbers of a column of texts; others are absent.

    Taken are ten digits and 3-3-4 with single spaces, which name the same person. Anything else (hyphens, other
    spaces, digits of other scripts, a wrong check digit, ten times the same digit) is no NHS number.
    """
    texts = one_array(column)
    lengths = byte_lengths(texts)
    present = np.zeros(len(texts), dtype=np.bool_)
    digits = np.empty((len(texts), _DIGITS), dtype=np.uint8)
    for length in (_DIGITS, _SPACED):
        _take(texts, lengths == length, length, digits, present)
    if not present.all():
        digits = digits[present]
    blocks = empty_blocks(IdentifierType.NHS_NUMBER, len(digits))
    blocks[:, 1] = _DIGITS
    blocks[:, 2 : 2 + _DIGITS] = digits
    return Identifiers(IdentifierType.NHS_NUMBER, blocks, present)


def _take(texts: pa.Array, here: Flags, length: int, digits: Bytes, present: Flags) -> None:
    if not here.any():
        return
    chosen = slice(None) if here.all() else here
    kept = texts if here.all() else texts.filter(pa.array(here))
    written = flat_bytes(kept).reshape(-1, length)
    if length == _SPACED:
        spaced = (written[:, _SPACES[0]] == ord(" ")) & (written[:, _SPACES[1]] == ord(" "))
        written = np.delete(written, _SPACES, axis=1)
    else:
        spaced = np.True_
    digits[chosen] = written
    present[chosen] = spaced & _valid(written)


def _valid(written: Bytes) -> Flags:
    # By digit, not by row: ten passes over contiguous bytes are several times faster than one over short rows.
    places = np.ascontiguousarray(written.T) - np.uint8(_ZERO)  # what is below "0" wraps round to far above nine
    decimal = np.ones(len(written), dtype=np.bool_)
    same = np.ones(len(written), dtype=np.bool_)
    total = np.zeros(len(written), dtype=np.uint16)
    for weight, place in zip(_WEIGHED, places, strict=True):
        decimal &= place <= 9
        same &= place == places[0]
        total += np.minimum(place, 9) * np.uint16(weight)
    valid: Flags = decimal & ~same & _MULTIPLE[total]
    return valid
