"""What explanations promise, on the artefact in the repository and on records in the shape of real ones: its golden cases."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.harm import explanation
from app.harm.explaining import one_view
from app.harm.features import COLUMN, FEATURES, SURVIVAL_FEATURES, Features, Histories, Nominals, features
from app.harm.history import build_case
from app.harm.records import parse_request
from app.harm.service import Scorer, load_scorer
from app.harm.targets import TARGETS
from benchmarks.explanation_oracle import compared
from benchmarks.gap_stretching import TIMING, effects, index_alone, rank_correlation, stretched
from tests.app.harm.test_explanation import random_request

ARTIFACTS = Path(__file__).parents[1] / "model_artifacts"
FAMILY = "stalking-nominal"


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load_scorer(ARTIFACTS, Path("no imported index"))


def golden(scorer: Scorer, shortest: int, longest: int) -> list[dict[str, Any]]:
    requests = [case["request"] for case in scorer.models[FAMILY].bundle.golden]
    return [request for request in requests if shortest <= len(request["incidents"]) <= longest]


def test_the_curve_hangs_on_its_own_features_only(scorer: Scorer) -> None:
    """So that factors without any of them may drop out before the call."""
    model = scorer.models[FAMILY]
    cases = [scorer.score(parse_request(request), date.max).features for request in golden(scorer, 1, 40)]
    plain = np.concatenate(cases)
    other = plain.copy()
    unseen = [COLUMN[name] for name in set(FEATURES) - set(SURVIVAL_FEATURES)]
    other[:, :, unseen] = 1 - np.minimum(other[:, :, unseen], 1)
    np.testing.assert_array_equal(model.survival(plain), model.survival(other))
    seen = plain.copy()
    seen[:, :, COLUMN["days_since_previous"]] += 100
    assert not np.array_equal(model.survival(plain), model.survival(seen))


def test_both_views_of_both_numbers_equal_one_coalition_at_a_time(scorer: Scorer) -> None:
    """Two hundred people are compared by `python -m benchmarks.explanation_oracle`; see docs/explanations.md."""
    for request in golden(scorer, 4, 5)[:2]:
        found = list(compared(scorer, parse_request(request)))
        assert {(one.by, one.of) for one in found} == {
            (by, of) for by in ("factors", "incidents") for of in ("harm", "survival")
        }
        for one in found:
            assert one.from_oracle <= 1e-6, one
            assert one.from_sum <= 1e-6, one
            assert one.same_bits


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_s_views_add_up_and_leave_out_as_a_real_score_does(scorer: Scorer, seed: int) -> None:
    request = parse_request(random_request(820 + seed) | {"explain": "none"})
    scored = scorer.score(request, date.max)
    views = [one_view(scored.model, scored.case, scored.features, scorer.index, by, "survival") for by in BOTH]
    for view in views:
        assert view.value == scored.curve[365]
        total = sum(share.effect for share in view.contributions)
        assert total == pytest.approx(view.value - view.reference.value, abs=1e-6)
    for share in views[1].contributions:
        if share.evidence.incidents == 1:
            left = [one for one in request.incidents if one.incident_id != share.evidence.incident_id]
            again = scorer.score(request.model_copy(update={"incidents": left}), date.max)
            assert share.evidence.without == pytest.approx(again.curve[365], abs=1e-6)


BOTH = ("factors", "incidents")


def as_they_are_and_later(scorer: Scorer) -> tuple[Features, Features, np.ndarray]:
    """Golden cases with three incidents or more, and the same with all gaps four times as long."""
    cases = [build_case(parse_request(request), scorer.index, date.max) for request in golden(scorer, 3, 60)]
    age = scorer.models[FAMILY].bundle.manifest.index_age_median

    def of(histories: Histories, nominals: Nominals) -> Features:
        return features(histories, nominals, unknown_age=age)

    plain = np.concatenate([of(case.histories, case.nominals) for case in cases])
    late = np.concatenate([of(stretched(case.histories), case.nominals) for case in cases])
    return plain, late, np.array([len(case.order) for case in cases])


def test_what_an_estimate_loses_with_time_is_what_timing_loses(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not with the reference that was turned down, which puts everything on one day where timing is left out."""
    model = scorer.models[FAMILY]
    plain, late, lengths = as_they_are_and_later(scorer)
    assert len(plain) >= 20
    value, after = (TARGETS["harm"].values(model, records)[:, 0] for records in (plain, late))
    lost = value - after
    before = effects(model, plain, lengths)
    change = before[:, TIMING] - effects(model, late, lengths)[:, TIMING]
    assert rank_correlation(lost, change) >= 0.8
    assert (change > 0).mean() >= 0.95

    monkeypatch.setattr(explanation, "_reference", index_alone)
    turned_down = effects(model, plain, lengths)[:, TIMING]
    assert (turned_down > 0).mean() < 0.1, "recent records would have been told to be the better for it"
    assert rank_correlation(lost, turned_down - effects(model, late, lengths)[:, TIMING]) < 0.5
