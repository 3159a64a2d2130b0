"""The same key with the same body: the same answer, whoever retries and however often."""

import json

import pytest

from tests.app.service_fixtures import Client
from tests.app.test_api import check_problem, events
from tests.requests import example


def test_idempotent_repeats_give_the_same_bytes(service: Client) -> None:
    body = json.dumps(example()).encode()
    first = service.score(body, Idempotency_Key="k-1")
    again = service.score(body, Idempotency_Key="k-1")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    check_problem(service.score(body + b" ", Idempotency_Key="k-1"), 422, "idempotency-mismatch")
    check_problem(service.score(body, Idempotency_Key="k-1", Purpose="curiosity"), 422, "invalid-request")
    other = service.as_caller("another", "score").score(body, Idempotency_Key="k-1")
    assert other.json()["score_id"] != first.json()["score_id"], "keys belong to a caller"
    assert events(service) == ["score", "refusal", "refusal", "score"]


def test_a_refused_request_does_not_use_up_its_key(service: Client) -> None:
    bad = json.dumps(example(model="nothing")).encode()
    check_problem(service.score(bad, Idempotency_Key="k-2"), 422, "invalid-request")
    assert service.score(example(), Idempotency_Key="k-2").status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_unusable_idempotency_keys(sqlite_service: Client, key: str) -> None:
    problem = check_problem(sqlite_service.score(example(), Idempotency_Key=key), 422, "invalid-request")
    assert problem["errors"][0]["pointer"] == "/header/idempotency-key"
