"""Drift of scores that were really given: out of the ledger, on either database, nobody's figures shown."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.artifacts import load_bundle
from app.audit.store import EntryFilter
from app.database import sqlite_url
from app.errors import Unavailable
from app.harm.drift_reading import Window, read_scores
from app.harm.drift_watch import DriftWatch
from app.harm.features import COLUMN, FEATURES
from app.harm.records import parse_request
from tests.app.given_scores import append, drift
from tests.app.service_fixtures import LOGS, Client, running
from tests.app.test_metrics import value
from tests.requests import example
from tests.toy_bundle import as_format_1, as_seen_by, write_toy

DRIFT = "/models/stalking-nominal/drift"
FAMILY = "stalking-nominal"


def given(client: Client, count: int, name: str = "N", **changes: Any) -> None:
    """Score the example so many times and append the scores as the service does, a batch at a time."""
    state = client.app.state
    request = parse_request(
        example(explain="none", **changes) | {"nominal": {**example()["nominal"], "nominal_id": name}}
    )
    scored = state.scorer.score(request, state.settings.today())
    append(client, [scored] * count)


def reads(client: Client) -> int:
    return len(client.app.state.store.list_entries(EntryFilter(event="read"), limit=500))


def test_drift_counts_what_this_artefact_gave_and_was_not_erased(service: Client) -> None:
    given(service, 99)
    first = drift(service, DRIFT)
    assert (first["status"], first["scores"], first["inputs"]) == ("too-few-scores", 99, [])
    assert (first["fewest"], first["watch"], first["alarm"]) == (100, 0.1, 0.25)
    given(service, 21, name="N-ERASED")
    found = drift(service, DRIFT + "?days=30")
    assert (found["status"], found["scores"]) == ("alarm", 120)
    assert [one["name"] for one in found["inputs"]] == list(FEATURES)
    assert "predicted_groups" in [one["name"] for one in found["outputs"]]
    assert found["calibration"]["known"] is False
    body = {"nominal_id": "N-ERASED", "authority": "A-1", "reason": "recorded-in-error"}
    admin = service.as_caller("admin", "admin")
    assert service.http.post("/erasures", json=body, headers=admin.headers).status_code == 200
    assert drift(service, DRIFT + "?days=31")["scores"] == 99
    assert drift(service, DRIFT + "?last=7")["scores"] == 7


def test_every_worker_finds_the_same(service: Client) -> None:
    given(service, 110)
    state = service.app.state
    model = state.scorer.models[FAMILY]
    other = DriftWatch(state.store, state.ledger, state.scorer)
    assert other.measure(model, Window()).model_dump(mode="json") == drift(service, DRIFT)


def test_inputs_read_back_are_those_that_were_scored(sqlite_service: Client) -> None:
    given(sqlite_service, 3, index_victim_contacts=17)
    state = sqlite_service.app.state
    model = state.scorer.models[FAMILY]
    again = state.scorer.score(parse_request(example(index_victim_contacts=17)), state.settings.today())
    read = read_scores(state.store, state.scorer, model, Window(last=3))
    assert len(read) == 3
    for one in read:
        assert one.index_row.tolist() == again.features[0, -1].tolist()
        assert one.index_row[COLUMN["victim_contacts"]] == 17
        assert one.population == again.harm.population_probabilities


HARASSED = [one | {"offence_code": "00830", "intimate_partner": False} for one in example()["incidents"][2:]]
OF_OTHERS = {
    "stalking-victim": as_seen_by("victim", example(explain="none")),
    "sh-nominal": example(explain="none", model="sh-nominal", incidents=HARASSED),
}


@pytest.mark.parametrize("family", OF_OTHERS)
def test_inputs_of_every_family_are_read_back(tmp_path: Path, family: str) -> None:
    """Each has a subject of its own, in whose eyes a request of another means nothing."""
    write_toy(tmp_path / "artifacts", family=family)
    with running(sqlite_url(tmp_path), tmp_path, tmp_path / "artifacts") as client:
        state = client.app.state
        scored = state.scorer.score(parse_request(OF_OTHERS[family]), state.settings.today())
        append(client, [scored])
        read = read_scores(state.store, state.scorer, state.scorer.models[family], Window())
        assert [one.index_row.tolist() for one in read] == [scored.features[0, -1].tolist()]


def test_nothing_about_anybody_is_shown_and_asking_is_recorded_once(sqlite_service: Client) -> None:
    given(sqlite_service, 120, name="CANARY-NOMINAL")
    before = reads(sqlite_service)
    first = sqlite_service.get(DRIFT + "?days=77")
    assert reads(sqlite_service) == before + 1
    assert sqlite_service.get(DRIFT + "?days=77").content == first.content
    assert reads(sqlite_service) == before + 1
    assert "CANARY" not in first.text
    shown = json.loads(first.text)
    assert {type(part) for figure in shown["inputs"] for part in figure.values()} == {str, float}
    assert {key for figure in shown["inputs"] for key in figure} == {"name", "psi", "verdict"}


def test_the_figures_are_kept_for_some_minutes_only(sqlite_service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = drift(sqlite_service, DRIFT + "?days=78")["scores"]
    given(sqlite_service, 1)
    assert drift(sqlite_service, DRIFT + "?days=78")["scores"] == scores
    monkeypatch.setattr("app.harm.drift_watch.KEPT_SECONDS", 0.0)
    assert drift(sqlite_service, DRIFT + "?days=78&last=1000")["scores"] == scores + 1


def test_the_gauges_follow_the_usual_window(sqlite_service: Client) -> None:
    given(sqlite_service, 120)
    watch: DriftWatch = sqlite_service.app.state.drift
    sqlite_service.http.portal.call(watch.watch)  # type: ignore[union-attr]
    measured = watch.known(sqlite_service.app.state.scorer.models[FAMILY], Window())
    assert measured is not None
    assert value(sqlite_service, "dayzero_drift_scores", family=FAMILY) == measured.scores
    assert value(sqlite_service, "dayzero_drift_level", family=FAMILY) == 2
    for one in (*measured.inputs, *measured.outputs):
        assert value(sqlite_service, "dayzero_drift_psi", family=FAMILY, figure=one.name) == one.psi
    assert value(sqlite_service, "dayzero_drift_timestamp_seconds", family=FAMILY) > 1.7e9


@pytest.mark.parametrize(
    ("fault", "status"), [(Unavailable("The database does not answer."), 503), (ValueError("CANARY"), 500)]
)
def test_a_fault_stops_neither_the_watch_nor_the_service(
    sqlite_service: Client, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise fault

    state = sqlite_service.app.state
    fresh = DriftWatch(state.store, state.ledger, state.scorer)
    monkeypatch.setattr(state.store, "list_entries", broken)
    sqlite_service.http.portal.call(fresh.watch)  # type: ignore[union-attr]
    assert sqlite_service.get(DRIFT + "?days=5").status_code == status
    assert "CANARY" not in LOGS.getvalue()


@pytest.mark.parametrize("query", ["?days=0", "?days=366", "?last=0", "?last=1001", "?last=x", "?first=1", "?days=1e3"])
def test_windows_out_of_bounds_are_refused(sqlite_service: Client, query: str) -> None:
    assert sqlite_service.get(DRIFT + query).status_code == 422


def test_an_unknown_family_is_not_found(sqlite_service: Client) -> None:
    assert sqlite_service.get("/models/none/drift").status_code == 404


def test_an_artefact_of_format_1_has_nothing_to_compare_with(tmp_path: Path) -> None:
    folder = write_toy(tmp_path / "artifacts", change=as_format_1)
    assert load_bundle(folder).manifest.robustness is None
    with running(sqlite_url(tmp_path), tmp_path, tmp_path / "artifacts") as client:
        found = drift(client, DRIFT)
        assert (found["status"], found["scores"], found["fewest"]) == ("no-baseline", 0, None)
        assert reads(client) == 0
