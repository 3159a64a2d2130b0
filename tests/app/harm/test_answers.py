"""Answers that were stored before something was added to them can still be read."""

import json
from datetime import UTC, datetime
from typing import Any

from app.harm.answers import ScoreBody
from app.harm.explanation_answers import IncidentExplanation
from app.harm.records import parse_request
from app.harm.service import Scorer
from tests.app.harm.test_explanation import TODAY
from tests.requests import example

ADDED = (
    ("history", "status"),
    ("history", "statement"),
    ("harm", "base_rates"),
    ("harm", "without_uncharged"),
    ("survival", "from_as_of"),
)


def test_an_answer_without_what_was_added_since_is_read(toy_scorer: Scorer) -> None:
    request = parse_request(example(explain="incidents"))
    fresh = toy_scorer.score(request, TODAY).body("id", datetime(2026, 11, 22, tzinfo=UTC))
    stored: dict[str, Any] = json.loads(fresh.model_dump_json())
    older_view = dict(stored["explanation"])
    assert older_view.pop("what_if") is not None
    for *way, last in ADDED:
        member = stored
        for name in way:
            member = member[name]
        assert member.pop(last) is not None
    read = ScoreBody.model_validate_json(json.dumps(stored))
    assert read.history == fresh.history, "told from its warnings"
    assert read.harm == fresh.harm.model_copy(update={"base_rates": None, "without_uncharged": None})
    assert IncidentExplanation.model_validate(older_view).what_if is None
    assert read.survival == fresh.survival.model_copy(update={"from_as_of": None})
