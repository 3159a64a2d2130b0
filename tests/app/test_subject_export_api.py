"""Everything held on a nominal: all of it, nobody else's, and erased with the nominal."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData

from app.audit.contents import Contents
from app.audit.subject_export import held_on
from app.audit.verify import verify_database
from app.database import open_database
from tests.app.service_fixtures import Client
from tests.app.test_api import check_problem, events
from tests.app.test_erasure_api import ORDER, post
from tests.requests import example

WHOM = {"nominal_id": "N-104"}


def lived_through(service: Client) -> tuple[list[str], Client]:
    """All that can happen to a nominal, and then the same for another; ids of the first one's scores."""
    scores: list[str] = []
    clinic = service.as_caller("clinic", "triage")
    for nominal_id in ("N-104", "N-105"):
        who = example(nominal={"nominal_id": nominal_id})
        sent = service.headers | {"Content-Type": "application/json"}
        first = service.http.post("/score?reveal=after-view", content=json.dumps(who).encode(), headers=sent)
        where = first.headers["location"]
        post(clinic, f"{where}/view", {"level": "high", "reason": "words of a view"})
        service.get(where)
        post(clinic, f"{where}/decisions", {"level": "medium", "reason": "words of a decision"})
        told = {"ground": "wrong-fact", "raised_by": "data-subject", "text": "words of a challenge"}
        challenge = post(clinic, f"{where}/challenges", told).json()
        outcome = {"outcome": "upheld", "reason": "words of an outcome", "corrected": who | {"custody_dates": []}}
        path = f"{where}/challenges/{challenge['challenge_id']}/outcome"
        second = post(clinic, path, outcome).json()["corrected_score_id"]
        post(service.as_caller("auditor", "audit:unseal"), f"{where}/replay", b"")
        post(service.as_caller("auditor", "audit"), "/audit/search", {"nominal_id": nominal_id})
        scores += [first.json()["score_id"], second] if nominal_id == "N-104" else []
    clinic.get("/scores")
    return scores, clinic


def test_everything_held_and_nothing_else(service: Client) -> None:
    scores, _ = lived_through(service)
    stored = [service.as_caller("clinic", "triage").get(f"/scores/{one}").json() for one in scores]
    answer = post(service.as_caller("dpo", "audit:unseal"), "/subject-exports", WHOM)
    assert answer.status_code == 200, answer.text
    assert "N-104" not in str(answer.headers) + str(answer.request.url)
    told = answer.json()
    records: list[dict[str, Any]] = told["records"]
    assert [one["event"] for one in records] == [
        "score", "view", "read", "decision", "challenge", "score", "challenge", "replay", "read", "read", "read", "read",
        "export",
    ]  # fmt: skip
    assert [one["sequence"] for one in records] == sorted(one["sequence"] for one in records)
    assert (told["held"], told["erased"], told["nominal_id"]) == (len(records), 0, "N-104")
    by_id = {one["record_id"]: one for one in records}
    for given in stored:
        kept = by_id[given["score_id"]]["content"]
        assert kept["answer"] == {name: value for name, value in given.items() if name != "audit"}
        assert kept["request"]["incidents"][0]["incident_id"] == "A"
        assert len(kept["curve"]) == 366
    texts = [str(one["content"]) for one in records]
    for words in ("words of a view", "words of a decision", "words of a challenge", "words of an outcome"):
        assert sum(words in text for text in texts) == 1
    assert "N-105" not in answer.text
    assert {one["by"]["subject"] for one in records} == {"integration", "clinic", "auditor", "dpo"}
    assert records[-1]["content"] == {"route": "/subject-exports", "records": len(records) - 1}
    assert set(records[-1]["about"]) == set(scores)
    again = post(service.as_caller("dpo", "audit:unseal"), "/subject-exports", WHOM).json()
    assert again["held"] == len(records) + 1, "the export before is held, too"


def test_what_is_erased_is_told_as_erased(service: Client, database_url: str) -> None:
    scores, clinic = lived_through(service)
    store, keys = service.app.state.store, service.app.state.keys
    dpo = service.as_caller("dpo", "audit:unseal", "admin")
    before = {entry.record_id: entry for entry in held_on(store, "N-104")}
    named = [one for one in before.values() if one.event != "read" or store.open(one.record_id).nominal_ids]
    assert post(dpo, "/erasures", ORDER).json()["records"] == len(named) == 8

    assert all(store.entry_of(one.record_id).erased for one in named)
    left = [one for one in before.values() if one not in named]
    assert {one.event for one in left} == {"read"}
    for one in left:  # who read is kept, and leads to nothing any more
        assert b"N-104" not in store.open_record(one.record_id)
    where = f"/scores/{scores[0]}"
    for path in ("", "/survival", "/decisions", "/challenges"):
        check_problem(clinic.get(where + path), 410, "erased")
    form = {
        "level": "high",
        "reason": "x",
        "ground": "other",
        "raised_by": "officer",
        "text": "x",
        "outcome": "rejected",
    }
    for path, names in (("view", ("level",)), ("decisions", ("level",)), ("challenges", ("ground", "raised_by", "text")),
                        ("challenges/x/outcome", ("outcome", "reason"))):  # fmt: skip
        check_problem(post(clinic, f"{where}/{path}", {name: form[name] for name in names}), 410, "erased")
    check_problem(post(dpo, f"{where}/replay", b""), 410, "erased")
    told = post(dpo, "/subject-exports", WHOM).json()
    assert ([one["event"] for one in told["records"]], told["held"], told["erased"]) == (["export"], 1, 0)
    assert "erasure" in told["note"]
    other = post(dpo, "/subject-exports", {"nominal_id": "N-105"}).json()
    assert other["held"] > 10, "nobody else's is touched"

    engine = open_database(database_url)
    assert verify_database(engine, contents=Contents(engine, keys, every=True)).problems == []
    assert not leaks(engine)
    engine.dispose()


def leaks(engine: Engine) -> list[str]:
    """Tables that hold a nominal's id in the open."""
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        return [table.name for table in found.sorted_tables for row in connection.execute(table.select())
                if b"N-10" in b"|".join(bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode()
                                        for one in row)]  # fmt: skip


def test_erased_while_it_is_written(service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look-up and the reading of a record its content may go: the record is told, its content is not."""
    lived_through(service)
    state, dpo = service.app.state, service.as_caller("dpo", "audit:unseal", "admin")
    whole = state.store.open_all

    def erased_first(entries: Any) -> Any:
        post(dpo, "/erasures", ORDER)
        return whole(entries)

    monkeypatch.setattr(state.store, "open_all", erased_first)
    told = post(dpo, "/subject-exports", WHOM).json()
    gone = [one for one in told["records"] if one["erased"]]
    assert (told["erased"], len(gone)) == (9, 9), "the export's own record names the nominal, too"
    assert all(one["content"] is None and one["by"] is None for one in gone)
    assert all(one["content"] for one in told["records"] if not one["erased"])


def test_cut_off_in_the_middle_it_is_no_json(sqlite_service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_service.score(example())
    store = sqlite_service.app.state.store
    whole = store.open_all

    def failing(entries: Any) -> Any:
        yield next(whole(entries))
        raise RuntimeError

    monkeypatch.setattr(store, "open_all", failing)
    try:
        text = post(sqlite_service.as_caller("dpo", "audit:unseal"), "/subject-exports", WHOM).text
    except RuntimeError:
        text = ""
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_nobody_without_the_scope(sqlite_service: Client) -> None:
    before = events(sqlite_service).count("export")
    for scope in ("score", "triage", "audit", "admin", "metrics"):
        refused = post(sqlite_service.as_caller("someone", scope), "/subject-exports", WHOM)
        check_problem(refused, 403, "not-allowed")
    assert events(sqlite_service).count("export") == before


def test_unrecorded_means_not_exported(service: Client) -> None:
    service.score(example())
    service.app.state.ledger.close()
    answer = post(service.as_caller("dpo", "audit:unseal"), "/subject-exports", WHOM)
    assert answer.status_code == 503
    assert "records" not in answer.text.replace("record store", "")
