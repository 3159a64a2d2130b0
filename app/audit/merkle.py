"""RFC 6962 Merkle trees: appending, roots, inclusion and consistency proofs, and checking both.

Pure: bytes in, bytes out. A tree of n leaves is stored as its perfect subtrees, `(level, index) -> hash`, where level 0
is the leaves and node (l, i) covers leaves [i * 2**l, (i + 1) * 2**l). The *frontier* of a size is the list of perfect
subtrees that make it up, largest first: one for each set bit of the size.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Node = tuple[int, int, bytes]
"""level, index, hash"""

ReadNode = Callable[[int, int], bytes]
"""(level, index) -> hash of that perfect subtree."""


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def append(frontier: list[bytes], size: int, leaf: bytes) -> list[Node]:
    """Adds a leaf hash to a tree of `size` leaves: changes `frontier`, gives the nodes above level 0 that it completes."""
    completed = []
    level, index, current = 0, size, leaf
    while index & 1:
        current = node_hash(frontier.pop(), current)
        level, index = level + 1, index >> 1
        completed.append((level, index, current))
    frontier.append(current)
    return completed


def root(frontier: Sequence[bytes]) -> bytes:
    """The tree head: the frontier folded from its smallest subtree; of no leaves, the hash of nothing."""
    if not frontier:
        return EMPTY_ROOT
    current = frontier[-1]
    for left in reversed(frontier[:-1]):
        current = node_hash(left, current)
    return current


def pack(frontier: Sequence[bytes]) -> bytes:
    return b"".join(frontier)


def unpack(packed: bytes) -> list[bytes]:
    return [packed[start : start + HASH_BYTES] for start in range(0, len(packed), HASH_BYTES)]


def inclusion_proof(read: ReadNode, sequence: int, size: int) -> list[bytes]:
    """RFC 6962 2.1.1: the audit path of leaf `sequence` in the tree of the first `size` leaves.

    Errors: ValueError unless 0 <= sequence < size.
    """
    if not 0 <= sequence < size:
        raise ValueError("a leaf has a proof only in a tree that holds it")
    proof, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if sequence < middle:
            proof.append(_range_root(read, middle, end))
            end = middle
        else:
            proof.append(_range_root(read, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(read: ReadNode, first: int, second: int) -> list[bytes]:
    """RFC 6962 2.1.2: that the tree of `first` leaves is the beginning of the tree of `second`.

    An empty tree is the beginning of every log, so nothing can be proven of it; of equal trees the proof is empty.
    Errors: ValueError unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise ValueError("a tree is consistent only with a later one")
    proof = []
    start, end = 0, second
    while first < end:
        middle = start + _split(end - start)
        if first <= middle:
            proof.append(_range_root(read, middle, end))
            end = middle
        else:
            proof.append(_range_root(read, start, middle))
            start = middle
    if start > 0:  # otherwise this is the old root, which whoever checks already has
        proof.append(_range_root(read, start, end))
    return proof[::-1]


def verify_inclusion(leaf: bytes, sequence: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """RFC 9162 2.1.3.2, which reads the same trees: whether the leaf hash is at `sequence` under that root."""
    if not 0 <= sequence < size or len(leaf) != HASH_BYTES:
        return False
    index, last, current = sequence, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if index & 1 or index == last:
            current = node_hash(sibling, current)
            index, last = _climb_right_edge(index, last)
        else:
            current = node_hash(current, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and current == expected_root


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162 2.1.4.2: whether the first tree, which must not be empty, is the beginning of the second."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        return False
    index, last = first - 1, second - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    return _climb(index, last, path) == (first_root, second_root)


def _climb(index: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Both roots that a consistency path leads to; None where its length is wrong."""
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if index & 1 or index == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            index, last = _climb_right_edge(index, last)
        else:
            new = node_hash(new, sibling)
        index, last = index >> 1, last >> 1
    return (old, new) if last == 0 else None


def _climb_right_edge(index: int, last: int) -> tuple[int, int]:
    """Skips the levels on which the last subtree has no sibling."""
    while index and not index & 1:
        index, last = index >> 1, last >> 1
    return index, last


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(read: ReadNode, start: int, end: int) -> bytes:
    """Root over leaves [start, end), where start is a multiple of the largest power of two in the range."""
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(read(level, start >> level))
        start += 1 << level
    return root(parts)
