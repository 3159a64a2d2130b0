"""Harm read out of a log counts as if it had been sent, and nothing is read that need not be."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.errors import InvalidInput
from app.harm.answers import HarmInferred, ScoreBody
from app.harm.harm_index import load_harm_index
from app.harm.history import build_case
from app.harm.inferred import read_by
from app.harm.records import parse_request
from app.harm.service import Scorer
from app.text.manifest import SCORES
from tests.requests import example

TODAY = date(2026, 11, 22)
GRAVE, MILD = "He punched her and threatened her with a knife", "Calm argument, no knife seen, no punch"


def with_log(text: str | None, **changes: Any) -> dict[str, Any]:
    request = example(explain="none", **changes)
    request["incidents"][1] |= {"harm_score": None, "log_text": text}
    return request


def warned(scorer: Scorer, request: dict[str, Any]) -> HarmInferred:
    body = scorer.score(parse_request(request), TODAY).body("id", date_time())
    return next(one for one in body.history.warnings if isinstance(one, HarmInferred))


def date_time() -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("text", [GRAVE, MILD])
def test_it_scores_as_if_the_score_had_been_sent(toy_scorer: Scorer, text: str) -> None:
    told = warned(toy_scorer, with_log(text)).incidents[0]
    sent = example(explain="none")
    sent["incidents"][1]["harm_score"] = told.harm_score
    read, given = (toy_scorer.score(parse_request(one), TODAY) for one in (with_log(text), sent))
    assert read.features.tobytes() == given.features.tobytes()
    assert read.harm == given.harm
    assert told.harm_score == SCORES[told.probabilities.index(max(told.probabilities))]


def test_the_warning_says_what_was_read(toy_scorer: Scorer) -> None:
    told = warned(toy_scorer, with_log(GRAVE))
    (incident,) = told.incidents
    assert incident.incident_id == "B"
    assert incident.scores == list(SCORES)
    assert sum(incident.probabilities) == pytest.approx(1)
    assert incident.terms is not None
    assert {one.term for one in incident.terms} <= {"punch", "threaten", "knife", "shout"}
    assert told.model.family == "noncrime-harm"
    assert warned(toy_scorer, with_log(MILD)).incidents[0].harm_score < incident.harm_score


def test_an_answer_is_read_back_as_it_was(toy_scorer: Scorer) -> None:
    body = toy_scorer.score(parse_request(with_log(GRAVE)), TODAY).body("id", date_time())
    again = ScoreBody.model_validate_json(body.model_dump_json())
    assert again == body
    plain = toy_scorer.score(parse_request(example(explain="none")), TODAY).body("id", date_time())
    assert "incidents" not in plain.history.warnings[0].model_dump(), "other warnings stay as they were"


def test_only_incidents_that_count_are_told(toy_scorer: Scorer) -> None:
    request = with_log(GRAVE)
    late = {
        "incident_id": "D",
        "occurred_on": "2020-03-12",
        "is_non_crime": True,
        "is_domestic": True,
        "role": "suspect",
    }
    request["incidents"].append(late | {"log_text": MILD})
    assert [one.incident_id for one in warned(toy_scorer, request).incidents] == ["B"]


def test_without_a_model_of_logs_every_text_is_named(toy_scorer: Scorer) -> None:
    request = with_log(GRAVE)
    request["incidents"].append(request["incidents"][1] | {"incident_id": "D"})
    with pytest.raises(InvalidInput) as refused:
        build_case(parse_request(request), load_harm_index(), TODAY)
    assert {(fault.pointer, fault.rule) for fault in refused.value.faults} == {
        ("/incidents/1/log_text", "text-model-not-loaded"), ("/incidents/3/log_text", "text-model-not-loaded")
    }  # fmt: skip


def test_faults_of_text_and_of_everything_else_come_together(toy_scorer: Scorer) -> None:
    request = with_log("qwerty")
    request["incidents"][0] |= {"occurred_on": "1980-01-01", "log_text": GRAVE}
    with pytest.raises(InvalidInput) as refused:
        toy_scorer.score(parse_request(request), TODAY)
    assert {fault.rule for fault in refused.value.faults} == {
        "before-birth",
        "only-for-domestic-non-crimes",
        "no-known-words",
    }


def test_which_model_read_the_logs_stands_in_the_answer(toy_scorer: Scorer) -> None:
    read, plain = (
        toy_scorer.score(parse_request(one), TODAY).body("id", date_time()).model_dump_json().encode()
        for one in (with_log(GRAVE), example(explain="none"))
    )
    reader = toy_scorer.index.reader
    assert reader is not None
    assert read_by(read) == reader.identity.manifest_sha256
    assert read_by(plain) is None
