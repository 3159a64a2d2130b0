"""The `dayzero` command, run as a person would."""

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.harm.features import FEATURES
from app.harm.harm_index import index_in_force
from app.security import SCOPES
from tests.requests import example


@pytest.fixture
def home(tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAYZERO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAYZERO_ARTIFACTS", str(toy_artifacts))
    monkeypatch.delenv("DAYZERO_DATABASE_URL", raising=False)
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def write(folder: Path, name: str, *requests: object) -> Path:
    path = folder / name
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in requests))
    return path


@pytest.mark.parametrize("command", [[], ["serve"], ["token"], ["features"], ["score"], ["explain"], ["audit"],
                                     ["audit", "verify"], ["audit", "export"], ["audit", "receipt"], ["audit", "verify-receipt"],
                                     ["audit", "witness"], ["harm-index", "import"], ["keys", "create"],
                                     ["keys", "show"], ["db", "upgrade"]])  # fmt: skip
def test_help_teaches(command: list[str]) -> None:
    shown = run(*command, "--help")
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) > 4


def test_features_prints_the_worked_example(home: Path) -> None:
    shown = run("features", write(home, "request.json", example()))
    assert shown.exit_code == 0, shown.output
    rows = list(csv.DictReader(io.StringIO(shown.output)))
    assert len(rows) == 20
    assert tuple(rows[0]) == FEATURES
    assert all(float(value) == 0 for row in rows[:17] for value in row.values())
    assert float(rows[17]["age_at_offence"]) == pytest.approx(29.9986, abs=1e-4)
    assert float(rows[18]["cumulative_harm_decayed"]) == pytest.approx(7.6897, abs=1e-4)
    assert float(rows[19]["harm_momentum"]) == pytest.approx(0.9430052, abs=1e-6)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "json-syntax"),
        ("CANARY", "json-syntax"),
        ("{}", "/nominal: missing"),
        (json.dumps(example(model="canary-model")), "/model: unknown-model"),
    ],
)
def test_features_of_garbage_is_one_clear_line(home: Path, content: str, said: str) -> None:
    shown = run("features", write(home, "request.json", content))
    assert shown.exit_code == 1
    assert said in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert "canary" not in shown.output.lower()


def test_usage_errors_exit_with_two(home: Path) -> None:
    for arguments in (
        ["features"],
        ["features", "nowhere.json"],
        ["nonsense"],
        ["serve", "--port", "99999"],
        ["token"],
    ):
        assert run(*arguments).exit_code == 2, arguments


def test_tokens(home: Path) -> None:
    good = run("token", "--subject", "desk-7", *(f"--scope={scope}" for scope in SCOPES))
    assert good.exit_code == 0
    assert len(good.output.strip().split(".")) == 3
    for usage in (["--scope=everything"], ["--scope=score", "--hours=9"], ["--scope=score", "--hours=0"]):
        assert run("token", *usage).exit_code == 2
    refused = run("token", "--scope=score", "--subject=\n")
    assert refused.exit_code == 1
    assert len(refused.stderr.splitlines()) == 1


def test_score_many_lines_with_a_problem_in_its_place(home: Path) -> None:
    lines = write(home, "many.ndjson", example(), "CANARY", example(explain="none"), example(model="nothing"))
    out = home / "scores.ndjson"
    shown = run("score", lines, "--out", out)
    assert shown.exit_code == 1
    assert "2 of the requests" in shown.stderr
    answers = [json.loads(line) for line in out.read_text().splitlines()]
    assert [answer.get("type", "score") for answer in answers] == [
        "score",
        "malformed-body",
        "score",
        "invalid-request",
    ]
    assert [answers[0]["audit"]["sequence"], answers[2]["audit"]["sequence"]] == [0, 1]
    assert "CANARY" not in out.read_text()
    assert run("audit", "verify").exit_code == 0


def test_one_request_prints_json_for_pipes(home: Path) -> None:
    shown = run("score", write(home, "request.json", example()))
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["history"]["used"] == 3


def test_scoring_through_a_server_needs_a_token_and_a_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = write(home, "request.json", example())
    monkeypatch.delenv("DAYZERO_TOKEN", raising=False)
    assert "DAYZERO_TOKEN" in run("score", request, "--server", "http://127.0.0.1:9").stderr
    monkeypatch.setenv("DAYZERO_TOKEN", "x")
    refused = run("score", request, "--server", "http://127.0.0.1:9")
    assert refused.exit_code == 1
    assert "did not answer" in refused.stderr


def test_verify_finds_a_changed_record_and_names_it(home: Path) -> None:
    lines = write(home, "many.ndjson", *[example(explain="none")] * 5)
    assert run("score", lines, "--out", home / "out").exit_code == 0
    assert run("audit", "export", "--out", home / "log.ndjson").exit_code == 0
    assert run("audit", "verify", home / "log.ndjson").exit_code == 0
    (database,) = (home / "home").glob("*.db")
    with sqlite3.connect(database) as tampered:
        for (trigger,) in tampered.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            tampered.execute(f"DROP TRIGGER {trigger}")
        tampered.execute("UPDATE entry SET event = 'read' WHERE sequence = 3")
    refused = run("audit", "verify")
    assert refused.exit_code == 1
    assert "entry_refuse_update" in refused.stderr, "what keeps the log append-only is gone"
    assert "record 3" in refused.stderr, "and so is the record that was changed"
    changed = (home / "log.ndjson").read_text().splitlines()
    changed[3], changed[4] = changed[4], changed[3]
    (home / "log.ndjson").write_text("\n".join(changed) + "\n")
    assert run("audit", "verify", home / "log.ndjson").exit_code == 1


def test_verify_garbage(home: Path) -> None:
    refused = run("audit", "verify", write(home, "garbage.ndjson", "CANARY"))
    assert refused.exit_code == 1
    assert "CANARY" not in refused.stderr
    assert "Traceback" not in refused.output


def test_importing_a_harm_index_asks_for_a_new_fit(home: Path) -> None:
    header = "Home Office Classification,FULL_OFFENCE_TITLE,CCHI_SCORE,GROUP,SUB_GROUP"
    workbook = write(home, "cchi.csv", header, "008/06,Assault,20,Violence,Violence with injury", "nonsense,x,y,z,w")
    done = run("harm-index", "import", workbook)
    assert done.exit_code == 0, done.output
    assert "row 3 not used" in done.stderr
    refused = run("score", write(home, "request.json", example()))
    assert refused.exit_code == 1
    assert "another harm index" in refused.stderr
    refused = run("harm-index", "import", write(home, "bad.csv", "a,b", "1,2"))
    assert refused.exit_code == 1


def test_keys_are_made_once(home: Path) -> None:
    assert "Created" in run("keys", "create").output
    assert "nothing was changed" in run("keys", "create").output


@pytest.mark.parametrize(("out", "code"), [("/nonexistent/x", 1), ("/dev/full", 1), ("link", 1), ("folder", 2)])
def test_results_go_to_plain_files_only(home: Path, out: str, code: int) -> None:
    request = write(home, "request.json", example())
    (home / "target").write_text("kept")
    (home / "link").symlink_to(home / "target")
    (home / "folder").mkdir()
    for command in (["score", request, "--out", home / out], ["audit", "export", "--out", home / out]):
        refused = run(*command)
        assert refused.exit_code == code, command
        assert code == 2 or len(refused.stderr.splitlines()) == 1
    assert (home / "target").read_text() == "kept"
    assert Path("/dev/full").is_char_device()


def test_writing_over_the_requests_themselves_loses_nothing(home: Path) -> None:
    lines = write(home, "many.ndjson", example(), example())
    assert run("score", lines, "--out", lines).exit_code == 0
    assert [json.loads(line)["audit"]["sequence"] for line in lines.read_text().splitlines()] == [0, 1]


@pytest.mark.parametrize("server", ["", "http://[::1", "nonsense"])
def test_an_address_that_is_none(home: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("DAYZERO_TOKEN", "x")
    refused = run("score", write(home, "request.json", example()), "--server", server)
    assert refused.exit_code == 1
    assert len(refused.stderr.splitlines()) == 1
    monkeypatch.setenv("DAYZERO_TOKEN", "tökén")
    assert "DAYZERO_TOKEN" in run("score", home / "request.json", "--server", "http://127.0.0.1:9").stderr


def test_keys_without_their_ledger_do_not_begin_another(home: Path) -> None:
    request = write(home, "request.json", example())
    assert run("score", request).exit_code == 0
    for left in (home / "home").glob("dayzero.db*"):
        left.unlink()
    refused = run("score", request)
    assert refused.exit_code == 1
    assert "belong to a ledger" in refused.stderr


def test_a_second_import_builds_on_the_first(home: Path) -> None:
    header = "Home Office Classification,FULL_OFFENCE_TITLE,CCHI_SCORE,GROUP,SUB_GROUP"
    for number, row in enumerate(("008/65,Stalking,252,Violence,S&H", "008/66,Stalking,182,Violence,S&H")):
        assert run("harm-index", "import", write(home, f"cchi{number}.csv", header, row)).exit_code == 0
    index = index_in_force(home / "home" / "harm_index.csv")
    assert [index.lookup(code).harm for code in ("00865", "00866") if index.lookup(code)] == [252.0, 182.0]
