"""The probability of a year without a further incident, explained by the same code: oracle, dummies, words."""

import itertools
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from app.errors import InvalidInput
from app.harm.answers import ScoreBody
from app.harm.explanation import FACTORS, factor_effects
from app.harm.explanation_answers import BothExplanations, FactorExplanation, IncidentExplanation
from app.harm.features import COLUMN, FEATURES, ROWS, SURVIVAL_FEATURES
from app.harm.records import parse_request
from app.harm.service import Scored, Scorer
from app.harm.targets import TARGETS
from app.harm.wording import points
from tests.app.harm.test_explanation import TODAY, random_request
from tests.app.harm.test_incidents import check_against_plain, odd_request
from tests.requests import example

SURVIVAL = TARGETS["survival"]
UNSEEN = {name for name, members in FACTORS.items() if not set(members) & set(SURVIVAL_FEATURES)}


def scored(scorer: Scorer, request: dict[str, Any], explain: str = "both") -> Scored:
    return scorer.score(parse_request(request | {"explain": explain, "explain_survival": explain != "none"}), TODAY)


def both_of(result: Scored) -> tuple[FactorExplanation, IncidentExplanation]:
    assert isinstance(result.survival_explanation, BothExplanations)
    return result.survival_explanation.factors, result.survival_explanation.incidents


@pytest.mark.parametrize("seed", range(4))
def test_factors_equal_one_coalition_at_a_time(toy_scorer: Scorer, seed: int) -> None:
    """All ten factors are tried here, also those the fast path leaves out."""
    result = scored(toy_scorer, random_request(40 + seed), "none")
    own, rows = result.features[0], min(len(result.case.order), ROWS)
    medians = np.array(result.model.bundle.manifest.reference_medians, dtype=np.float32)
    values = {}
    for joined in itertools.product([False, True], repeat=len(FACTORS)):
        record = np.zeros_like(own)
        record[ROWS - rows :] = medians[ROWS - rows :]
        kept = [name for names, inside in zip(FACTORS.values(), joined, strict=True) if inside for name in names]
        for name in [*kept, "gender"]:
            record[:, COLUMN[name]] = own[:, COLUMN[name]]
        values[joined] = float(result.model.survival(record[None])[0, 365])
    expected = np.zeros(len(FACTORS))
    for joined, value in values.items():
        for player, inside in enumerate(joined):
            size = sum(joined) - inside
            weight = math.factorial(size) * math.factorial(9 - size) / math.factorial(10)
            expected[player] += weight * (value if inside else -value)
    got = factor_effects(result.model, result.features, rows, SURVIVAL)
    np.testing.assert_allclose(got.contributions[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_incidents_equal_requests_scored_one_at_a_time(toy_scorer: Scorer, seed: int) -> None:
    check_against_plain(toy_scorer, odd_request(4000 + seed, 8), "survival")


@pytest.mark.parametrize("seed", range(12))
def test_both_views_add_up_to_the_curve_that_is_shown(toy_scorer: Scorer, seed: int) -> None:
    result = scored(toy_scorer, random_request(700 + seed))
    for view in both_of(result):
        assert view.value == float(result.curve[365])
        total = sum(share.effect for share in view.contributions)
        assert total == pytest.approx(view.value - view.reference.value, abs=1e-6)
        assert view.explains == SURVIVAL.explains
        assert view.top_two is None
        assert {share.effect_top_two for share in view.contributions} <= {None}
        for share in view.contributions:
            assert points(share.effect) in share.text or share.name in UNSEEN
            assert " estimate" not in share.text, "what gets higher or lower is named"


def test_what_the_curve_does_not_see_drops_out_before_the_call(toy_scorer: Scorer) -> None:
    result = scored(toy_scorer, example())
    asked = []

    class Spy:
        bundle = result.model.bundle

        @staticmethod
        def curves(features: np.ndarray) -> Iterator[np.ndarray]:
            asked.append(len(features))
            return result.model.curves(features)

    effects = factor_effects(Spy(), result.features, 3, SURVIVAL)  # type: ignore[arg-type]
    assert asked == [1, 2 ** (len(FACTORS) - len(UNSEEN))], "the score itself, then one batch"
    factors, _ = both_of(result)
    told = {share.name: share for share in factors.contributions}
    assert {"offence types", "stalking pattern", "domestic context", "role"} == UNSEEN
    for name in UNSEEN:
        assert told[name].effect == 0.0
        assert effects.contributions[list(FACTORS).index(name), 0] == 0.0
        assert told[name].text.endswith("The curve does not look at this.")


def test_the_toy_s_curve_sees_what_a_curve_may_see(toy_scorer: Scorer) -> None:
    """Otherwise leaving players out would be wrong here, and the tests above would not notice."""
    model = scored(toy_scorer, example(), "none").model
    rows = np.random.default_rng(1).random((20, ROWS, len(FEATURES)), dtype=np.float32)
    changed = rows.copy()
    for name in set(FEATURES) - set(SURVIVAL_FEATURES):
        changed[:, :, COLUMN[name]] += 1
    np.testing.assert_array_equal(model.survival(rows), model.survival(changed))
    assert np.ptp(model.survival(rows)[:, 365]) > 1e-4


def test_only_where_it_is_asked_for(toy_scorer: Scorer) -> None:
    plain = toy_scorer.score(parse_request(example()), TODAY)
    assert plain.survival_explanation is None
    one = scored(toy_scorer, example(), "incidents")
    assert isinstance(one.survival_explanation, IncidentExplanation)
    assert one.explanation == toy_scorer.score(parse_request(example(explain="incidents")), TODAY).explanation
    assert one.survival_explanation == both_of(scored(toy_scorer, example()))[1]


def test_a_survival_explanation_by_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_request(example(explain="none", explain_survival=True))
    assert [(fault.pointer, fault.rule) for fault in refused.value.faults] == [("/explain_survival", "needs-a-view")]


def test_an_answer_stored_before_the_field_was_there_is_still_read(toy_scorer: Scorer) -> None:
    body = scored(toy_scorer, example(), "none").body("0190a000-0000-7000-8000-000000000000", datetime.now(UTC))
    older = json.loads(body.model_dump_json())
    del older["survival_explanation"]
    assert ScoreBody.model_validate_json(json.dumps(older)) == body


def test_limits_speak_of_the_curve(toy_scorer: Scorer) -> None:
    factors, incidents = both_of(scored(toy_scorer, example()))
    for view in (factors, incidents):
        said = " ".join(view.limits)
        assert "also a minor one" in said
        assert "flag" not in said
        assert "be put in the highest group" not in said
