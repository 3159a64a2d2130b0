"""`dayzero score` of files and extracts: the same whatever the way, and nobody twice however often it is cut off."""

import json
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from app.audit.erasing import Eraser, Order
from app.audit.store import EntryFilter, Store
from app.body import MAX_BODY
from app.bulk import run as running
from app.bulk.run import Options, score
from app.database import open_database
from app.errors import SetupError, Unavailable
from app.harm.archive import from_bytes
from app.settings import Settings
from app.storage import open_store
from tests import patient
from tests.app.bulk.power import cut_off_after
from tests.app.extract.folders import write_csv
from tests.app.extract.test_people import FORCE
from tests.app.test_server import COMMAND, environment
from tests.requests import example
from tests.toy_bundle import write_toy

OF_EACH_RUN = ("score_id", "scored_at", "audit")
PART = 8
WHOLE_PART = 256


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a few requests, so that a run of some dozens has several."""
    for module in ("journal", "sources", "extract_part", "run"):
        monkeypatch.setattr(f"app.bulk.{module}.PART", PART)


@pytest.fixture
def settings(tmp_path: Path, toy_artifacts: Path) -> Settings:
    return Settings(home=tmp_path / "home", artifacts=toy_artifacts)


@pytest.fixture
def force(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "force", FORCE)


def requests(folder: Path, count: int, *, name: str = "many.ndjson") -> Path:
    """Requests that differ, every seventh of them garbage."""
    path = folder / name
    lines = [
        json.dumps(example(explain="none", index_victim_contacts=n, nominal={"nominal_id": f"N-{n}"}))
        for n in range(count)
    ]
    path.write_text("\n".join("CANARY" if n % 7 == 6 else line for n, line in enumerate(lines)) + "\n\n")
    return path


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def bare(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in answer.items() if name not in OF_EACH_RUN} for answer in answers]


def stored(settings: Settings) -> Store:
    return Store(*open_store(settings))


def test_an_extract_is_read_as_the_model_asked_reads_it(settings: Settings, force: Path, tmp_path: Path) -> None:
    write_toy(tmp_path / "families", family="stalking-victim")
    here = settings.model_copy(update={"artifacts": tmp_path / "families"})
    assert score(here, force, Options(out=tmp_path / "out.ndjson", model="stalking-victim"), "local") == 0
    answers = lines_of(tmp_path / "out.ndjson")
    assert [answer["nominal_id"] for answer in answers] == ["V-1", "V-2"], "they are the victims of A"
    assert {answer["model"]["family"] for answer in answers} == {"stalking-victim"}
    with pytest.raises(SetupError, match="no artefact of that --model"):
        score(here, force, Options(out=tmp_path / "other.ndjson", model="sh-nominal"), "local")


def test_an_extract_as_lines_and_as_a_table(settings: Settings, force: Path, tmp_path: Path) -> None:
    ndjson, table = tmp_path / "scores.ndjson", tmp_path / "scores.parquet"
    for out in (ndjson, table):
        assert score(settings, force, Options(out, record="each"), "local:me") == 1, (
            "one nominal has an id no request can hold"
        )
    found = lines_of(ndjson)
    assert [answer["nominal_id"] for answer in found] == ["N 5", "N-1", "N-2"]
    assert found[0]["errors"] == [{"pointer": "/nominal/nominal_id", "rule": "string-pattern-mismatch"}]
    assert [one["as_of"] for one in found[1:]] == ["2022-06-01"] * 2
    assert [out.stat().st_mode & 0o777 for out in (ndjson, table)] == [0o600] * 2, "whole answers about people"
    rows = pq.read_table(table).to_pylist()
    assert bare([json.loads(row["answer"]) for row in rows]) == bare(found)
    first, told = rows[1], json.loads(rows[1]["answer"])
    assert (first["nominal_id"], first["problem"], first["as_of"]) == ("N-1", None, date(2022, 6, 1))
    assert [first[f"population_{group}"] for group in ("0_50", "50_80", "80_90", "90_100")] == told["harm"][
        "population_probabilities"
    ]
    assert first["no_incident_by_90"] == told["survival"]["at"]["90"]
    assert first["warnings"] == [warning["code"] for warning in told["history"]["warnings"]]
    assert (first["sequence"], first["leaf_hash"]) == (told["audit"]["sequence"], told["audit"]["leaf_hash"])
    assert (rows[0]["problem"], rows[0]["problem_status"], rows[0]["score_id"]) == ("invalid-request", 422, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["force", "home", "scores.ndjson", "scores.parquet"]


def test_what_is_scored_is_recorded_and_can_be_erased(settings: Settings, force: Path, tmp_path: Path) -> None:
    score(settings, force, Options(tmp_path / "out.ndjson", explain="factors"), "local:me")
    first, second = lines_of(tmp_path / "out.ndjson")[1:]
    assert first["explanation"]["by"] == "factors"
    store = stored(settings)
    opened = store.open(first["score_id"])
    assert (opened.subject, json.loads(from_bytes(opened.payload).request)["nominal"]["nominal_id"]) == (
        "local:me",
        "N-1",
    )
    engine, keys = open_store(settings)
    assert Eraser(engine, keys).erase(Order("N-1", "i", "s", "a", "r")).records == 1
    known = store.entries_of([first["score_id"], second["score_id"]])
    assert [known[one["score_id"]].erased for one in (first, second)] == [True, False], "of each nominal alone"


def test_the_same_by_one_thread_and_by_processes(settings: Settings, tmp_path: Path) -> None:
    many = requests(tmp_path, 3 * PART + 5)
    outs = [tmp_path / "one.ndjson", tmp_path / "two.parquet"]
    failed = [score(settings, many, Options(out, jobs=jobs), "local:me") for jobs, out in enumerate(outs, start=1)]
    assert failed == [(3 * PART + 5) // 7] * 2
    lines, table = lines_of(outs[0]), pq.read_table(outs[1])
    names = table["nominal_id"].to_pylist()
    assert names == [None if n % 7 == 6 else f"N-{n}" for n in range(len(names))]
    told = [json.loads(answer) for answer in table["answer"].to_pylist()]
    for answer in told:
        answer.pop("nominal_id", None)
    assert bare(told) == bare(lines)
    assert [answer["audit"]["sequence"] for answer in lines if "audit" in answer] == list(range(len(lines) - failed[0]))


@pytest.mark.parametrize("name", ["out.ndjson", "out.parquet"])
@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("parts", [0, 2])
def test_a_run_that_was_cut_off_goes_on(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: int, recorded: bool, name: str
) -> None:
    many, out = requests(tmp_path, 3 * PART + 5), tmp_path / name
    with monkeypatch.context() as power:
        cut_off_after(power, running, parts, recorded=recorded)
        with pytest.raises(Unavailable):
            score(settings, many, Options(out, jobs=1), "local:me")
    assert not out.exists()
    half = tmp_path / f".{name}.half"
    assert half.read_bytes().count(b"\n") == parts * PART
    with half.open("ab") as torn:
        torn.write(b'{"score_id": "half a li')
    score(settings, many, Options(out, jobs=1), "local:me")
    answers = pq.read_table(out)["answer"].to_pylist() if name.endswith("parquet") else out.read_text().splitlines()
    found = [json.loads(answer) for answer in answers]
    assert len(found) == 3 * PART + 5
    assert [answer.get("type", "score") for answer in found] == [
        "malformed-body" if n % 7 == 6 else "score" for n in range(len(found))
    ]
    receipts = [answer["audit"] for answer in found if "audit" in answer]
    store = stored(settings)
    assert store.size() == len(receipts), "nobody was recorded twice"
    known = {
        entry.sequence: entry
        for after in (-1, 499)
        for entry in store.list_entries(EntryFilter(), after=after, limit=500)
    }
    assert all(known[one["sequence"]].leaf_hash == one["leaf_hash"] for one in receipts)
    assert not list(tmp_path.glob(f".{name}.*"))


def test_what_was_erased_meanwhile_is_not_told_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many, out = requests(tmp_path, 5), tmp_path / "out.ndjson"
    with monkeypatch.context() as power:
        cut_off_after(power, running, 0, recorded=True)
        with pytest.raises(Unavailable):
            score(settings, many, Options(out, jobs=1), "local:me")
    engine, keys = open_store(settings)
    assert Eraser(engine, keys).erase(Order("N-2", "i", "s", "a", "r")).records == 1
    assert score(settings, many, Options(out, jobs=1), "local:me") == 1
    assert [answer.get("type", "score") for answer in lines_of(out)] == ["score", "score", "erased", "score", "score"]


def test_another_run_does_not_go_on_with_this_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_artifacts: Path
) -> None:
    many, out = requests(tmp_path, 5), tmp_path / "out.ndjson"
    with monkeypatch.context() as power:
        cut_off_after(power, running, 0, recorded=False)
        with pytest.raises(Unavailable):
            score(settings, many, Options(out, jobs=1), "local:me")
    elsewhere = Settings(home=tmp_path / "elsewhere", artifacts=toy_artifacts)
    for other, given, subject in (
        (settings, requests(tmp_path, 6, name="other.ndjson"), "local:me"),
        (elsewhere, many, "local:me"),
        (settings, many, "local:you"),
    ):
        with pytest.raises(SetupError, match=r"\.out\.ndjson\.run"):
            score(other, given, Options(out), subject)
    (tmp_path / ".out.ndjson.run").write_text("{")
    with pytest.raises(SetupError, match="delete the file"):
        score(settings, many, Options(out, jobs=1), "local:me")
    (tmp_path / ".out.ndjson.run").unlink()
    assert score(settings, many, Options(out, jobs=1), "local:me") == 0
    assert len(lines_of(out)) == 5


@pytest.mark.parametrize("what", ["extract", "table"])
def test_without_arrow(
    settings: Settings, tmp_path: Path, force: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    for module in ("app.bulk.parquet", "app.bulk.extract_part", "app.extract.people"):
        monkeypatch.setitem(sys.modules, module, None)
    given, out = (force, "out.ndjson") if what == "extract" else (requests(tmp_path, 1), "out.parquet")
    with pytest.raises(SetupError, match=r"'\.\[bulk\]'"):
        score(settings, given, Options(tmp_path / out), "local:me")
    assert not (tmp_path / out).exists()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_may_be_as_long_as_a_body_and_its_break_besides(settings: Settings, tmp_path: Path, end: str) -> None:
    line = json.dumps(example(explain="none")).ljust(MAX_BODY)
    (tmp_path / "long.ndjson").write_text(f"{line}{end}{line} {end}", newline="")
    assert score(settings, tmp_path / "long.ndjson", Options(tmp_path / "out.ndjson"), "local:me") == 1
    assert [answer.get("type", "score") for answer in lines_of(tmp_path / "out.ndjson")] == ["score", "too-large"]


@pytest.mark.parametrize("name", ["out.ndjson", "out.parquet"])
def test_nobody_to_score(settings: Settings, tmp_path: Path, force: Path, name: str) -> None:
    assert score(settings, force, Options(tmp_path / name, as_of=date(2001, 1, 1)), "local:me") == 0
    if name.endswith("parquet"):
        assert pq.read_table(tmp_path / name).num_rows == 0
    else:
        assert (tmp_path / name).read_bytes() == b""


def test_a_folder_that_is_no_extract(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="persons"):
        score(settings, tmp_path, Options(tmp_path / "out.ndjson"), "local:me")


NEVER_ENDS = """
import itertools, time; from app.bulk.journal import Journal; from app.cli import main
write, parts = Journal.write, itertools.count()
Journal.write = lambda *part: write(*part) if next(parts) < 5 else time.sleep(3600)
main()
"""
"""Stops before the end, so that it is there to be killed however long the killer takes."""


@pytest.mark.slow
def test_a_killed_run_goes_on(tmp_path: Path, toy_artifacts: Path, database_url: str) -> None:
    """kill -9 while two processes score; what is there then, and what a second start makes of it."""
    settings = environment(tmp_path / "home", toy_artifacts, database_url)
    (tmp_path / "home").mkdir()
    assert subprocess.run([*COMMAND, "keys", "create"], env=settings, check=True, capture_output=True)
    many, out = requests(tmp_path, 8 * WHOLE_PART), tmp_path / "out.ndjson"
    arguments = ["score", str(many), "--out", str(out), "--jobs", "2"]
    process = subprocess.Popen(
        [COMMAND[0], "-c", NEVER_ENDS, *arguments], env=settings, stderr=subprocess.DEVNULL, start_new_session=True
    )
    half = tmp_path / ".out.ndjson.half"
    assert patient.waited(lambda: half.exists() and half.stat().st_size > 0)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    written = half.read_bytes().count(b"\n")
    assert 0 < written < 8 * WHOLE_PART
    again = subprocess.run([*COMMAND, *arguments], env=settings, capture_output=True, text=True, check=False)
    assert again.returncode == 1, "every seventh line is garbage"
    assert len(again.stderr.splitlines()) == 1, again.stderr
    receipts = [answer["audit"]["sequence"] for answer in lines_of(out) if "audit" in answer]
    assert len(receipts) == 8 * WHOLE_PART - 8 * WHOLE_PART // 7
    engine = open_database(database_url)
    assert sorted(receipts) == list(range(len(receipts))), "all of them, none twice, nothing else in the log"
    engine.dispose()
    with pytest.raises(ProcessLookupError):  # no worker outlives its parent
        patient.waited(lambda: os.killpg(process.pid, 0) is not None)
