"""Several requests at the same time: one key makes one score, a burst of explanations is told to come back."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import pytest

from app import idempotency
from tests import patient
from tests.app.service_fixtures import Client
from tests.app.test_api import check_problem, events
from tests.requests import example


def test_the_same_key_at_the_same_time_makes_one_score(service: Client) -> None:
    body = json.dumps(example()).encode()
    with ThreadPoolExecutor(8) as together:
        answers = list(together.map(lambda _: service.score(body, Idempotency_Key="at-once"), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert events(service) == ["score"]


def held_up(service: Client, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Scores that take until the event given is set."""
    real = service.app.state.scorer.score
    let_go = threading.Event()

    def slow(*arguments: Any) -> Any:
        let_go.wait(patient.SECONDS)
        return real(*arguments)

    monkeypatch.setattr(service.app.state.scorer, "score", slow)
    return let_go


def test_a_key_still_being_worked_on_is_a_conflict(service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.05)
    let_go = held_up(service, monkeypatch)
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(service.score, example(), Idempotency_Key="slow")
        assert patient.waited(lambda: service.app.state.running._running)
        check_problem(service.score(example(), Idempotency_Key="slow"), 409, "still-running")
        let_go.set()
        assert first.result().status_code == 200


def test_a_tenth_explanation_at_once_is_told_to_come_back(service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = held_up(service, monkeypatch)
    with ThreadPoolExecutor(10) as together:
        asked = [together.submit(service.score, example()) for _ in range(10)]
        refused = next(done for done in as_completed(asked))
        check_problem(refused.result(), 503, "unavailable")
        let_go.set()
        assert sorted(one.result().status_code for one in asked) == [200] * 9 + [503]
