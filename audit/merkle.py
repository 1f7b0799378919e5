"""RFC 6962 Merkle trees: hashes, an incremental tree, proofs and their strict verification.

Pure functions over bytes. A *perfect node* is the hash of 2^height leaves that start at a multiple of
2^height; it is named (height, index). Proofs are made from perfect nodes alone, handed out by a `NodeReader`.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_SIZE = 32
TILE_HEIGHT = 8

_sha256 = hashlib.sha256
EMPTY_ROOT = _sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""(height, index) → hash of the perfect node; called only for nodes that lie inside the tree."""


class ProofError(ValueError):
    """A proof that does not prove what it is given for."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf: SHA256(00 ‖ entry), RFC 6962 §2.1."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children: SHA256(01 ‖ left ‖ right), RFC 6962 §2.1."""
    return _sha256(b"\x01" + left + right).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Hash many entries as leaves."""
    return [_sha256(b"\x00" + entry).digest() for entry in entries]


class Frontier:
    """The right edge of a growing tree: for each bit set in the size, a node that waits for its right sibling."""

    __slots__ = ("_edge", "size")

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def extend(self, leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
        """Append leaf hashes; return the nodes this completed for each tile level (heights 0, 8, 16, …)."""
        tiles = []
        nodes, first, height = leaves, self.size, 0
        self.size += len(leaves)
        while nodes:
            if height % TILE_HEIGHT == 0:
                tiles.append(nodes)
            if first & 1:
                nodes, first = [self._edge[height], *nodes], first - 1
            if len(nodes) & 1:
                self._keep(height, nodes[-1])
            pairs = iter(nodes)
            nodes = [_sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
            first, height = first >> 1, height + 1
        return tiles

    def _keep(self, height: int, node: bytes) -> None:
        if height >= len(self._edge):
            self._edge += [b""] * (height + 1 - len(self._edge))
        self._edge[height] = node

    def root(self) -> bytes:
        """Return the root of the leaves so far; the hash of nothing for an empty tree."""
        waiting = [node for height, node in enumerate(self._edge) if self.size >> height & 1]
        if not waiting:
            return EMPTY_ROOT
        root = waiting[0]
        for left in waiting[1:]:
            root = _sha256(b"\x01" + left + root).digest()
        return root


def fold(nodes: Sequence[bytes]) -> bytes:
    """Hash a power of two of sibling nodes up to their common parent."""
    level = list(nodes)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 6962 §2.1), for count ≥ 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_hash(first: int, end: int, node: NodeReader) -> bytes:
    count = end - first
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return node(height, first >> height)
    middle = first + _split(count)
    return node_hash(_range_hash(first, middle, node), _range_hash(middle, end, node))


def root_hash(size: int, node: NodeReader) -> bytes:
    """Return the root of the first `size` leaves."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Prove that leaf `index` is in the tree of `size` leaves: its siblings from the leaf up (RFC 6962 §2.1.1).

    Raises ProofError unless 0 ≤ index < size.
    """
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}")
    first, end = 0, size
    proof = []
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            proof.append(_range_hash(middle, end, node))
            end = middle
        else:
            proof.append(_range_hash(first, middle, node))
            first = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Prove that the tree of `new` leaves begins with the tree of `old` leaves (RFC 6962 §2.1.2).

    Raises ProofError unless 1 ≤ old ≤ new: the empty tree needs no proof.
    """
    if not 1 <= old <= new:
        raise ProofError(f"no proof leads from size {old} to size {new}")
    first, end, whole = 0, new, True
    proof = []
    while end != old:
        middle = first + _split(end - first)
        if old <= middle:
            proof.append(_range_hash(middle, end, node))
            end = middle
        else:
            proof.append(_range_hash(first, middle, node))
            first, whole = middle, False
    if not whole:
        proof.append(_range_hash(first, end, node))
    return proof[::-1]


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise ProofError("a hash is not 32 bytes long")


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check an inclusion proof (RFC 9162 §2.1.3.2): exact length, every hash 32 bytes.

    Raises ProofError when the proof does not show `leaf` at `index` under `root`.
    """
    _check_hashes([leaf, root, *proof])
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}")
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    if node != root:
        raise ProofError("the proof does not lead to this root")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check a consistency proof (RFC 9162 §2.1.4.2): exact length, every hash 32 bytes.

    Raises ProofError when the proof does not show that the new tree begins with the old one; also for
    an old size of 0, about which a proof says nothing.
    """
    if not 1 <= old <= new:
        raise ProofError(f"no proof leads from size {old} to size {new}")
    if old == new:
        if proof or old_root != new_root:
            raise ProofError("two heads of one size differ" if not proof else "the proof is too long")
        return
    _check_hashes([old_root, new_root, *proof])
    # A perfect old tree is itself the first node of the path, which then leaves it out.
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofError("the proof is too short")
    _walk_consistency(old - 1, new - 1, path, old_root, new_root)


def _walk_consistency(place: int, last: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    while place & 1:
        place, last = place >> 1, last >> 1
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if place & 1 or place == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    if old_node != old_root or new_node != new_root:
        raise ProofError("the proof does not join these two roots")
