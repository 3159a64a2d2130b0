"""Drift of a model of logs over a running service: out of the ledger, each log once, no word of any."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.database import sqlite_url
from app.harm.drift_reading import Window
from app.harm.log_drift import read_given_logs
from app.harm.records import parse_request
from app.harm.service import Scored
from tests.app.given_scores import append, drift
from tests.app.service_fixtures import LOGS, Client, running
from tests.app.test_metrics import value
from tests.requests import example
from tests.toy_bundle import write_toy
from tests.toy_text import drift_block, write_toy_text

DRIFT = "/models/noncrime-harm/drift"
KNIFE, CALM = "He threatened her with a knife at Canarywood", "Calm argument"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    write_toy(tmp_path / "artifacts")
    write_toy_text(tmp_path / "artifacts", drift=drift_block())
    with running(sqlite_url(tmp_path), tmp_path, tmp_path / "artifacts") as running_client:
        yield running_client


def given(client: Client, texts: list[str], name: str = "L", nominal: str = "N") -> None:
    """Score one nominal for each text and append the scores as the service does; incident ids are numbered."""
    state = client.app.state

    def score(number: int, text: str) -> Scored:
        request = example(explain="none") | {"nominal": {**example()["nominal"], "nominal_id": nominal}}
        request["incidents"][1] |= {"incident_id": f"{name}{number}", "harm_score": None, "log_text": text}
        return state.scorer.score(parse_request(request), state.settings.today())

    append(client, [score(number, text) for number, text in enumerate(texts)])


def test_logs_are_counted_once_and_a_change_is_seen(client: Client) -> None:
    assert drift(client, DRIFT + "?days=1")["status"] == "too-few-scores"
    given(client, [CALM] * 99)
    given(client, [CALM] * 99)
    few = drift(client, DRIFT + "?days=2")
    assert (few["status"], few["scores"], few["fewest"]) == ("too-few-scores", 99, 100), "the same incidents again"
    given(client, [KNIFE] * 100, name="M")
    found = drift(client, DRIFT + "?days=3")
    assert (found["status"], found["scores"], found["family"]) == ("alarm", 199, "noncrime-harm")
    assert [one["name"] for one in (*found["inputs"], *found["outputs"])] == [
        "known_words", "terms", "inferred_scores", "highest_probability"
    ]  # fmt: skip
    assert found["calibration"] is None
    assert "logs" in found["notice"].lower()
    assert drift(client, DRIFT + "?days=3&last=120")["scores"] == 120


def test_no_word_and_nobodys_id_is_shown_or_logged(client: Client) -> None:
    given(client, [KNIFE] * 120, name="CANARY-INCIDENT-", nominal="CANARY-NOMINAL")
    shown = client.get(DRIFT).text
    for secret in ("CANARY", "Canarywood", "knife", "threaten"):
        assert secret not in shown
        assert secret not in LOGS.getvalue()
    state = client.app.state
    read = read_given_logs(state.store, state.scorer.texts["noncrime-harm"], Window())
    assert {type(part) for one in read for part in one} == {float, int, type(read[0].given_on)}


def test_what_was_erased_does_not_count(client: Client) -> None:
    given(client, [CALM] * 100)
    given(client, [KNIFE] * 20, name="M", nominal="N-ERASED")
    assert drift(client, DRIFT + "?days=4")["scores"] == 120
    body = {"nominal_id": "N-ERASED", "authority": "A-1", "reason": "recorded-in-error"}
    admin = client.as_caller("admin", "admin")
    assert client.http.post("/erasures", json=body, headers=admin.headers).status_code == 200
    assert drift(client, DRIFT + "?days=5")["scores"] == 100


def test_the_gauges_tell_of_logs_too(client: Client) -> None:
    given(client, [CALM] * 110)
    watch = client.app.state.drift
    client.http.portal.call(watch.watch)  # type: ignore[union-attr]
    found = watch.known(watch.model("noncrime-harm"), Window())
    assert value(client, "dayzero_drift_scores", family="noncrime-harm") == 110
    for one in (*found.inputs, *found.outputs):
        assert value(client, "dayzero_drift_psi", family="noncrime-harm", figure=one.name) == one.psi


def test_scores_without_logs_and_an_artefact_without_a_baseline_say_so(tmp_path: Path) -> None:
    write_toy(tmp_path / "artifacts")
    write_toy_text(tmp_path / "artifacts")
    with running(sqlite_url(tmp_path), tmp_path, tmp_path / "artifacts") as client:
        assert client.score(example()).status_code == 200
        found = drift(client, DRIFT)
        assert (found["status"], found["scores"], found["fewest"]) == ("no-baseline", 0, None)
