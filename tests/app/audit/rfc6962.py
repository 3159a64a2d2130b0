"""Proofs and notes read by the letter of their specifications, recursively; shares no code with the application."""

import re
from base64 import b64decode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def power_below(count: int) -> int:
    """The largest power of two smaller than count."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def tree_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 2.1 over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = power_below(len(leaves))
    return node(tree_root(leaves[:k]), tree_root(leaves[k:]))


def root_of_path(hashed: bytes, m: int, n: int, path: list[bytes]) -> bytes:
    """PATH of RFC 6962 2.1.1 read backwards: the root that an audit path leads to."""
    if n == 1:
        assert not path, "the path is too long"
        return hashed
    k = power_below(n)
    if m < k:
        return node(root_of_path(hashed, m, k, path[:-1]), path[-1])
    return node(path[-1], root_of_path(hashed, m - k, n - k, path[:-1]))


def roots_of_proof(m: int, n: int, proof: list[bytes], old: bytes, known: bool = True) -> tuple[bytes, bytes]:
    """SUBPROOF of RFC 6962 2.1.2 read backwards: the old and the new root that a consistency proof leads to."""
    if m == n:
        assert len(proof) == (0 if known else 1), "the proof has the wrong length"
        return (old, old) if known else (proof[0], proof[0])
    k = power_below(n)
    if m <= k:
        before, after = roots_of_proof(m, k, proof[:-1], old, known)
        return before, node(after, proof[-1])
    before, after = roots_of_proof(m - k, n - k, proof[:-1], old, False)
    return node(proof[-1], before), node(proof[-1], after)


def read_checkpoint(note: str, vkey: str) -> tuple[int, bytes]:
    """Size and root, after the signature was checked. Asserts everything."""
    name, key_hash, encoded = vkey.strip().split("+", 2)
    key = b64decode(encoded)
    assert key[0] == 1
    assert sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_hash
    match = re.fullmatch("(([^\n]+)\n([0-9]+)\n([^\n]+)\n)\n((?:— [^ \n]+ [^ \n]+\n)+)", note)
    assert match is not None
    text, origin, size, root, lines = match.groups()
    assert origin == name
    (line,) = [one for one in lines.splitlines() if one.split(" ")[1] == name]
    signature = b64decode(line.split(" ")[2])
    assert signature[:4].hex() == key_hash
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
    return int(size), b64decode(root)
