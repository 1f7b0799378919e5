"""Tokens by AES-256 on single blocks: a keyed permutation of 16 bytes, whole columns in one call.

ECB is right here and nearly nowhere else. Each message is exactly one block and all blocks under a key are different
unless their identifiers are equal; that equal identifiers give equal tokens is the purpose. So there is nothing to
chain and no nonce to keep, two people never share a token (a truncated MAC could collide), and the custodian of the key
can go back. What it does not protect: which rows are the same person, and how often each occurs, is open in every
table of tokens; whoever holds the key, or may ask for tokens at will, can try all 10⁹ NHS numbers in seconds; and
nothing authenticates a token but the fixed form of its block.
"""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from tre.pseudonyms.blocks import BLOCK, Bytes


def encrypt(key: bytes, blocks: Bytes) -> Bytes:
    """Return the tokens (m × 16) of `blocks` (m × 16) under a `key` of 32 bytes."""
    return _through(_cipher(key).encryptor(), blocks)


def decrypt(key: bytes, tokens: Bytes) -> Bytes:
    """Return the blocks (m × 16) of `tokens` (m × 16) under a `key` of 32 bytes; the caller checks their form."""
    return _through(_cipher(key).decryptor(), tokens)


def _cipher(key: bytes) -> Cipher[ECB]:
    return Cipher(AES256(key), ECB())  # noqa: S305 - single blocks, see above


def _through(context: CipherContext, given: Bytes) -> Bytes:
    if not len(given):
        return given.copy()
    made = np.empty(given.size + BLOCK - 1, dtype=np.uint8)  # `update_into` wants room for a block that is not whole
    context.update_into(np.ascontiguousarray(given).data.cast("B"), made.data)
    context.finalize()
    return made[: given.size].reshape(-1, BLOCK)
