"""Scoring many at once is scoring each alone: features to the bit, and what the models make of them to 1e-6.

The libraries that multiply matrices may sum up in another order for one row than for many; here they do not.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.harm.records import ScoreRequest, parse_request
from app.harm.service import Scored, Scorer, load_scorer
from tests.requests import example
from tests.same import same

TODAY = date(2024, 6, 12)
ARTIFACTS = Path(__file__).parents[3] / "model_artifacts"
AT = datetime(2024, 6, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def real_scorer() -> Scorer:
    """The artefact of the repository: trees, a network and a forest add up in their own orders."""
    return load_scorer(ARTIFACTS, Path("nowhere"))


def told(outcome: Scored | InvalidInput) -> Any:
    """All that a caller, the archive or an explanation would see of an outcome."""
    if isinstance(outcome, InvalidInput):
        return [str(fault) for fault in outcome.faults]
    case = outcome.case
    known, nominals = case.histories, case.nominals
    columns = [known.incidents.day, known.incidents.harm, known.incidents.classes, known.incidents.role, known.source,
               known.incidents.nominal, known.starts, known.day_zero, nominals.birth_day, nominals.custody_day,
               nominals.custody_nominal, nominals.victim_contacts, nominals.gender, outcome.features]  # fmt: skip
    answer = json.loads(outcome.body("", AT).model_dump_json())
    return [answer, outcome.curve.tolist(), [column.tobytes() for column in columns], case.order]


def alone(scorer: Scorer, request: ScoreRequest) -> Scored | InvalidInput:
    try:
        return scorer.score(request, TODAY)
    except InvalidInput as error:
        return error


days = st.dates(date(2023, 7, 1), date(2024, 6, 13)).map(str)
incidents = st.fixed_dictionaries({
    "occurred_on": st.one_of(days, st.just("2024-06-12")),
    "offence_code": st.sampled_from(["00865", "00806", "10501", "19594", "99999"]),
    "role": st.sampled_from(["offender", "suspect", "suspect_eliminated"]),
    "intimate_partner": st.booleans(),
    "is_domestic": st.booleans(),
})  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> ScoreRequest:
    """Mostly sound, now and then refused, for each reason there is."""
    rows = draw(st.lists(incidents, min_size=1, max_size=25))
    return parse_request({
        "nominal": {
            "nominal_id": "N",
            "date_of_birth": draw(st.sampled_from([None, "1990-01-01", "2024-01-01"])),
            "gender": draw(st.sampled_from(["male", "female", "unknown"])),
        },
        "index_victim_contacts": draw(st.sampled_from([None, 0, 7])),
        "custody_dates": draw(st.lists(days, max_size=3)),
        "incidents": [row | {"incident_id": f"{draw(st.integers(0, 9))}-{n}"} for n, row in enumerate(rows)],
        "as_of": draw(st.sampled_from([None, None, "2024-06-12", "2024-05-01", "2025-01-01"])),
        "explain": "none",
        "model": draw(st.sampled_from([*["stalking-nominal"] * 9, "nothing"])),
    })  # fmt: skip


@given(batch=st.lists(requests(), max_size=9))
@settings(max_examples=60, deadline=None)
def test_a_batch_is_its_requests_one_by_one(real_scorer: Scorer, batch: list[ScoreRequest]) -> None:
    found = real_scorer.score_all(batch, TODAY)
    assert same([told(outcome) for outcome in found], [told(alone(real_scorer, request)) for request in batch])


def test_a_score_does_not_hang_on_the_size_of_its_batch(real_scorer: Scorer) -> None:
    """Golden cases in one batch of several hundred, each the same wherever it stands."""
    golden = [case["request"] for model in real_scorer.models.values() for case in model.bundle.golden]
    cases = [parse_request({**asked, "explain": "none"}) for asked in golden]
    first = [told(alone(real_scorer, request)) for request in cases]
    for repeats in (1, 7):
        found = [told(outcome) for outcome in real_scorer.score_all(cases * repeats, TODAY)]
        assert same(found, first * repeats)


def test_explanations_are_those_of_the_single_score(real_scorer: Scorer) -> None:
    asked: list[dict[str, Any]] = [example(explain=view) for view in ("factors", "none", "both", "incidents")]
    batch = [parse_request(one) for one in asked]
    assert [told(one) for one in real_scorer.score_all(batch, TODAY)] == [
        told(alone(real_scorer, one)) for one in batch
    ]


def test_nothing_to_score(real_scorer: Scorer) -> None:
    assert real_scorer.score_all([], TODAY) == []
