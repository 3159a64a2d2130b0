"""Incidents that are left out leave no trace in a score, and a history without earlier ones is never called sufficient."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from app.errors import Fault, InvalidInput
from app.harm.answers import HistoryAnswer, ScoreBody
from app.harm.perspective_words import WORDS
from app.harm.records import parse_request
from app.harm.service import Scored, Scorer
from app.harm.sufficiency import STATEMENTS
from tests.app.harm.test_explanation import TODAY
from tests.app.harm.test_incidents import odd_request, without
from tests.requests import example

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MARKS = {"suspect-eliminated": {"role": "suspect_eliminated"}, "police-generated": {"police_generated": True}}


def answer_of(scored: Scored) -> ScoreBody:
    return scored.body("id", NOW)


@pytest.mark.parametrize("reason", MARKS)
@pytest.mark.parametrize("seed", range(8))
def test_no_trace_but_in_the_list_of_what_was_left_out(toy_scorer: Scorer, reason: str, seed: int) -> None:
    """The whole answer, both views and all, is to the bit what it is without them."""
    whole = parse_request(odd_request(1200 + seed, 25) | {"explain": "both"})
    # None of them is the index incident: that is the last by id of its day, and these come before whatever was sent.
    more = [
        one.model_copy(update={"incident_id": f"-{place}", **MARKS[reason]})
        for place, one in enumerate(whole.incidents)
        if one.role != "suspect_eliminated"
    ]
    found = toy_scorer.score(whole.model_copy(update={"incidents": [*more, *whole.incidents]}), TODAY)
    clean = toy_scorer.score(whole, TODAY)
    assert np.array_equal(found.features, clean.features)
    one, other = answer_of(found).model_dump(), answer_of(clean).model_dump()
    left_out = {ignored["incident_id"] for ignored in one["history"]["ignored"] if ignored["reason"] == reason}
    known = {incident.incident_id for incident in more if incident.occurred_on <= found.case.day_zero}
    assert known <= left_out, "each is named"
    own = {incident.incident_id for incident in whole.incidents}
    one["history"]["ignored"] = [told for told in one["history"]["ignored"] if told["incident_id"] in own]
    assert one["history"].pop("received") == other["history"].pop("received") + len(more)
    assert one == other


def test_the_index_incident_cannot_be_marked(toy_scorer: Scorer) -> None:
    """Nor does another incident quietly become the index incident in its place."""
    earlier = example()["incidents"][2] | {"incident_id": "D", "occurred_on": "2020-02-01"}
    marked = example()["incidents"][2] | {"police_generated": True}
    with pytest.raises(InvalidInput) as refused:
        toy_scorer.score(parse_request(example(incidents=[earlier, marked])), TODAY)
    assert refused.value.faults == (Fault("/incidents/1/police_generated", "index-incident-is-police-generated"),)
    found = toy_scorer.score(
        parse_request(example(incidents=[earlier | {"police_generated": True}, *[example()["incidents"][2]]])), TODAY
    )
    assert found.case.ignored == [("D", "police-generated")]
    dropped = without(parse_request(example(incidents=[earlier, marked])), {1})
    assert str(toy_scorer.score(dropped, TODAY).case.day_zero) == "2020-02-01", "who wants that sends it that way"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "sufficient"),
        ({"role": "suspect_eliminated"}, "insufficient"),
        ({"police_generated": True}, "insufficient"),
        ({"is_non_crime": True, "harm_score": 0, "offence_code": None}, "sufficient"),
    ],
)
def test_status_of_a_history_is_of_what_was_used(toy_scorer: Scorer, changes: dict[str, Any], status: str) -> None:
    first, _, index = example()["incidents"]
    found = answer_of(toy_scorer.score(parse_request(example(incidents=[first | changes, index])), TODAY))
    assert found.history.status == status
    assert found.history.statement == STATEMENTS[found.history.status]
    assert (status == "insufficient") == ("short-history" in [warning.code for warning in found.history.warnings])
    words = WORDS["nominal"]
    assert found.advisory == (words.advisory_short if status == "insufficient" else words.advisory)


@pytest.mark.parametrize(("codes", "status"), [(["stale-day-zero"], "sufficient"), (["short-history"], "insufficient")])
def test_answers_from_before_the_status_was_told_are_read_with_theirs(codes: list[str], status: str) -> None:
    stored = {
        "received": 1,
        "used": 1,
        "rows": 1,
        "ignored": [],
        "warnings": [{"code": code, "message": "..."} for code in codes],
    }
    assert HistoryAnswer.model_validate(stored).status == status
