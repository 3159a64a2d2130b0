"""The tree against published vectors and against the definition in RFC 6962 written out naively."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit import merkle

VECTORS = Path(__file__).parents[4] / "shared" / "data"


def vectors(name: str) -> list[dict]:
    path = VECTORS / name
    if not path.exists():
        pytest.skip("the published vectors (transparency-dev/merkle) are not on this machine")
    return json.loads(path.read_text())


def decoded(values: list[str] | None) -> list[bytes]:
    return [b64decode(value) for value in values or []]


def test_published_inclusion_vectors() -> None:
    cases = vectors("merkle_inclusion.json")
    for case in cases:
        leaf, root, proof = b64decode(case["leafHash"]), b64decode(case["root"]), decoded(case["proof"])
        accepted = merkle.verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)
        assert accepted is not case["wantErr"], case["file"]
    assert {case["wantErr"] for case in cases} == {True, False}


def test_published_consistency_vectors() -> None:
    cases = vectors("merkle_consistency.json")
    for case in cases:
        first, second = b64decode(case["root1"] or ""), b64decode(case["root2"] or "")
        accepted = merkle.verify_consistency(case["size1"], case["size2"], first, second, decoded(case["proof"]))
        assert accepted is not case["wantErr"], case["file"]
    assert {case["wantErr"] for case in cases} == {True, False}


def test_all_196_vectors_are_there() -> None:
    cases = vectors("merkle_inclusion.json") + vectors("merkle_consistency.json")
    assert (len(cases), sum(case["wantErr"] for case in cases)) == (196, 184)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1, as written."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + naive_root(leaves[:half]) + naive_root(leaves[half:])).digest()


class Tree:
    """What a database holds, in dictionaries."""

    def __init__(self, size: int) -> None:
        self.leaves = [f"leaf {number}".encode() for number in range(size)]
        self.frontier: list[bytes] = []
        self.nodes: dict[tuple[int, int], bytes] = {}
        for number, leaf in enumerate(self.leaves):
            hashed = merkle.leaf_hash(leaf)
            self.nodes[0, number] = hashed
            for level, index, value in merkle.append(self.frontier, number, hashed):
                assert (level, index) not in self.nodes
                self.nodes[level, index] = value

    def read(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


def test_roots_of_all_sizes_to_300() -> None:
    tree, frontier = Tree(300), []
    for size in range(301):
        assert merkle.root(frontier) == naive_root(tree.leaves[:size])
        assert merkle.unpack(merkle.pack(frontier)) == frontier
        if size < 300:
            merkle.append(frontier, size, tree.nodes[0, size])
    assert sum(300 >> level for level in range(9)) == len(tree.nodes)


TREE = Tree(300)
ROOTS = [naive_root(TREE.leaves[:size]) for size in range(301)]


@given(st.data())
def test_inclusion_proofs(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    sequence = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(TREE.read, sequence, size)
    leaf = TREE.nodes[0, sequence]
    assert merkle.verify_inclusion(leaf, sequence, size, proof, ROOTS[size])
    other = data.draw(st.integers(0, 299).filter(lambda number: number != sequence))
    assert not merkle.verify_inclusion(TREE.nodes[0, other], sequence, size, proof, ROOTS[size])
    assert not merkle.verify_inclusion(leaf, sequence, size, [*proof, leaf], ROOTS[size])
    assert not merkle.verify_inclusion(leaf, sequence, size, proof, ROOTS[size - 1])
    if proof:
        assert not merkle.verify_inclusion(leaf, sequence, size, proof[:-1], ROOTS[size])


@given(st.data())
def test_consistency_proofs(data: st.DataObject) -> None:
    second = data.draw(st.integers(1, 300))
    first = data.draw(st.integers(1, second))
    proof = merkle.consistency_proof(TREE.read, first, second)
    assert merkle.verify_consistency(first, second, ROOTS[first], ROOTS[second], proof)
    assert not merkle.verify_consistency(first, second, ROOTS[first], ROOTS[second], [*proof, ROOTS[1]])
    assert not merkle.verify_consistency(first, second, ROOTS[first], ROOTS[second - 1], proof)
    assert not merkle.verify_consistency(first, second, ROOTS[first - 1], ROOTS[second], proof)


@pytest.mark.parametrize(("sequence", "size"), [(0, 0), (1, 1), (-1, 4), (7, 3)])
def test_no_proof_of_a_leaf_outside_the_tree(sequence: int, size: int) -> None:
    with pytest.raises(ValueError, match="holds it"):
        merkle.inclusion_proof(TREE.read, sequence, size)


@pytest.mark.parametrize(("first", "second"), [(3, 2), (-1, 2), (0, 2)])
def test_no_proof_of_a_tree_from_a_later_one(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="later"):
        merkle.consistency_proof(TREE.read, first, second)
