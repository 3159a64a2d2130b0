"""Signed notes and checkpoints: published examples, what must be refused, and that no byte may change."""

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.audit.checkpoint import MAX_SIZE, Checkpoint, continues, open_checkpoint, parse_text, sign_checkpoint
from app.audit.note import LOG, WITNESS, Signer, parse_note, parse_verifier, plain_name, time_of
from app.errors import VerificationFailed
from tests.app.audit.rfc6962 import read_checkpoint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOGGER = Signer("example.com/log", LOG, KEY)
OBSERVER = Signer("witness.example", WITNESS, Ed25519PrivateKey.from_private_bytes(bytes(32)))
ROOT = b64encode(b"\x07" * 32).decode()
TEXT = f"example.com/log\n41\n{ROOT}\n"
GOOD = f"{TEXT}\n{LOGGER.line(TEXT)}"
LINE = LOGGER.line(TEXT)
EMPTY = b64encode(sha256(b"").digest()).decode()

# the example in the documentation of golang.org/x/mod/sumdb/note
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_example() -> None:
    verifier = parse_verifier(PUBLISHED_KEY)
    assert str(verifier) == PUBLISHED_KEY
    note = parse_note(PUBLISHED.encode())
    assert note.verify(verifier).name == "PeterNeumann"
    with pytest.raises(VerificationFailed):
        parse_note(PUBLISHED.replace("problem is", "problem was").encode()).verify(verifier)
    with pytest.raises(VerificationFailed, match="other lines"):
        parse_text(note.text)


def test_a_checkpoint_is_read_back_and_by_others_too() -> None:
    checkpoint = Checkpoint("example.com/log", 41, b"\x07" * 32)
    note = sign_checkpoint(checkpoint, LOGGER)
    assert note.decode() == GOOD
    assert open_checkpoint(note, LOGGER.verifier) == checkpoint
    assert read_checkpoint(note.decode(), str(LOGGER.verifier)) == (41, b"\x07" * 32)
    assert parse_verifier(f"{LOGGER.verifier}\n") == LOGGER.verifier


def test_cosignatures_are_timed_and_stand_beside_the_log_signature() -> None:
    first = parse_note(GOOD.encode()).signed_again(OBSERVER.verifier, OBSERVER.line(TEXT, 1_700_000_000))
    note = parse_note(first)
    assert open_checkpoint(first, LOGGER.verifier).size == 41
    assert time_of(note.verify(OBSERVER.verifier)) == 1_700_000_000
    raw = note.signatures[1].signature
    message = f"cosignature/v1\ntime 1700000000\n{TEXT}".encode()
    OBSERVER.private.public_key().verify(raw[8:], message)
    assert note.signatures[1].key_id == sha256(b"witness.example\n\x04" + OBSERVER.verifier.public).digest()[:4]
    again = parse_note(note.signed_again(OBSERVER.verifier, OBSERVER.line(TEXT, 1_700_000_001)))
    assert [one.name for one in again.signatures] == ["example.com/log", "witness.example"]
    later = note.signatures[1]._replace(signature=(1_700_000_001).to_bytes(8) + raw[8:])
    with pytest.raises(VerificationFailed, match="wrong signature"):
        parse_note((GOOD + later.line).encode()).verify(OBSERVER.verifier)


def b64(length: int) -> str:
    return b64encode(bytes(length)).decode()


def resigned(text: str) -> str:
    return f"{text}\n{LOGGER.line(text)}"


BAD_NOTES = {
    "nothing": "",
    "one newline": "\n",
    "two newlines": "\n\n",
    "text alone": TEXT,
    "no signature line": TEXT + "\n",
    "signature alone": "\n" + LINE,
    "no empty line": TEXT + LINE,
    "last newline missing": GOOD[:-1],
    "something after the signatures": GOOD + "more\n",
    "empty line at the end": GOOD + "\n",
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "tab": GOOD.replace("— ", "—\t"),
    "zero byte": GOOD.replace("41", "4\x001"),
    "hyphen for the dash": GOOD.replace("—", "-"),
    "no space after the dash": GOOD.replace("— ", "—"),
    "two spaces": GOOD.replace("— ", "—  "),
    "space at the end of a line": GOOD[:-1] + " \n",
    "name missing": GOOD.replace("— example.com/log ", "—  "),
    "plus in the name": GOOD.replace("— example.com/log ", "— example+log "),
    "wide space in the name": GOOD.replace("— example.com/log ", "— example\u2003log "),
    "signature missing": TEXT + "\n— example.com/log \n",
    "signature too short": TEXT + f"\n— example.com/log {b64(4)}\n",
    "signature not base64": TEXT + "\n— example.com/log ****\n",
    "signature base64 for addresses": GOOD[: len(TEXT)] + LINE.replace("+", "-").replace("/", "_"),
    "padding missing": GOOD.replace("=\n", "\n") if LINE.endswith("=\n") else GOOD[:-2] + "\n",
    "padding bits set": TEXT + "\n— example.com/log AAAAAAB=\n",
    "sixty-five signatures": TEXT + "\n" + LINE * 65,
    "too long": "x" * 70_000 + "\n\n" + LINE,
}


@pytest.mark.parametrize("name", BAD_NOTES)
def test_what_is_not_a_note_is_refused(name: str) -> None:
    with pytest.raises(VerificationFailed):
        parse_note(BAD_NOTES[name].encode())


def test_a_note_is_utf8() -> None:
    with pytest.raises(VerificationFailed, match="UTF-8"):
        parse_note(GOOD.encode().replace(b"41", b"\xff1"))


BAD_CHECKPOINTS = {
    "other size than signed": GOOD.replace("41", "42"),
    "other root than signed": GOOD.replace(ROOT, EMPTY),
    "two empty lines": TEXT + "\n\n" + LINE,
    "unsigned": TEXT + f"\n— example.com/log {b64(68)}\n",
    "signed by a key of another name": f"{TEXT}\n{Signer('example.com/other', LOG, KEY).line(TEXT)}",
    "signed by another key": f"{TEXT}\n{Signer('example.com/log', LOG, OBSERVER.private).line(TEXT)}",
    "cosigned only": f"{TEXT}\n{OBSERVER.line(TEXT, 5)}",
    "signed once rightly and once wrongly": GOOD + LOGGER.line(TEXT + "x\n"),
    "another log's origin": resigned(f"example.com/other\n41\n{ROOT}\n"),
    "two lines": resigned("example.com/log\n41\n"),
    "no origin": resigned(f"\n41\n{ROOT}\n"),
    "an extension line": resigned(TEXT + "more\n"),
    "empty line inside": resigned(f"example.com/log\n\n41\n{ROOT}\n"),
    "leading zero": resigned(f"example.com/log\n041\n{ROOT}\n"),
    "sign": resigned(f"example.com/log\n+41\n{ROOT}\n"),
    "negative": resigned(f"example.com/log\n-41\n{ROOT}\n"),
    "decimals": resigned(f"example.com/log\n41.0\n{ROOT}\n"),
    "other digits": resigned(f"example.com/log\n\u0664\u0661\n{ROOT}\n"),
    "hexadecimal": resigned(f"example.com/log\n0x29\n{ROOT}\n"),
    "spaces": resigned(f"example.com/log\n 41\n{ROOT}\n"),
    "larger than numbers are exact": resigned(f"example.com/log\n{MAX_SIZE + 1}\n{ROOT}\n"),
    "huge": resigned(f"example.com/log\n{'9' * 400}\n{ROOT}\n"),
    "root too short": resigned(f"example.com/log\n41\n{b64(31)}\n"),
    "root too long": resigned(f"example.com/log\n41\n{b64(33)}\n"),
    "root in hex": resigned(f"example.com/log\n41\n{'07' * 32}\n"),
    "root with padding bits": resigned(f"example.com/log\n41\n{ROOT[:-2]}d=\n"),
    "empty with a root": resigned(f"example.com/log\n0\n{ROOT}\n"),
}


@pytest.mark.parametrize("name", BAD_CHECKPOINTS)
def test_what_is_not_this_logs_checkpoint_is_refused(name: str) -> None:
    with pytest.raises(VerificationFailed):
        open_checkpoint(BAD_CHECKPOINTS[name].encode(), LOGGER.verifier)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    others = f"— someone.else {b64(68)}\n— example.com/log {b64(90)}\n"
    assert open_checkpoint((GOOD + others).encode(), LOGGER.verifier).size == 41
    assert open_checkpoint(resigned(f"example.com/log\n0\n{EMPTY}\n").encode(), LOGGER.verifier).size == 0


@given(st.data())
def test_no_byte_of_a_checkpoint_may_change(data: st.DataObject) -> None:
    whole = GOOD.encode()
    place = data.draw(st.integers(0, len(whole) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    with pytest.raises(VerificationFailed):
        open_checkpoint(whole[:place] + bytes([value]) + whole[place + 1 :], LOGGER.verifier)


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else_happens(garbage: bytes) -> None:
    for read in (parse_note, lambda raw: parse_verifier(raw.decode(errors="replace"))):
        with pytest.raises(VerificationFailed):
            read(garbage)


VKEY = str(LOGGER.verifier)
BAD_KEYS = {
    "empty": "",
    "two parts": "a+b",
    "other hash": VKEY.replace(VKEY.split("+")[1], "00000000"),
    "other name": "x" + VKEY,
    "capital hash": VKEY.replace(VKEY.split("+")[1], VKEY.split("+")[1].upper()),
    "unknown kind": f"a+00000000+{b64encode(b'x' * 33).decode()}",
    "too short": f"a+00000000+{b64encode(bytes([1]) * 32).decode()}",
    "space in the name": VKEY.replace("/", " "),
    "private": f"PRIVATE+KEY+{VKEY}",
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_bad_verifier_keys(name: str) -> None:
    with pytest.raises(VerificationFailed):
        parse_verifier(BAD_KEYS[name])


@pytest.mark.parametrize("name", ["", " ", "a b", "a+b", "a\u00a0b", "a\nb", "a\x00b", "a\u2028b"])
def test_names_keys_cannot_have(name: str) -> None:
    assert not plain_name(name)


def test_an_empty_log_is_the_beginning_of_every_log_of_its_name() -> None:
    empty, full = Checkpoint("a", 0, sha256(b"").digest()), Checkpoint("a", 3, bytes(32))
    assert continues(empty, full, [])
    assert not continues(Checkpoint("b", 0, empty.root), full, [])
    assert not continues(full, empty, [])
    assert not continues(full, Checkpoint("a", 3, b"\x01" * 32), [])
