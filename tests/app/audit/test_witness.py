"""The witness cosigns what continues, refuses everything else, and never forgets what it signed; receipts of one record."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.audit import proofs
from app.audit.checkpoint import Checkpoint, sign_checkpoint
from app.audit.ledger import Ledger
from app.audit.note import LOG, Signer, parse_note
from app.audit.receipt import is_receipt, make_receipt, verify_receipt
from app.audit.signing import Checkpoints
from app.audit.store import Store
from app.audit.witness import Witness, cosigned_at
from app.audit.witness_sources import FileSource, read_proof
from app.errors import DayZeroError, SetupError, VerificationFailed
from app.keys import Keys
from tests.app.audit.rfc6962 import read_checkpoint, root_of_path
from tests.app.audit.samples import fill


@dataclass
class Log:
    """A source straight from the database, that may lie."""

    engine: Engine
    checkpoints: Checkpoints
    lies: bytes | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)

    def checkpoint(self) -> bytes:
        return self.lies or self.checkpoints.sign().note

    def proof(self, first: int, second: int) -> list[bytes]:
        self.asked.append((first, second))
        return proofs.consistency(self.engine, first, second)


@pytest.fixture
def log(engine: Engine, keys: Keys) -> Log:
    return Log(engine, Checkpoints(engine, keys))


@pytest.fixture
def witness(log: Log, tmp_path: Path) -> Witness:
    (tmp_path / "w").mkdir()
    return Witness(tmp_path / "w" / "state", log.checkpoints.verifier, "witness.example")


def test_a_first_run_must_be_asked_for(witness: Witness, log: Log, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="--trust-first"):
        witness.cosign(log)
    assert {path.name for path in (tmp_path / "w").iterdir()} == {"state.lock"}
    first = witness.cosign(log, trust_first=True)
    assert (first.before, first.checkpoint.size, log.asked) == (None, 0, [])
    assert (tmp_path / "w" / "state").read_bytes() == first.note
    for name in ("state", "state.key"):
        assert (tmp_path / "w" / name).stat().st_mode & 0o777 == 0o600


def test_it_cosigns_what_continues(witness: Witness, log: Log, ledger: Ledger) -> None:
    witness.cosign(log, trust_first=True)
    sizes = []
    for growth in (3, 0, 7, 1):
        fill(ledger, growth)
        cosigned = witness.cosign(log)
        sizes.append((cosigned.before, cosigned.checkpoint.size))
        assert abs(cosigned_at(cosigned.note, witness.verifier()) - time.time()) < 60
        assert len(parse_note(cosigned.note).signatures) == 2
        assert read_checkpoint(cosigned.note.decode(), str(log.checkpoints.verifier))[0] == cosigned.checkpoint.size
    assert sizes == [(0, 3), (3, 3), (3, 10), (10, 11)]
    assert log.asked == [(3, 10), (10, 11)], "nothing is to be proven of an empty log, or of one that has not grown"


def forked(keys: Keys, origin: str, size: int) -> bytes:
    return sign_checkpoint(Checkpoint(origin, size, b"\x05" * 32), Signer(origin, LOG, keys.note))


REFUSED: dict[str, tuple[Callable[[Keys, str, list[bytes]], bytes], str]] = {
    "cut off": (lambda keys, origin, older: older[0], "set back"),
    "rewritten, same size": (lambda keys, origin, older: forked(keys, origin, 12), "does not continue"),
    "rewritten and grown": (lambda keys, origin, older: forked(keys, origin, 16), "does not continue"),
    "another log": (lambda keys, origin, older: forked(keys, "example.com/x", 20), "not signed"),
    "garbage": (lambda keys, origin, older: b"\xff", "not a signed note"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_what_does_not(
    witness: Witness, log: Log, ledger: Ledger, keys: Keys, tmp_path: Path, name: str
) -> None:
    fill(ledger, 6)
    older = [witness.cosign(log, trust_first=True).note]
    fill(ledger, 6)
    before = witness.cosign(log).note
    fill(ledger, 4)
    make, said = REFUSED[name]
    log.lies = make(keys, log.checkpoints.verifier.name, older)
    for trust in (False, True):
        with pytest.raises(VerificationFailed, match=said):
            witness.cosign(log, trust_first=trust)
    assert (tmp_path / "w" / "state").read_bytes() == before, "a refusal changes nothing"
    log.lies = None
    assert witness.cosign(log).checkpoint.size == 16


SPOILED: dict[str, Callable[[Path], object]] = {
    "state edited": lambda folder: (folder / "state").write_bytes((folder / "state").read_bytes().replace(b"\n6\n", b"\n5\n")),
    "state without its own signature": lambda folder: (folder / "state").write_bytes(
        b"".join((folder / "state").read_bytes().splitlines(keepends=True)[:-1])
    ),
    "state empty": lambda folder: (folder / "state").write_bytes(b""),
    "key gone": lambda folder: (folder / "state.key").unlink(),
    "key damaged": lambda folder: (folder / "state.key").write_text("PRIVATE+KEY+a+b"),
    "key of another name": lambda folder: (folder / "state.key").write_text(
        (folder / "state.key").read_text().replace("witness.example", "other.example")
    ),
    "state gone": lambda folder: (folder / "state").unlink(),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_memory_cosigns_nothing(witness: Witness, log: Log, ledger: Ledger, tmp_path: Path, how: str) -> None:
    fill(ledger, 6)
    witness.cosign(log, trust_first=True)
    SPOILED[how](tmp_path / "w")
    fill(ledger, 1)
    with pytest.raises(DayZeroError) as caught:
        witness.cosign(log)
    assert isinstance(caught.value, SetupError | VerificationFailed)


def test_files_carried_over(witness: Witness, log: Log, ledger: Ledger, engine: Engine, tmp_path: Path) -> None:
    note, proof = tmp_path / "note", tmp_path / "proof.json"
    fill(ledger, 5)
    note.write_bytes(log.checkpoint())
    witness.cosign(FileSource(note, None), trust_first=True)
    fill(ledger, 6)
    note.write_bytes(log.checkpoint())
    with pytest.raises(SetupError, match="first=5&second=11"):
        witness.cosign(FileSource(note, None))
    for wrong in ("[]", "{}", '{"hashes": [1]}', '{"hashes": ["zz"]}', "[" * 99_999, "\x00"):
        proof.write_text(wrong)
        with pytest.raises(VerificationFailed):
            witness.cosign(FileSource(note, proof))
    proof.write_text(json.dumps({"hashes": [one.hex() for one in proofs.consistency(engine, 4, 11)]}))
    with pytest.raises(VerificationFailed, match="other sizes"):
        witness.cosign(FileSource(note, proof))
    proof.write_text(json.dumps({"hashes": [one.hex() for one in proofs.consistency(engine, 5, 11)]}))
    assert witness.cosign(FileSource(note, proof)).checkpoint.size == 11
    assert read_proof(b'{"hashes": []}') == []


@pytest.fixture
def receipt(log: Log, ledger: Ledger, store: Store, engine: Engine) -> dict:
    fill(ledger, 11)
    return json.loads(make_receipt(engine, store.entry(4), log.checkpoints.sign(), log.checkpoints.verifier))


def test_a_receipt_proves_one_record(receipt: dict, log: Log, store: Store) -> None:
    raw = json.dumps(receipt).encode()
    assert is_receipt(raw)
    proven = verify_receipt(raw, log.checkpoints.verifier)
    assert (proven.sequence, proven.envelope.record_id) == (4, store.entry(4).record_id)
    size, root = read_checkpoint(receipt["checkpoint"], receipt["key"])
    path = [bytes.fromhex(one) for one in receipt["inclusion"]]
    assert root_of_path(bytes.fromhex(proven.leaf_hash), 4, size, path) == root


RECEIPT_EDITS: dict[str, Callable[[dict], object]] = {
    "another place": lambda found: found | {"sequence": 5},
    "hash dropped": lambda found: found | {"inclusion": found["inclusion"][:-1]},
    "hash doubled": lambda found: found | {"inclusion": [*found["inclusion"], found["inclusion"][0]]},
    "hashes swapped": lambda found: found | {"inclusion": found["inclusion"][::-1]},
    "hash in capitals": lambda found: found | {"inclusion": [one.upper() for one in found["inclusion"]]},
    "leaf not base64": lambda found: found | {"leaf": "*"},
    "leaf empty": lambda found: found | {"leaf": ""},
    "other checkpoint": lambda found: found | {"checkpoint": found["checkpoint"].replace("\n11\n", "\n12\n")},
    "no checkpoint": lambda found: {name: value for name, value in found.items() if name != "checkpoint"},
    "unknown member": lambda found: found | {"more": 1},
    "other format": lambda found: found | {"format": "dayzero-receipt-2"},
    "number as text": lambda found: found | {"sequence": "4"},
    "lone surrogate": lambda found: found | {"checkpoint": "\ud800"},
    "not an object": lambda found: [found],
}


@pytest.mark.parametrize("name", RECEIPT_EDITS)
def test_an_edited_receipt_is_refused(receipt: dict, log: Log, name: str) -> None:
    with pytest.raises(VerificationFailed):
        verify_receipt(json.dumps(RECEIPT_EDITS[name](receipt)).encode(), log.checkpoints.verifier)


def test_the_key_inside_a_receipt_is_not_trusted(receipt: dict, keys: Keys, log: Log) -> None:
    forger = Signer(log.checkpoints.verifier.name, LOG, keys.token)
    lines = receipt["checkpoint"].split("\n")
    text = "\n".join(lines[:3]) + "\n"
    forged = receipt | {"checkpoint": f"{text}\n{forger.line(text)}", "key": str(forger.verifier)}
    with pytest.raises(VerificationFailed, match="not signed"):
        verify_receipt(json.dumps(forged).encode(), log.checkpoints.verifier)
