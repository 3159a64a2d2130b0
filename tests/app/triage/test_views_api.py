"""An officer's own view before the score is shown: nothing of the estimate leaves until then."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.errors import ViewFirst
from app.explain_command import explain_stored
from app.harm.reading import RECORD_IT
from app.media import JSON
from tests.app.service_fixtures import Client
from tests.app.test_api import check_problem, events
from tests.app.test_erasure_api import post
from tests.requests import example

VIEW = {"level": "high", "reason": "Threats to the new partner are not in the record."}
GIVES_AWAY = ("probabilit", "predicted", 'harm"', "survival", "explanation", "median_days", "90-100", "0-50", "advis")


def ask(service: Client, path: str = "/score?reveal=after-view", **headers: str) -> Any:
    sent = service.headers | {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return service.http.post(path, content=json.dumps(example(explain="both")).encode(), headers=sent)


def test_nothing_of_the_estimate_leaves_before_a_view(service: Client) -> None:
    given = ask(service, Idempotency_Key="k")
    assert given.status_code == 200, given.text
    told = given.json()
    where = f"/scores/{told['score_id']}"
    assert given.headers["location"] == where
    assert told.keys() == {
        "score_id", "scored_at", "as_of", "day_zero", "model", "history", "status", "record_it", "audit",
    }  # fmt: skip
    assert (told["status"], told["record_it"]) == ("withheld until a view is recorded", RECORD_IT)
    assert not [word for word in GIVES_AWAY if word in given.text]
    clinic = service.as_caller("clinic", "triage")
    for reader in (service, clinic):
        for path in (where, f"{where}/survival", f"{where}/explanation", f"{where}/explanation?by=incidents"):
            refused = reader.get(path)
            check_problem(refused, 409, "view-first")
            assert "retry-after" not in refused.headers
        (line,) = reader.get("/scores").json()["scores"]
        assert (line["withheld"], line["predicted_group"], line["top_group_probability"]) == (True, None, None)
    for path in ("decisions", "challenges"):
        check_problem(clinic.get(f"{where}/{path}"), 409, "view-first")
    check_problem(post(clinic, f"{where}/decisions", {"level": "high"}), 409, "view-first")
    again = ask(service, Idempotency_Key="k")
    assert (again.content, again.headers["idempotency-replayed"]) == (given.content, "true")
    check_problem(ask(service, "/score", Idempotency_Key="k"), 422, "idempotency-mismatch")
    store = service.app.state.store
    assert not store.records_about([told["score_id"]])[told["score_id"]], "nobody has read it"

    shown = post(clinic, f"{where}/view", VIEW)
    assert shown.status_code == 200, shown.text
    view = shown.json()["view"]
    assert (view["level"], view["reason"], view["late"], view["by"]) == ("high", VIEW["reason"], False, "clinic")
    stored = service.get(where)
    assert stored.status_code == 200
    assert shown.content.endswith(b',"score":' + stored.content + b"}"), "byte for byte"
    assert ask(service, Idempotency_Key="k").content == stored.content
    (line,) = service.get("/scores").json()["scores"]
    assert line["predicted_group"] == stored.json()["harm"]["predicted_group"]
    assert line["withheld"] is False
    assert service.get(f"{where}/survival").status_code == 200
    assert view["agreement"] in {"same", "higher"}


def test_a_score_shown_at_once_is_as_ever(sqlite_service: Client) -> None:
    service = sqlite_service
    assert ask(service, "/score?reveal=at-once").json().keys() == service.score(example()).json().keys()
    misspelt = check_problem(ask(service, "/score?reveel=after-view"), 422, "invalid-request")
    assert misspelt["errors"][0]["rule"] == "extra-forbidden", "it would tell what was to be withheld"
    problem = check_problem(ask(service, "/score?reveal=CANARY"), 422, "invalid-request")
    (fault,) = problem["errors"]
    assert fault == {"pointer": "/query/reveal", "rule": "literal-error", "allowed": ["at-once", "after-view"]}


def test_no_command_shows_what_is_withheld(sqlite_service: Client) -> None:
    score_id = ask(sqlite_service).json()["score_id"]
    with pytest.raises(ViewFirst):
        explain_stored(sqlite_service.app.state.settings, score_id, "factors", "harm", JSON, "local:operator")


def test_one_view_for_each_person(service: Client) -> None:
    where = ask(service).headers["location"]
    first, second = (service.as_caller(name, "triage") for name in ("first", "second"))
    assert post(first, f"{where}/view", VIEW).json()["view"]["late"] is False
    check_problem(post(first, f"{where}/view", VIEW), 409, "view-recorded")
    assert post(second, f"{where}/view", {"level": "standard"}).json()["view"]["reason"] is None
    views = first.get(f"{where}/decisions").json()["views"]
    assert [(one["by"], one["level"]) for one in views] == [("second", "standard"), ("first", "high")]


def test_many_at_once_leave_one_view(service: Client) -> None:
    where = ask(service).headers["location"]
    clinic = service.as_caller("clinic", "triage")
    with ThreadPoolExecutor(6) as pool:
        statuses = [one.status_code for one in pool.map(lambda _: post(clinic, f"{where}/view", VIEW), range(6))]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 503}, "on a busy machine some may not be answered in time"
    check_problem(post(clinic, f"{where}/view", VIEW), 409, "view-recorded")
    assert events(service).count("view") == 1


SEEN = {
    "the score": lambda clinic, where, _: clinic.get(where),
    "the curve": lambda clinic, where, _: clinic.get(f"{where}/survival"),
    "the explanation": lambda clinic, where, _: clinic.get(f"{where}/explanation"),
    "a list": lambda clinic, _, __: clinic.get("/scores"),
    "decisions": lambda clinic, where, _: clinic.get(f"{where}/decisions"),
    "a decision made": lambda clinic, where, _: post(clinic, f"{where}/decisions", {"level": "high", "reason": "x"}),
    "challenges": lambda clinic, where, _: clinic.get(f"{where}/challenges"),
    "a replay": lambda clinic, where, _: post(clinic, f"{where}/replay", b""),
    "an export": lambda clinic, _, __: post(clinic, "/subject-exports", {"nominal_id": "N-104"}),
    "a score one asked for": lambda _, __, own: own,
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_whoever_has_seen_it_is_late(sqlite_service: Client, name: str) -> None:
    clinic = sqlite_service.as_caller(f"clinic {name}", "score", "triage", "audit:unseal")
    own = name == "a score one asked for"
    where = (clinic if own else sqlite_service).score(example()).headers["location"]
    other = sqlite_service.score(example()).headers["location"]
    answer = SEEN[name](clinic, where, clinic)
    assert own or answer.status_code == 200, answer.text
    check_problem(post(clinic, f"{where}/view", VIEW), 409, "view-after-reading")
    late = post(clinic, f"{where}/view", VIEW | {"late": True})
    assert late.json()["view"]["late"] is True
    if name not in {"a list", "an export"}:
        assert post(clinic, f"{other}/view", VIEW).json()["view"]["late"] is False, "another score is another matter"


def test_repeating_the_question_after_the_view_counts_as_reading(sqlite_service: Client) -> None:
    """Who asked for a withheld score, and repeats it once somebody's view has revealed it, has seen it."""
    service = sqlite_service
    both = service.as_caller("both", "score", "triage")
    where = ask(both, Idempotency_Key="k").headers["location"]
    assert post(service.as_caller("clinic", "triage"), f"{where}/view", VIEW).status_code == 200
    assert "predicted_group" in ask(both, Idempotency_Key="k").text
    check_problem(post(both, f"{where}/view", VIEW), 409, "view-after-reading")


@pytest.mark.parametrize("path", ["view", "decisions", "challenges", "challenges/x/outcome"])
def test_an_unknown_purpose_is_refused_first(sqlite_service: Client, path: str) -> None:
    body = {"view": VIEW, "decisions": VIEW, "challenges": {"ground": "other", "raised_by": "officer", "text": "x"}}
    content = json.dumps(body.get(path, {"outcome": "rejected", "reason": "x"})).encode()
    clinic = sqlite_service.as_caller("clinic", "triage")
    sent = clinic.headers | {"Content-Type": "application/json", "Purpose": "curiosity"}
    answer = clinic.http.post(f"/scores/0190a000-0000-7000-8000-000000000000/{path}", content=content, headers=sent)
    assert check_problem(answer, 422, "invalid-request")["errors"][0]["pointer"] == "/header/purpose"


def test_what_is_not_there_has_no_view(sqlite_service: Client) -> None:
    before = events(sqlite_service).count("view")
    clinic = sqlite_service.as_caller("clinic", "triage")
    for unknown in ("nothing", "0190a000-0000-7000-8000-000000000000"):
        for path, body in (("view", VIEW), ("decisions", VIEW), ("challenges", {"ground": "other", "raised_by": "officer",
                                                                               "text": "x"})):  # fmt: skip
            check_problem(post(clinic, f"/scores/{unknown}/{path}", body), 404, "not-found")
    assert events(sqlite_service).count("view") == before
