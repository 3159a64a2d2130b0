"""Evidence from end to end: a real service, real commands, a witness beside it, and a database that was set back."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.keys import create_keys
from tests import patient
from tests.app.audit import rfc6962
from tests.app.test_server import dayzero, environment, headers, server
from tests.requests import example

QUICK = {"DAYZERO_CHECKPOINT_SECONDS": "0.2"}


def checkpoint_of(address: str, bearer: dict[str, str], size: int) -> str:
    """The first checkpoint of at least that size."""
    notes: list[str] = []

    def large_enough() -> bool:
        notes.append(patient.get(f"{address}/audit/checkpoint", headers=bearer).text)
        return int(notes[-1].split("\n")[1]) >= size

    assert patient.waited(large_enough), "no checkpoint in time"
    return notes[-1]


def verifier_key(settings: dict[str, str]) -> str:
    shown = dayzero(settings, "keys", "show")
    assert shown.returncode == 0, shown.stderr
    lines = dict(line.split(": ") for line in shown.stdout.splitlines())
    assert list(lines) == ["index", "encryption", "token", "note", "verifier"]
    return lines["verifier"]


def check_elsewhere(settings: dict[str, str], folder: Path, vkey: str, scored: dict[str, Any]) -> None:
    """What was exported to `folder` proves itself where there is neither database nor key of the service."""
    nothing, export, receipt = folder / "nothing", str(folder / "log.ndjson"), str(folder / "receipt.json")
    alone = {"PATH": settings["PATH"], "PYTHONPATH": settings["PYTHONPATH"], "DAYZERO_HOME": str(nothing)}
    continued = ["--origin", vkey.split("+", maxsplit=1)[0], "--since", str(folder / "old.note")]
    for arguments, said in (
        (["verify", export, "--key", vkey, *continued], "covers, unchanged"),
        (["verify", export, "--key", vkey], "Removal of records after size 3 cannot be excluded"),
        (["verify-receipt", receipt, "--key", vkey], scored["audit"]["leaf_hash"]),
        (["verify", receipt, "--key", vkey], scored["score_id"]),
    ):
        checked = dayzero(alone, "audit", *arguments)
        assert checked.returncode == 0, checked.stderr
        assert said in checked.stdout
    assert not nothing.exists(), "neither database nor keys were needed"


def test_a_score_is_covered_proven_witnessed_and_exported(
    database_url: str, tmp_path: Path, toy_artifacts: Path
) -> None:
    create_keys(tmp_path)
    settings = environment(tmp_path, toy_artifacts, database_url) | QUICK
    bearer = headers(settings, "score", "audit")
    token = bearer["Authorization"].removeprefix("Bearer ")
    state = tmp_path / "witness.note"
    with server(settings) as (address, _):
        vkey = patient.get(f"{address}/audit/key", headers=bearer).text.strip()
        assert vkey == verifier_key(settings)
        origin = vkey.split("+")[0]
        scored = patient.post(f"{address}/score", json=example(), headers=bearer).json()
        size, root = rfc6962.read_checkpoint(checkpoint_of(address, bearer, 1), vkey)
        asked = f"sequence={scored['audit']['sequence']}&size={size}"
        proof = patient.get(f"{address}/audit/proof/inclusion?{asked}", headers=bearer).json()["hashes"]
        leaf = bytes.fromhex(scored["audit"]["leaf_hash"])
        assert rfc6962.root_of_path(leaf, 0, size, [bytes.fromhex(one) for one in proof]) == root

        witness = ["audit", "witness", "--state", str(state), "--key", vkey, "--origin", origin, "--server", address]
        remote = settings | {"DAYZERO_TOKEN": token}
        assert "--trust-first" in dayzero(remote, *witness).stderr
        first = dayzero(remote, *witness, "--trust-first")
        assert first.returncode == 0, first.stderr
        assert first.stdout == state.read_text()
        patient.post(f"{address}/score", json=example(), headers=bearer)
        checkpoint_of(address, bearer, 2)
        second = dayzero(remote, *witness)
        assert (second.returncode, second.stderr.split(":")[0]) == (
            0,
            "Cosigned 2 records, continues 1 records. Witness key",
        )
        assert dayzero(settings, *witness).returncode == 1, "without a token"

        export = tmp_path / "log.ndjson"
        export.write_bytes(patient.get(f"{address}/audit/export", headers=bearer).content)
        receipt = dayzero(settings, "audit", "receipt", scored["score_id"], "--out", str(tmp_path / "receipt.json"))
        assert receipt.returncode == 0, receipt.stderr
    first_note = tmp_path / "old.note"
    first_note.write_text(first.stdout)
    check_elsewhere(settings, tmp_path, vkey, scored)


def test_a_restored_backup_is_not_served(tmp_path: Path, toy_artifacts: Path) -> None:
    home, backup, state = tmp_path / "home", tmp_path / "backup", tmp_path / "witness.note"
    settings = environment(home, toy_artifacts) | QUICK
    with server(settings) as (address, process):
        bearer = headers(settings, "score", "audit")
        patient.post(f"{address}/score", json=example(), headers=bearer)
        process.terminate()
        process.wait(patient.SECONDS)
    shutil.copytree(home, backup)
    with server(settings) as (address, process):
        for _ in range(3):
            patient.post(f"{address}/score", json=example(), headers=bearer)
        note = tmp_path / "note"
        note.write_text(checkpoint_of(address, bearer, 4))
        process.terminate()
        process.wait(patient.SECONDS)
    vkey = verifier_key(settings)
    witness = [
        "audit",
        "witness",
        "--state",
        str(state),
        "--key",
        vkey,
        "--origin",
        vkey.split("+")[0],
        "--trust-first",
    ]
    assert dayzero(settings, *witness, "--checkpoint", str(note)).returncode == 0
    watched = settings | {"DAYZERO_WITNESS_STATE": str(state)}
    with server(watched) as (address, _):
        assert patient.get(f"{address}/health/ready").status_code == 200
    shutil.rmtree(home)
    shutil.copytree(backup, home)
    refused = dayzero(watched, "serve", "--port", "0")
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "DAYZERO_WITNESS_STATE covers 4" in refused.stderr
    (home / "missing").mkdir()
    assert "leave the setting out" in dayzero(watched | {"DAYZERO_WITNESS_STATE": str(home / "x")}, "serve").stderr


def test_the_last_records_are_signed_when_the_service_stops(tmp_path: Path, toy_artifacts: Path) -> None:
    settings = environment(tmp_path, toy_artifacts) | {"DAYZERO_CHECKPOINT_SECONDS": "10"}
    with server(settings) as (address, process):
        bearer = headers(settings, "score", "audit")
        assert checkpoint_of(address, bearer, 0).split("\n")[1] == "0", "signed at start"
        patient.post(f"{address}/score", json=example(), headers=bearer)
        process.terminate()
        assert process.wait(patient.SECONDS) == 0
    with server(settings) as (address, _):
        assert checkpoint_of(address, bearer, 0).split("\n")[1] == "1"


@pytest.mark.parametrize(
    "setting", [{"DAYZERO_ORIGIN": "a b"}, {"DAYZERO_ORIGIN": "a+b"}, {"DAYZERO_CHECKPOINT_SECONDS": "11"},
                {"DAYZERO_CHECKPOINT_SECONDS": "0"}],
)  # fmt: skip
def test_unusable_settings(tmp_path: Path, toy_artifacts: Path, setting: dict[str, str]) -> None:
    refused = dayzero(environment(tmp_path, toy_artifacts) | setting, "serve")
    assert refused.returncode == 1
    assert next(iter(setting)) in refused.stderr


def test_commands_that_are_not_understood(tmp_path: Path, toy_artifacts: Path) -> None:
    settings = environment(tmp_path / "home", toy_artifacts)
    vkey = verifier_key(settings)
    file = tmp_path / "file"
    file.write_text(json.dumps({"format": "dayzero-receipt-1"}))
    witness = ["audit", "witness", "--state", str(tmp_path / "s"), "--key", vkey, "--origin", vkey.split("+")[0]]
    for arguments, code in (
        (["audit", "verify", "--since", str(file)], 2),
        (["audit", "verify", "--origin", "x"], 2),
        (["audit", "verify", str(file)], 2),
        (witness, 2),
        ([*witness, "--server", "http://127.0.0.1:9", "--checkpoint", str(file)], 2),
        ([*witness, "--server", "http://127.0.0.1:9", "--proof", str(file)], 2),
        ([*witness, "--server", "http://127.0.0.1:9"], 1),
        ([*witness, "--checkpoint", str(file), "--trust-first"], 1),
        (["audit", "verify", str(file), "--key", vkey], 1),
        (["audit", "verify", str(file), "--key", vkey, "--origin", "other"], 1),
        (["audit", "verify", str(file), "--key", "nonsense"], 1),
        (["audit", "verify-receipt", str(file), "--key", vkey], 1),
        (["audit", "receipt", "nothing", "--out", str(tmp_path / "out")], 1),
    ):
        ended = dayzero(settings, *arguments)
        assert ended.returncode == code, (arguments, ended.stderr)
        assert "Traceback" not in ended.stderr
        if code == 1:
            assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert not (tmp_path / "out").exists()


def test_csv_export_by_command(tmp_path: Path, toy_artifacts: Path) -> None:
    settings = environment(tmp_path, toy_artifacts)
    done = dayzero(settings, "audit", "export", "--out", str(tmp_path / "log.csv"), "--format", "csv")
    assert (done.returncode, done.stdout.split(", ")[1]) == (0, "1 records\n")
    header, line = (tmp_path / "log.csv").read_text().splitlines()
    assert (header.split(",")[2], line.split(",")[2]) == ("event", "export")
