"""`POST /prioritise` over a service with a nominal's and a victim's model: the order, what is refused, the one record."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.audit.contents import Contents
from app.audit.verify import verify_database
from app.database import open_database
from app.triage.priority import LIMIT, RULE
from tests.app.harm.test_explanation import random_request
from tests.app.service_fixtures import LOGS, Client, running
from tests.app.test_api import check_problem, events
from tests.app.test_erasure_api import post
from tests.requests import example
from tests.toy_bundle import as_seen_by, write_toy

NOBODY = "0190a000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def three_families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    artifacts = tmp_path_factory.mktemp("artifacts")
    for family in ("stalking-nominal", "stalking-victim", "sh-nominal"):
        write_toy(artifacts, family=family)
    return artifacts


@pytest.fixture
def clinic(database_url: str, tmp_path: Path, three_families: Path) -> Iterator[Client]:
    with running(database_url, tmp_path, three_families) as client:
        yield client


def score(client: Client, name: str, seed: int, model: str = "stalking-nominal") -> dict[str, Any]:
    request = random_request(seed) | {"nominal": {"nominal_id": name}, "explain": "none", "model": model}
    answer = client.score(as_seen_by("victim", request) if model == "stalking-victim" else request)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ask(client: Client, *nominals: tuple[str, list[str]], **more: Any) -> Any:
    body = {"nominals": [{"score_id": one, "victim_scores": victims} for one, victims in nominals], **more}
    return post(client.as_caller("officer", "triage"), "/prioritise", body)


def test_the_order_follows_the_scores(clinic: Client, database_url: str) -> None:
    nominals = [score(clinic, f"N-{seed}", seed) for seed in range(40, 52)]
    victims = [score(clinic, f"V-{seed}", seed, "stalking-victim") for seed in range(70, 76)]
    pairs = [(one["score_id"], [victims[at % 6]["score_id"]] if at % 3 else []) for at, one in enumerate(nominals)]
    answer = ask(clinic, *pairs, purpose="safeguarding")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["rule"], told["notes"][0]) == (RULE, LIMIT)
    places = told["positions"]
    groups = ["0-50", "50-80", "80-90", "90-100"]
    keys = [
        (
            -groups.index(one["score"]["group"]),
            -max([groups.index(victim["group"]) for victim in one["victims"]], default=0),
            min(known["days_free"] for known in (one["score"], *one["victims"])),
        )
        for one in places
    ]
    assert keys == sorted(keys)
    assert [one["position"] for one in places] == [1 + sum(other < key for other in keys) for key in keys]
    assert {one["nominal_id"] for one in places} == {f"N-{seed}" for seed in range(40, 52)}
    by_id = {one["score_id"]: one for one in (*nominals, *victims)}
    for one in places:
        for known in (one["score"], *one["victims"]):
            harm = by_id[known["score_id"]]["harm"]
            assert known["group"] == harm["predicted_group"]
            assert known["top_group_probability"] == harm["population_probabilities"][3]
            curve = clinic.get(f"/scores/{known['score_id']}/survival?daily=true").json()["probability"]
            assert known["days_free"] == pytest.approx(sum(curve[1:]), abs=0.5 + 1e-6)
        assert str(one["score"]["group"]) in one["reason"]
    again = ask(clinic, *reversed(pairs)).json()
    assert again["positions"] == places
    engine = open_database(database_url)
    report = verify_database(engine, contents=Contents(engine, clinic.app.state.keys, every=True))
    engine.dispose()
    assert report.ok, report.problems


def test_one_record_holds_the_list_and_goes_with_each_of_its_people(clinic: Client) -> None:
    one, other = score(clinic, "N-1", 1), score(clinic, "N-2", 2)
    victim = score(clinic, "V-1", 3, "stalking-victim")
    before = events(clinic)
    told = ask(clinic, (one["score_id"], [victim["score_id"]]), (other["score_id"], [])).json()
    assert events(clinic)[len(before) :] == ["priority"]
    store = clinic.app.state.store
    for name in ("N-1", "N-2", "V-1"):
        assert told["list_id"] in [entry.record_id for entry in store.records_of_nominal(name)]
    for known in (one, other, victim):
        (entry,) = store.records_about([known["score_id"]], event="priority")[known["score_id"]]
        assert (entry.record_id, entry.leaf_hash) == (told["list_id"], told["audit"]["leaf_hash"])
    kept = json.loads(store.open_record(told["list_id"]))
    assert kept == {name: value for name, value in told.items() if name != "audit"}
    officer = clinic.as_caller("officer", "triage")
    check_problem(post(officer, f"/scores/{one['score_id']}/view", {"level": "high"}), 409, "view-after-reading")
    order = {"nominal_id": "V-1", "authority": "minute 1", "reason": "subject-request"}
    assert post(clinic.as_caller("dpo", "admin"), "/erasures", order).json()["records"] >= 2
    assert store.entry_of(told["list_id"]).erased
    assert "N-1" not in LOGS.getvalue()


def test_what_cannot_be_put_in_order(clinic: Client) -> None:
    one, again, other = score(clinic, "N-1", 1), score(clinic, "N-1", 2), score(clinic, "N-2", 3)
    group = score(clinic, "N-3", 4, "sh-nominal")
    victim = score(clinic, "V-1", 5, "stalking-victim")
    gone = score(clinic, "N-9", 6)
    order = {"nominal_id": "N-9", "authority": "minute 1", "reason": "subject-request"}
    post(clinic.as_caller("dpo", "admin"), "/erasures", order)
    body = json.dumps(example(nominal={"nominal_id": "N-8"})).encode()
    sent = clinic.headers | {"Content-Type": "application/json"}
    hidden = clinic.http.post("/score?reveal=after-view", content=body, headers=sent).json()
    ids = {"one": one, "again": again, "other": other, "group": group, "victim": victim, "gone": gone, "hidden": hidden}
    at = {name: known["score_id"] for name, known in ids.items()} | {"nobody": NOBODY}

    def faults(*nominals: tuple[str, list[str]]) -> list[tuple[str, str]]:
        asked = [(at[name], [at[victim] for victim in victims]) for name, victims in nominals]
        problem = check_problem(ask(clinic, *asked), 422, "invalid-request")
        assert not any(known in json.dumps(problem) for known in at.values())
        return [(fault["pointer"], fault["rule"]) for fault in problem["errors"]]

    assert faults(("one", []), ("nobody", [])) == [("/nominals/1/score_id", "no-such-score")]
    assert faults(("gone", []), ("one", ["hidden"])) == [
        ("/nominals/0/score_id", "erased"),
        ("/nominals/1/victim_scores/0", "view-first"),
    ]
    assert faults(("one", []), ("again", [])) == [("/nominals/1/score_id", "repeated-nominal")]
    assert faults(("one", []), ("one", [])) == [("/nominals/1/score_id", "repeated-nominal")]
    assert faults(("one", ["victim", "victim"])) == [("/nominals/0/victim_scores/1", "repeated-score")]
    assert faults(("victim", ["other"])) == [
        ("/nominals/0/score_id", "not-a-nominal-score"),
        ("/nominals/0/victim_scores/0", "not-a-victim-score"),
    ]
    assert faults(("one", []), ("group", [])) == [("/nominals/1/score_id", "another-family")]
    assert "priority" not in events(clinic)


def test_a_corrected_score_is_refused_and_an_open_challenge_is_said(clinic: Client) -> None:
    one, other = score(clinic, "N-1", 1), score(clinic, "N-2", 2)
    officer = clinic.as_caller("officer", "triage")
    lodged = {"ground": "wrong-fact", "raised_by": "officer", "text": "Another person's incident."}
    challenge = post(officer, f"/scores/{one['score_id']}/challenges", lodged).json()
    told = ask(clinic, (one["score_id"], []), (other["score_id"], [])).json()
    place = next(each["position"] for each in told["positions"] if each["nominal_id"] == "N-1")
    assert f"A challenge to the score of position {place} is open." in told["notes"]
    corrected = random_request(1) | {"nominal": {"nominal_id": "N-1"}, "explain": "none"}
    outcome = {"outcome": "upheld", "reason": "It was.", "corrected": corrected}
    where = f"/scores/{one['score_id']}/challenges/{challenge['challenge_id']}/outcome"
    assert post(officer, where, outcome).status_code == 200
    problem = check_problem(ask(clinic, (one["score_id"], [])), 422, "invalid-request")
    assert problem["errors"] == [{"pointer": "/nominals/0/score_id", "rule": "superseded"}]


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        ({}, "/nominals", "missing"),
        ({"nominals": []}, "/nominals", "too-short"),
        ({"nominals": [{"score_id": "CANARY"}]}, "/nominals/0/score_id", "string-pattern-mismatch"),
        ({"nominals": [{"score_id": NOBODY, "CANARY 1": 1}]}, "/nominals/0", "unknown-field"),
        ({"nominals": [{"score_id": NOBODY, "victim_scores": [1]}]}, "/nominals/0/victim_scores/0", "string-type"),
        ({"nominals": [{"score_id": NOBODY}] * 201}, "/nominals", "too-long"),
        ({"nominals": [{"score_id": NOBODY}], "purpose": "CANARY"}, "/purpose", "literal-error"),
    ],
)
def test_garbage(sqlite_service: Client, body: dict[str, Any], pointer: str, rule: str) -> None:
    answer = post(sqlite_service.as_caller("officer", "triage"), "/prioritise", body)
    problem = check_problem(answer, 422, "invalid-request")
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["rule"]) == (pointer, rule)
    assert "CANARY" not in answer.text
