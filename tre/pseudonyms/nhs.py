"""NHS numbers: ten digits, the last a modulus-11 check digit (NHS Data Dictionary, "NHS NUMBER").

The column's declared class decides that values are identifiers, not the checksum, which 9 % of random ten-digit texts
pass; the checksum only keeps mistyped numbers from becoming people of their own (GOVERNANCE §5).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tre.catalogue import IdentifierType
from tre.pseudonyms.blocks import (
    Bytes,
    Flags,
    Identifiers,
    byte_lengths,
    empty_blocks,
    flat_bytes,
    one_array,
)

_DIGITS = 10
_SPACED = 12
_SPACES = (3, 7)
_ZERO = ord("0")
_ROW = np.dtype((np.void, _DIGITS))
_MULTIPLE = np.arange(_DIGITS * 255 + 1) % 11 == 0


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
        digits = digits.view(_ROW)[present].view(np.uint8)  # whole rows are moved several times faster than bytes
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
    running = np.zeros(len(written), dtype=np.uint8)
    total = np.zeros(len(written), dtype=np.uint16)
    for place in places:
        # The sum of the running sums weighs the digits 10, 9 … 1, the check digit too: then it is a multiple of 11.
        running += place
        total += running
    highest, lowest = places.max(axis=0), places.min(axis=0)
    valid: Flags = (highest <= 9) & (lowest != highest) & _MULTIPLE[total]
    return valid
