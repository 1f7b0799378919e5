"""RFC 6962 proofs: the official vectors, then every proof of small trees against a naive tree."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.merkle import ProofError, leaf_hash, node_hash
from tests.support import vectors


def decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def cases(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """transparency-dev/merkle, testdata: every file says itself whether it must be refused (wantErr)."""
    folder: Path = vectors("merkle") / kind
    return [(str(path.relative_to(folder)), json.loads(path.read_text())) for path in sorted(folder.rglob("*.json"))]


def accepted(verify: Any, *arguments: Any) -> bool:
    try:
        verify(*arguments)
    except ProofError:
        return False
    return True


def test_official_inclusion_vectors() -> None:
    found = cases("inclusion")
    for name, case in found:
        proof = [decoded(one) for one in case["proof"] or ()]
        took = accepted(
            merkle.verify_inclusion,
            case["leafIdx"],
            case["treeSize"],
            decoded(case["leafHash"]),
            proof,
            decoded(case["root"]),
        )
        assert took is not case["wantErr"], name
    assert sum(not case["wantErr"] for _, case in found) == 6
    assert len(found) == 98


def test_official_consistency_vectors() -> None:
    found = cases("consistency")
    for name, case in found:
        proof = [decoded(one) for one in case["proof"] or ()]
        roots = decoded(case["root1"]), decoded(case["root2"])
        took = accepted(merkle.verify_consistency, case["size1"], case["size2"], proof, *roots)
        assert took is not case["wantErr"], name
    assert sum(not case["wantErr"] for _, case in found) == 6
    assert len(found) == 98


LEAVES = [leaf_hash(bytes([i])) for i in range(70)]


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def perfect(height: int, index: int) -> bytes:
    return merkle.fold(LEAVES[index << height : (index + 1) << height])


def test_the_incremental_tree_has_the_roots_of_the_definition() -> None:
    tree = merkle.Frontier()
    for size in range(len(LEAVES) + 1):
        assert tree.root() == naive_root(LEAVES[:size]) == merkle.root_hash(size, perfect)
        if size < len(LEAVES):
            tree.extend(LEAVES[size : size + 1])


def test_tile_levels_get_each_completed_node_once() -> None:
    leaves = [leaf_hash(i.to_bytes(3, "big")) for i in range(66_000)]
    tree, levels = merkle.Frontier(), [[], [], []]
    for start in range(0, len(leaves), 1_000):
        for level, nodes in enumerate(tree.extend(leaves[start : start + 1_000])):
            levels[level] += nodes
    assert levels[0] == leaves
    assert levels[1] == [merkle.fold(leaves[i : i + 256]) for i in range(0, 65_792, 256)]
    assert levels[2] == [merkle.fold(levels[1][:256])]


def test_every_inclusion_proof_of_small_trees_holds_at_its_place_alone() -> None:
    for size in range(1, 24):
        root = naive_root(LEAVES[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, perfect)
            merkle.verify_inclusion(index, size, LEAVES[index], proof, root)
            others = [other for other in range(size + 2) if other != index]
            assert not any(accepted(merkle.verify_inclusion, o, size, LEAVES[index], proof, root) for o in others)


def test_every_consistency_proof_of_small_trees_holds() -> None:
    for new in range(1, 40):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, perfect)
            merkle.verify_consistency(old, new, proof, naive_root(LEAVES[:old]), naive_root(LEAVES[:new]))


@given(st.data())
def test_a_proof_with_one_bit_changed_or_a_hash_more_or_less_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, len(LEAVES)))
    old = data.draw(st.integers(1, size - 1))
    proof = merkle.consistency_proof(old, size, perfect)
    where = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = bytearray(proof[where])
    flipped[bit // 8] ^= 1 << bit % 8
    roots = naive_root(LEAVES[:old]), naive_root(LEAVES[:size])
    bad = [*proof[:where], bytes(flipped), *proof[where + 1 :]]
    for forged in (bad, [*proof, proof[0]], proof[:-1], [proof[0], *proof]):
        assert not accepted(merkle.verify_consistency, old, size, forged, *roots)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (5, 4)])
def test_no_proof_is_made_or_taken_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.inclusion_proof(index, size, perfect)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])
