"""The ablation table on a small force: settings given instead of searched, people and cuts as they should be."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from training.comparison import ablations
from training.comparison.ablations import DESCRIBED, NO_SUSPECTS, RECUT, REFIT, Answers, measure_ablations
from training.comparison.bench_people import STACK
from training.comparison.published import PUBLISHED, per_nominal
from training.evaluation.bench import Bench
from training.evaluation.work import Work
from training.harm.classifier import Known, Sample, out_of_fold
from training.harm.first_stage import FIRST_STAGES
from training.harm.progress import Stages
from training.harm.svm import SvmSettings

KNOWN = Known(4, 1, SvmSettings(1.0, 0.3))
CHOICES = {
    "stack": "xgboost+lstm:svm",
    "first": {"xgboost": {"rounds": 4, "folds": [3, 4, 5, 4, 4]}, "lstm": {"epochs": 1, "folds": [1] * 5}},
    "second": {"cost": 1.0, "gamma": 0.3},
}


@pytest.fixture(scope="module")
def asked() -> list[tuple[Sample, Known, int]]:
    return []


@pytest.fixture(scope="module")
def rows(bench: Bench, asked: list[Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The table with answers at hand in place of refits."""

    def refit(train: Sample, _: Sample, judged: np.ndarray, *rest: Any) -> Answers:
        asked.append((train, rest[-2], rest[-1]))
        probabilities = np.full((len(judged), 4), 0.25)
        return Answers(probabilities, np.arange(len(judged)) % 4)

    own = replace(bench, work=Work(tmp_path_factory.mktemp("ablations"), {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ablations, "refit", refit)
        patch.setitem(bench.manifest.metrics, "fit", CHOICES)
        told = measure_ablations(own, Stages())
        assert measure_ablations(own, Stages()) == told
    json.dumps(told, allow_nan=False)
    return {row["name"]: row for row in told["rows"]}


def test_every_row_stands_beside_the_report_and_refits_are_kept(
    rows: dict[str, dict[str, Any]], asked: list[tuple[Sample, Known, int]]
) -> None:
    assert list(rows) == list(DESCRIBED)
    fitted = [name for name, row in rows.items() if name != STACK and "not_measured" not in row]
    assert len(asked) == len(fitted), "the second run took what the first one kept"
    assert all(known == KNOWN for _, known, _ in asked)
    assert rows[RECUT]["published"]["net_harm"] == 12_701
    assert rows["no_gender"]["published"] is None


def test_people_and_cuts_stay_unless_suspects_go(rows: dict[str, dict[str, Any]], bench: Bench) -> None:
    for name, row in rows.items():
        if name in (NO_SUSPECTS, RECUT):
            assert row.get("nominals", 0) < len(bench.data.x) / 3
            assert row.get("to_stack") is None
        else:
            assert row["cuts"] == bench.data.split.cuts.tolist()
            assert row["nominals_by_group"] == np.bincount(bench.data.split.groups).tolist()
            assert (row["to_stack"] is None) == (name == STACK)
    if "cuts" in rows[NO_SUSPECTS]:
        assert rows[NO_SUSPECTS]["cuts"] == bench.data.split.cuts.tolist()


def test_only_the_refit_takes_another_seed_and_inputs_differ(
    asked: list[tuple[Sample, Known, int]], rows: dict[str, dict[str, Any]], bench: Bench
) -> None:
    fitted = [name for name in (NO_SUSPECTS, RECUT) if "not_measured" not in rows[name]]
    fitted += [REFIT, "no_domestic_non_crimes", "no_gender", "final_roles"]
    train = bench.data.x[bench.data.split.train]
    for name, (sample, _, seed) in zip(fitted, asked, strict=True):
        assert seed == bench.manifest.seed + (name == REFIT)
        if name == REFIT:
            np.testing.assert_array_equal(sample.x, train)
        elif name not in (NO_SUSPECTS, RECUT):
            assert not np.array_equal(sample.x, train), name


def test_printed_net_harm_is_missed_less_positive() -> None:
    for name, row in PUBLISHED.items():
        assert row["missed_harm"] - row["positive_harm"] == row["net_harm"], name
        assert sum(row["nominals_by_group"]) == row["nominals"], name
    assert per_nominal(PUBLISHED["stack"]) == pytest.approx(5.26, abs=0.01)


def test_what_is_known_is_not_searched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def searched(*_: Any) -> int:
        raise AssertionError("searched")

    for name in ("xgboost", "lstm"):
        monkeypatch.setitem(FIRST_STAGES, name, replace(FIRST_STAGES[name], settle=searched))
    sample = bench.data.sample(bench.data.split.train)
    found = out_of_fold(sample, 1, known=KNOWN)
    assert found.settled == ([4] * 5, [1] * 5)
    with pytest.raises(AssertionError, match="searched"):
        out_of_fold(sample, 1)
