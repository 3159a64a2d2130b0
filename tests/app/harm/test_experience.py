"""What is unlike the records learnt from, and what is not."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.harm.experience import BANDS, MEASURES, Familiar, Ranges, band_of, deviations, measures
from app.harm.features import COLUMN, ROWS, Features
from app.harm.history import build_case
from app.harm.records import ScoreRequest, parse_request
from app.harm.service import Scorer, load_scorer
from tests.app.harm.test_explanation import random_request
from tests.requests import cases
from tests.toy_bundle import as_format_1, write_toy

ARTIFACTS = Path(__file__).parents[3] / "model_artifacts"
DAY_ZERO = date(2026, 6, 1)
TODAY = date(2026, 11, 22)


def request(case: dict[str, Any]) -> ScoreRequest:
    """A row of the table as a request."""
    incidents = [{"incident_id": "Z", "occurred_on": DAY_ZERO.isoformat(), "offence_code": "00865", "role": "suspect",
                  "is_domestic": True}]  # fmt: skip
    for block, told in enumerate(case.get("earlier", [])):
        for number in range(told["count"]):
            before = int(told.get("last", told["every"]) + number * told["every"])
            incidents.append(
                {
                    "incident_id": f"I-{block}-{number:03}",
                    "occurred_on": (DAY_ZERO - timedelta(days=before)).isoformat(),
                    "harm_score": told["harm"],
                    "offence_class": told["classes"],
                    "role": told.get("role", "suspect"),
                    "is_domestic": told.get("domestic", True),
                }
            )
    custody = [DAY_ZERO - timedelta(days=case.get("custody_every", 20) * at) for at in range(case.get("custody", 0))]
    return parse_request(
        {
            "nominal": {
                "nominal_id": "N",
                "date_of_birth": (DAY_ZERO - timedelta(days=int(case["age"] * 365.25))).isoformat(),
                "gender": "male",
            },
            "index_victim_contacts": case.get("contacts", 1),
            "custody_dates": [day.isoformat() for day in custody],
            "incidents": incidents,
            "explain": "none",
            "as_of": DAY_ZERO.isoformat(),
        }
    )


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load_scorer(ARTIFACTS, Path("no imported index"))


@pytest.mark.parametrize("case", cases("odd_histories.yaml"), ids=lambda case: case["case"])
def test_odd_histories_are_told_and_ordinary_ones_are_not(case: dict[str, Any], scorer: Scorer) -> None:
    scored = scorer.score(request(case), TODAY)
    body = scored.body("id", TODAY)  # type: ignore[arg-type]  # a day does for a time here
    told = [warning.message for warning in body.history.warnings if warning.code == "out-of-distribution"]
    assert len(told) == ("says" in case)
    for message in told:
        assert case["says"] in message
        assert ("Beyond all of them" in message) != case.get("together", False)
        assert not any(name in message for name in COLUMN)


def table(seed: int, scorer: Scorer) -> Features:
    case = build_case(parse_request(random_request(seed)), scorer.index, TODAY)
    return scorer.features(case, next(iter(scorer.models.values())))


@pytest.mark.parametrize("seed", range(20))
def test_measures_are_what_a_plain_reading_of_the_rows_gives(seed: int, toy_scorer: Scorer) -> None:
    x = table(seed, toy_scorer)
    rows = [row for row in x[0].astype(float) if row.any()]
    column = {name: [row[at] for row in rows] for name, at in COLUMN.items()}
    expected = {
        "age": column["age_at_offence"][-1],
        "days_covered": column["days_to_day_zero"][0],
        "incidents_in_30_days": sum(days <= 30 for days in column["days_to_day_zero"]),
        "days_since_previous": column["days_since_previous"][-1],
        "index_harm": column["harm_score"][-1],
        "highest_harm": max(column["harm_score"]),
        "total_harm": column["cumulative_harm"][-1],
        "decayed_harm": column["cumulative_harm_decayed"][-1],
        "custody": column["custody_count"][-1],
        **{
            name: sum(column[f"is_{name}"])
            for name in ("harassment", "violent", "sexual", "stalking", "domestic", "offender")
        },
        "victim_contacts": column["victim_contacts"][-1],
    }
    assert tuple(expected) == MEASURES
    found = measures(x)
    assert found.rows.tolist() == [len(rows)]
    plain = np.concatenate([found.values[0, :1], np.expm1(found.values[0, 1:])])
    np.testing.assert_allclose(plain, list(expected.values()), rtol=1e-6, atol=1e-9)


def test_deviations_are_those_of_the_textbook() -> None:
    """Distance by solving, the largest deviation by regressing each measure on the others."""
    rng = np.random.default_rng(1)
    mixed = rng.normal(size=(5, 5))
    covariance = mixed @ mixed.T + np.eye(5)
    mean, values = rng.normal(size=5), rng.normal(size=(30, 5)) * 3
    found = deviations(values, mean, np.linalg.inv(covariance))
    for row, distance, largest in zip(values - mean, found.distance, found.largest, strict=True):
        assert distance == pytest.approx(row @ np.linalg.solve(covariance, row))
        alone = []
        for at in range(5):
            rest = [other for other in range(5) if other != at]
            weights = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, at])
            spread = covariance[at, at] - weights @ covariance[rest, at]
            alone.append(abs(row[at] - weights @ row[rest]) / np.sqrt(spread))
        assert largest == pytest.approx(max(alone))
    np.testing.assert_allclose(found.shares.sum(axis=1), found.distance)


def test_every_length_of_record_has_one_band() -> None:
    assert [band_of(np.array([rows]))[0] for rows in range(1, ROWS + 1)] == [
        next(number for number, (shortest, longest) in enumerate(BANDS) if shortest <= rows <= longest)
        for rows in range(1, ROWS + 1)
    ]


def test_many_at_once_are_judged_as_one_by_one(scorer: Scorer) -> None:
    model = next(iter(scorer.models.values()))
    for seen in (model.experience, Ranges(model.bundle.manifest.population_percentiles)):
        rows = np.concatenate([table(seed, scorer) for seed in range(60)])
        rows = np.concatenate(
            [rows, *(scorer.score(request(case), TODAY).features for case in cases("odd_histories.yaml"))]
        )
        together = seen.odd(rows)
        assert together.tolist() == [seen.warning(row[None]) is not None for row in rows]
        assert together.any()
        assert not together.all()


def test_gender_changes_nothing(scorer: Scorer) -> None:
    seen = next(iter(scorer.models.values())).experience
    assert isinstance(seen, Familiar)
    for seed in range(10):
        x = table(seed, scorer)
        other = x.copy()
        other[0, x[0].any(axis=1), COLUMN["gender"]] = 2 - x[0, -1, COLUMN["gender"]]
        assert seen.warning(x) == seen.warning(other)


def test_an_artefact_of_format_1_keeps_its_range_check(tmp_path: Path) -> None:
    write_toy(tmp_path, change=as_format_1)
    old = load_scorer(tmp_path, Path("none"))
    body = old.score(request({"age": 30, "contacts": 20_000}), TODAY).body("id", TODAY)  # type: ignore[arg-type]
    (told,) = [warning.message for warning in body.history.warnings if warning.code == "out-of-distribution"]
    assert told.endswith("Outside: victim_contacts.")
    assert "out-of-distribution" not in old.score(request({"age": 30}), TODAY).case.warnings
