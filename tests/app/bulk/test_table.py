"""`--record batch`: the same figures as by requests, one record a batch, and nobody twice however often it is cut off."""

import signal
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.audit.store import EntryFilter, Store
from app.bulk.run import Options, score
from app.bulk.table import run as table_run
from app.bulk.table.check import check_table
from app.bulk.table.hashes import root_of, row_hashes
from app.bulk.table.seals import HASHED, batch_told
from app.database import open_database
from app.errors import SetupError, Unavailable
from app.settings import Settings
from app.storage import open_store
from tests import patient
from tests.app.bulk.power import cut_off_after
from tests.app.extract.folders import edit_parquet, write_csv
from tests.app.extract.test_people import FORCE
from tests.app.test_server import COMMAND, environment
from tests.toy_bundle import as_format_1, write_toy
from training.families import FAMILIES
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.world import find_world, of_population

PART = 16
OF_EACH_WAY = {"score_id", "scored_at", "sequence", "leaf_hash", "answer"}
"""Columns in which the two ways differ, whatever they say."""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few nominals, so that some hundreds are many."""
    for module in ("part", "journal", "run"):
        monkeypatch.setattr(f"app.bulk.table.{module}.COLUMN_PART", PART)


@pytest.fixture
def settings(tmp_path: Path, toy_artifacts: Path) -> Settings:
    return Settings(home=tmp_path / "home", artifacts=toy_artifacts)


def synthetic(folder: Path, nominals: int, population: str = "stalking") -> Path:
    """A small synthetic force with all its dirt, and ids that no request can hold."""
    force = generate(nominals, 5, of_population(find_world("published"), population))
    write(force, folder, world="published", seed=5, nominals=nominals)
    for table, column in (("persons", "person_id"), ("incidents", "incident_id")):
        for name in (table, "involvements", *(("custody", "contacts") if table == "persons" else ())):
            ids = pq.read_table(folder / f"{name}.parquet")[column].to_pylist()
            odd = [f"{one} odd" if one is not None and one.endswith("77") else one for one in ids]
            edit_parquet(folder, name, column, pa.array(odd, pa.string()))
    return folder


@pytest.fixture(scope="module")
def force(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic(tmp_path_factory.mktemp("some") / "x", 500)


def stored(settings: Settings) -> Store:
    return Store(*open_store(settings))


def rows_of(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def assert_same_as_by_requests(settings: Settings, extract: Path, folder: Path, model: str) -> list[dict[str, Any]]:
    """All columns the two ways share, to 1e-6; the rows."""
    failed = [
        score(settings, extract, Options(folder / f"{record}.parquet", model=model, record=record), "local:me")
        for record in ("each", "batch")
    ]
    assert (folder / "batch.parquet").stat().st_mode & 0o777 == 0o600
    each, batch = rows_of(folder / "each.parquet"), rows_of(folder / "batch.parquet")
    shared = set(each[0]) - OF_EACH_WAY
    assert shared == set(batch[0]) - OF_EACH_WAY - {
        "number", "row_salt", "row_hash", "record_id", "features_sha256",
    }  # fmt: skip
    for one, other in zip(each, batch, strict=True):
        for name in shared:
            expected = pytest.approx(one[name], abs=1e-6) if isinstance(one[name], float) else one[name]
            assert other[name] == expected, (other["number"], name)
    assert failed[0] == failed[1] == sum(row["problem"] is not None for row in batch)
    return batch


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_as_by_requests(tmp_path: Path, family: str, force: Path) -> None:
    write_toy(tmp_path / "families", family=family)
    settings = Settings(home=tmp_path / "home", artifacts=tmp_path / "families")
    population = "sh" if FAMILIES[family].subject.day_zero != "stalking" else "stalking"
    extract = force if population == "stalking" else synthetic(tmp_path / "sh", 200, "sh")
    rows = assert_same_as_by_requests(settings, extract, tmp_path, family)
    assert len(rows) > 3 * PART
    assert {row["problem"] for row in rows} == {None, "invalid-request"}
    warned = {code for row in rows for code in row["warnings"] or ()}
    assert warned > {"short-history", "stale-day-zero", "same-day-incidents", "harm-approximate"}
    if family == "stalking-nominal":
        assert {"date-may-be-unknown", "birth-date-unknown", "incidents-after-day-zero"} < warned
        assert any(row["uncharged_incidents"] for row in rows)


def test_a_force_by_hand_and_an_older_format(tmp_path: Path) -> None:
    """Odd offences, an unknown birth and contacts; an artefact without conformal thresholds."""
    write_toy(tmp_path / "families", change=as_format_1)
    settings = Settings(home=tmp_path / "home", artifacts=tmp_path / "families")
    rows = assert_same_as_by_requests(settings, write_csv(tmp_path / "x", FORCE), tmp_path, "stalking-nominal")
    assert [row["nominal_id"] for row in rows] == ["N 5", "N-1", "N-2"]
    assert rows[0]["problem_errors"] == [{"pointer": "/nominal/nominal_id", "rule": "string-pattern-mismatch"}]
    assert rows[2]["conformal_set"] is None
    assert "victim-contacts-unknown" in rows[2]["warnings"]
    assert rows[2]["as_of"] == date(2022, 6, 1)


def test_one_record_a_batch(settings: Settings, force: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    score(settings, force, Options(out, jobs=2), "local:me")
    rows, store = rows_of(out), stored(settings)
    assert store.size() == -(-len(rows) // PART)
    entries = store.list_entries(EntryFilter(event="batch"), after=-1, limit=500)
    opened = [store.open(entry.record_id) for entry in entries]
    told = [batch_told(one.payload) for one in opened]
    assert [(one.first, one.rows) for one in told[:2]] == [(0, PART), (PART, PART)]
    assert {(one.run, one.total, one.family) for one in told} == {(entries[0].record_id, len(rows), "stalking-nominal")}
    assert {one.nominal_ids for one in opened} == {()}, "a batch names nobody"
    assert [row["number"] for row in rows] == list(range(len(rows)))
    assert len({row["row_salt"] for row in rows}) == len(rows)
    assert {(row["sequence"], row["leaf_hash"], row["scored_at"]) for row in rows[:PART]} == {
        (0, entries[0].leaf_hash, entries[0].time)
    }
    table = pq.read_table(out).slice(PART, PART).combine_chunks().to_batches()[0]
    assert root_of(row_hashes(table.select(HASHED.names))).hex() == told[1].root
    nobody = b"".join(one.payload for one in opened).decode()
    assert not any(str(row[name]) in nobody for row in rows for name in ("nominal_id", "row_salt"))
    report = check_table(out, store)
    assert (report.rows, report.batches, report.wrong) == (len(rows), len(entries), [])


def test_the_same_by_one_thread_and_by_two(
    settings: Settings, force: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All bits but those of the run: salts, ids, times."""
    outs = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    for jobs, out in enumerate(outs, start=1):
        score(settings, force, Options(out, jobs=jobs), "local:me")
    one, two = (pq.read_table(out).select(HASHED.names[:-1]) for out in outs)
    assert one.equals(two)


@pytest.mark.parametrize(
    ("parts", "recorded", "damage"),
    [(0, True, "none"), (2, True, "none"), (2, False, "torn"), (2, True, "garbage"), (2, True, "changed")],
)
def test_a_run_that_was_cut_off_goes_on(
    settings: Settings,
    force: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    parts: int,
    recorded: bool,
    damage: str,
) -> None:
    out, half = tmp_path / "out.parquet", tmp_path / ".out.parquet.half"
    with monkeypatch.context() as power:
        cut_off_after(power, table_run, parts, recorded=recorded)
        with pytest.raises(Unavailable):
            score(settings, force, Options(out, jobs=1), "local:me")
    assert sorted(path.name for path in tmp_path.glob(".out*")) == [".out.parquet.half", ".out.parquet.run"]
    left = bytearray(half.read_bytes())
    if damage == "torn":
        left = left[: len(left) * 2 // 3]
    elif damage == "garbage":
        left += bytes(1000)
    elif damage == "changed" and parts:
        left[len(left) // 2] ^= 1
    half.write_bytes(left)
    before = stored(settings).size()
    score(settings, force, Options(out, jobs=1), "local:me")
    rows, store = rows_of(out), stored(settings)
    assert [row["number"] for row in rows] == list(range(len(rows)))
    assert store.size() == -(-len(rows) // PART) > before, "no batch was recorded twice"
    assert check_table(out, store).wrong == []
    assert not list(tmp_path.glob(".out*"))


def test_another_run_does_not_go_on_with_this_one(
    settings: Settings, force: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_artifacts: Path
) -> None:
    out = tmp_path / "out.parquet"
    with monkeypatch.context() as power:
        cut_off_after(power, table_run, 1, recorded=True)
        with pytest.raises(Unavailable):
            score(settings, force, Options(out, jobs=1), "local:me")
    other = Settings(home=tmp_path / "elsewhere", artifacts=toy_artifacts)
    for here, options, subject in (
        (settings, Options(out, record="each"), "local:me"),
        (settings, Options(out, as_of=date(2022, 1, 1)), "local:me"),
        (settings, Options(out), "local:you"),
        (other, Options(out), "local:me"),
    ):
        with pytest.raises(SetupError, match=r"\.out\.parquet\.run"):
            score(here, force, options, subject)


def test_what_was_recorded_otherwise_is_not_told(
    settings: Settings, force: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that computes other figures does not finish a run: its rows are not those that were recorded."""
    out = tmp_path / "out.parquet"
    with monkeypatch.context() as power:
        cut_off_after(power, table_run, 0, recorded=True)
        with pytest.raises(Unavailable):
            score(settings, force, Options(out, jobs=1), "local:me")
    monkeypatch.setattr("app.bulk.table.part.score_rows", _other)
    with pytest.raises(SetupError, match="other figures"):
        score(settings, force, Options(out, jobs=1), "local:me")


def _other(*given: Any) -> pa.RecordBatch:
    from app.bulk.table.rows import score_rows

    rows = score_rows(*given)
    return rows.set_column(3, rows.schema.field(3), pa.array(["another"] * len(rows)))


@pytest.mark.parametrize(
    "options", [{"explain": "factors"}, {"out": Path("x.ndjson")}, {"server": "http://localhost:1"}], ids=str
)
def test_what_cannot_be_a_batch(settings: Settings, force: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    asked = Options(**({"out": tmp_path / "x.parquet", "record": "batch"} | options))
    with pytest.raises(SetupError, match="--record batch"):
        score(settings, force, asked, "local:me")


def test_nobody_to_score(settings: Settings, force: Path, tmp_path: Path) -> None:
    assert score(settings, force, Options(tmp_path / "x.parquet", as_of=date(1950, 1, 1)), "local:me") == 0
    assert pq.read_table(tmp_path / "x.parquet").num_rows == stored(settings).size() == 0
    assert check_table(tmp_path / "x.parquet", stored(settings)).wrong == []


OF_EIGHT = "import app.bulk.table.part as c; c.COLUMN_PART = 8; "
NEVER_ENDS = """
import itertools, time; from app.bulk.table.journal import TableJournal
write, parts = TableJournal.write, itertools.count()
TableJournal.write = lambda *part: write(*part) if next(parts) < 20 else time.sleep(3600)
"""
"""Stops before the end, so that it is there to be killed however long the killer takes."""
RUN = "from app.cli import main; main()"


@pytest.mark.slow
def test_a_killed_run_goes_on(tmp_path: Path, toy_artifacts: Path, database_url: str) -> None:
    """kill -9 while batches are scored and recorded; what is there then, and what a second start makes of it."""
    extract = synthetic(tmp_path / "x", 2500)
    home = tmp_path / "home"
    settings = environment(home, toy_artifacts, database_url)
    home.mkdir()
    assert subprocess.run([*COMMAND, "keys", "create"], env=settings, check=True, capture_output=True)
    out = tmp_path / "out.parquet"
    python, arguments = [COMMAND[0], "-c"], ["score", str(extract), "--out", str(out), "--jobs", "2"]
    command = [*python, OF_EIGHT + NEVER_ENDS + RUN, *arguments]
    half = tmp_path / ".out.parquet.half"
    for size in (1, 40_000):
        process = subprocess.Popen(command, env=settings, stderr=subprocess.DEVNULL, start_new_session=True)
        assert patient.waited(lambda size=size: half.exists() and half.stat().st_size > size)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    again = subprocess.run(
        [*python, OF_EIGHT + RUN, *arguments], env=settings, capture_output=True, text=True, check=False
    )
    assert again.returncode == 1, "some have ids no request can hold"
    assert len(again.stderr.splitlines()) == 2, "incidents left out, and requests that could not be scored"
    rows = rows_of(out)
    assert [row["number"] for row in rows] == list(range(len(rows)))
    engine = open_database(database_url)
    assert sorted({row["sequence"] for row in rows}) == list(range(-(-len(rows) // 8))), "all of them, none twice"
    engine.dispose()
    checked = subprocess.run(
        [*COMMAND, "audit", "table", str(out)], env=settings, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
