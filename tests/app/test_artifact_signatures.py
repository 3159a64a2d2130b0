"""Who vouches for an artefact: signing, checking, refusing."""

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.artifact_signatures import SIGNATURE, make_key, read_signer, read_trusted, statement
from app.artifacts import load_bundle, load_current, sign_artefact
from app.audit.checkpoint import parse_text
from app.audit.note import WITNESS, Signer
from app.database import sqlite_url
from app.errors import SetupError, VerificationFailed
from app.harm.service import load_scorer
from tests import patient
from tests.app.service_fixtures import LOGS, running
from tests.app.test_artifacts import flip
from tests.app.test_server import dayzero, environment, headers, server
from tests.toy_bundle import write_toy


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "own.key", "force-data-science")
    return tmp_path / "own.key"


def public(key: Path) -> Path:
    return key.with_name(f"{key.name}.pub")


def signed_toy(tmp_path: Path, key: Path) -> Path:
    folder = write_toy(tmp_path / "artifacts")
    sign_artefact(folder, read_signer(key))
    return folder


def test_a_signed_artefact_loads_and_says_by_whom(tmp_path: Path, key: Path) -> None:
    folder = signed_toy(tmp_path, key)
    assert load_bundle(folder, read_trusted(public(key))).signed_by == "force-data-science"
    assert load_bundle(folder).signed_by is None, "without keys nothing was checked, so nothing is claimed"
    assert load_scorer(tmp_path / "artifacts", Path("none"), public(key)).models["stalking-nominal"].bundle.signed_by
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def sign_again(folder: Path, key: Path) -> None:
    (folder / SIGNATURE).unlink()
    sign_artefact(folder, read_signer(key))


def other_key(folder: Path, _: Path) -> None:
    make_key(folder.parent / "other.key", "force-data-science")
    sign_again(folder, folder.parent / "other.key")


def change_manifest(folder: Path, _: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"seed": 2}))


def change_both(folder: Path, key: Path) -> None:
    """Model and manifest changed together: the digests agree, the signature does not."""
    manifest = json.loads((folder / "manifest.json").read_text())
    flip(folder / "golden.jsonl", 10)
    manifest["files"]["golden.jsonl"] = hashlib.sha256((folder / "golden.jsonl").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def moved(folder: Path, key: Path) -> None:
    """The rightful signature of another version."""
    other = write_toy(folder.parents[1], version="9.9")
    sign_artefact(other, read_signer(key))
    (folder / SIGNATURE).write_bytes((other / SIGNATURE).read_bytes())


def witness_key(folder: Path, key: Path) -> None:
    signer = read_signer(key)
    text = (folder / SIGNATURE).read_text().split("\n\n")[0] + "\n"
    (folder / SIGNATURE).write_text(f"{text}\n{Signer(signer.name, WITNESS, signer.private).line(text, 1)}")


def a_checkpoint(folder: Path, key: Path) -> None:
    """What the same key may have signed elsewhere."""
    text = f"force-data-science\n3\n{'A' * 43}=\n"
    (folder / SIGNATURE).write_text(f"{text}\n{read_signer(key).line(text)}")


def linked(folder: Path, _: Path) -> None:
    (folder / SIGNATURE).rename(folder.parent / "elsewhere")
    (folder / SIGNATURE).symlink_to(folder.parent / "elsewhere")


SPOILT: dict[str, Callable[[Path, Path], Any]] = {
    "no signature": lambda folder, _: (folder / SIGNATURE).unlink(),
    "empty signature": lambda folder, _: (folder / SIGNATURE).write_bytes(b""),
    "not a note": lambda folder, _: (folder / SIGNATURE).write_bytes(b"\xff" * 300),
    "too large": lambda folder, _: (folder / SIGNATURE).write_bytes(b"a" * 100_000),
    "flipped bit": lambda folder, _: flip(folder / SIGNATURE, -8),
    "another key of the same name": other_key,
    "another manifest": change_manifest,
    "file and manifest changed together": change_both,
    "the signature of another version": moved,
    "a witness's signature": witness_key,
    "a signed checkpoint": a_checkpoint,
    "a symbolic link": linked,
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_nobody_vouches_for_is_refused(tmp_path: Path, key: Path, spoil: Callable[[Path, Path], Any]) -> None:
    folder = signed_toy(tmp_path, key)
    spoil(folder, key)
    with pytest.raises(SetupError, match="nobody whom DAYZERO_ARTIFACT_KEYS trusts"):
        load_bundle(folder, read_trusted(public(key)))


def test_a_flipped_file_is_found_behind_a_good_signature(tmp_path: Path, key: Path) -> None:
    folder = signed_toy(tmp_path, key)
    flip(folder / "model.onnx")
    with pytest.raises(SetupError, match="SHA-256"):
        load_bundle(folder, read_trusted(public(key)))


def test_two_people_may_sign_and_either_is_enough(tmp_path: Path, key: Path) -> None:
    folder = signed_toy(tmp_path, key)
    make_key(tmp_path / "second.key", "ethics-board")
    sign_artefact(folder, read_signer(tmp_path / "second.key"))
    for one, name in ((key, "force-data-science"), (tmp_path / "second.key", "ethics-board")):
        assert load_bundle(folder, read_trusted(public(one))).signed_by == name
    before = (folder / SIGNATURE).read_bytes()
    sign_artefact(folder, read_signer(key))
    assert sorted((folder / SIGNATURE).read_bytes().splitlines()) == sorted(before.splitlines()), (
        "signing twice adds nothing"
    )


def test_one_wrong_signature_of_a_trusted_key_spoils_it(tmp_path: Path, key: Path) -> None:
    folder = signed_toy(tmp_path, key)
    lines = (folder / SIGNATURE).read_text()
    wrong = read_signer(key).line("another text\n")
    (folder / SIGNATURE).write_text(lines + wrong)
    with pytest.raises(SetupError, match="nobody whom"):
        load_bundle(folder, read_trusted(public(key)))


def test_keys_in_a_folder(tmp_path: Path, key: Path) -> None:
    folder = signed_toy(tmp_path, key)
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "a").write_text(public(key).read_text())
    make_key(tmp_path / "b.key", "another")
    (keys / "b").write_text(f"\n{public(tmp_path / 'b.key').read_text()}\n")
    assert [found.name for found in read_trusted(keys)] == ["force-data-science", "another"]
    assert load_current(folder.parents[1], read_trusted(keys))["stalking-nominal"].signed_by == "force-data-science"


@pytest.mark.parametrize("content", ["", "\n", "not a key\n", "a+b+c\n", "\0", None, "SECRET"])
def test_keys_that_are_none(tmp_path: Path, key: Path, content: str | None) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(key.read_text() if content == "SECRET" else content)
    with pytest.raises(SetupError, match="DAYZERO_ARTIFACT_KEYS") as refused:
        read_trusted(path)
    secret = key.read_text().strip().split("+", 4)[4]  # base64, which may hold a "+" itself
    assert secret not in refused.value.detail


@pytest.mark.parametrize("content", [b"", b"x", b"\xff\xfe", b"PRIVATE+KEY+", b"PRIVATE+KEY+a+b+c", b"a" * 10_000])
def test_signing_keys_that_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(SetupError, match="keygen"):
        read_signer(tmp_path / "key")


def test_keys_are_never_overwritten(tmp_path: Path, key: Path) -> None:
    secret, open_half = key.read_bytes(), public(key).read_bytes()
    with pytest.raises(SetupError, match="never overwritten"):
        make_key(key, "again")
    public(key).unlink()
    with pytest.raises(SetupError, match="never overwritten"):
        make_key(key, "again")
    assert key.read_bytes() == secret
    for name in ("", "two words", "a+b"):
        with pytest.raises(SetupError, match="name"):
            make_key(tmp_path / "new.key", name)
    with pytest.raises(SetupError, match="cannot be written"):
        make_key(tmp_path / "nowhere" / "new.key", "name")
    assert open_half


def test_only_whole_artefacts_in_their_place_are_signed(tmp_path: Path, key: Path) -> None:
    folder = write_toy(tmp_path / "artifacts")
    elsewhere = folder.rename(folder.with_name("7"))
    with pytest.raises(SetupError, match="<family>/<version>"):
        sign_artefact(elsewhere, read_signer(key))
    folder = elsewhere.rename(folder)
    flip(folder / "model.onnx")
    with pytest.raises(SetupError, match="SHA-256"):
        sign_artefact(folder, read_signer(key))
    assert not (folder / SIGNATURE).exists()


def test_what_is_signed_cannot_be_a_checkpoint() -> None:
    with pytest.raises(VerificationFailed):
        parse_text(statement("family/1", "0" * 64))


def test_the_commands_and_a_real_server(tmp_path: Path, key: Path) -> None:
    folder = write_toy(tmp_path / "artifacts")
    settings = environment(tmp_path / "home", tmp_path / "artifacts")
    checking = settings | {"DAYZERO_ARTIFACT_KEYS": str(public(key))}
    refused = dayzero(checking, "serve", "--port", "0")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1), "unsigned: it does not start"
    assert "DAYZERO_ARTIFACT_KEYS" in refused.stderr
    assert dayzero(settings, "artifacts", "sign", str(folder), "--key", str(key)).returncode == 0
    told = dayzero(checking, "artifacts", "verify", str(folder))
    assert "whole and signed by force-data-science" in told.stdout
    with server(checking) as (address, _):
        models = patient.get(f"{address}/models", headers=headers(checking, "score")).json()["models"]
        assert [model["signed_by"] for model in models] == ["force-data-science"]


def test_serving_without_keys_is_said_aloud(tmp_path: Path, toy_artifacts: Path) -> None:
    with running(sqlite_url(tmp_path), tmp_path, toy_artifacts) as client:
        said = [json.loads(line) for line in LOGS.getvalue().splitlines()]
        warned = [line for line in said if line["event"] == "artefact-not-checked-against-a-key"]
        assert [(line["level"], line["family"]) for line in warned] == [
            ("warning", "noncrime-harm"), ("warning", "stalking-nominal")
        ]  # fmt: skip
        assert [model["signed_by"] for model in client.get("/models").json()["models"]] == [None, None]
        assert client.get("/models/stalking-nominal").json()["signed_by"] is None
        assert "dayzero_artefacts_unsigned 2.0" in client.as_caller("p", "metrics").get("/metrics").text
