"""Fits that are kept, thinned, shuffled and repeated."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.harm.features import FEATURES
from training.evaluation.bench import Bench, Scored
from training.evaluation.work import Work
from training.harm.progress import Stages
from training.validation import fits, learning_curve, shuffle, stability
from training.validation.fits import fit_of, headlines, picked, scores_of
from training.validation.learning_curve import thinned
from training.validation.shuffle import dealt, macro_auc, shuffled
from training.validation.stability import agreement, resplit

SETTLED = {
    "stack": "xgboost+lstm:svm",
    "first": {"xgboost": {"rounds": 4}, "lstm": {"epochs": 1}},
    "second": {"cost": 1.0, "gamma": 0.3},
}
"""What the artefact is said to have settled on."""


class Stack:
    """Says the shares of the groups it was taught, to everyone; told apart by how many taught it."""

    decision_weights = np.array([1.0, 1.0, 1.0, 3.0])

    def __init__(self, groups: np.ndarray) -> None:
        self._shares = np.bincount(groups, minlength=4) / len(groups)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(len(x)).dirichlet(np.ones(4), len(x))
        return 0.5 * self._shares + 0.5 * noise

    population_probabilities = probabilities


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Fits by how many taught them; none is a real one."""
    done: Counter[int] = Counter()

    def fit_stack(train: Any, calibration: Any, **_: Any) -> Any:
        done[len(train.groups)] += 1
        assert len(calibration.groups)
        return SimpleNamespace(stack=Stack(train.groups))

    monkeypatch.setattr(fits, "fit_stack", fit_stack)
    return done


def test_a_fit_is_made_once_and_found_again(bench: Bench, quick: Counter[int], tmp_path: Any) -> None:
    work, data = Work(tmp_path, {}), bench.data
    fit = fit_of("one", data, 5, data.x[:40], share=0.5)
    (first,) = scores_of([fit], work, 1, Stages(), "")
    (again,) = scores_of([fit], work, 1, Stages(), "")
    assert sum(quick.values()) == 1
    assert np.array_equal(first.probabilities, again.probabilities)
    assert np.array_equal(first.predicted, np.argmax(first.probabilities * Stack.decision_weights, axis=1))
    scores_of([fit._replace(follows_from={"seed": 6})], work, 1, Stages(), "")
    assert sum(quick.values()) == 2


def test_headlines_are_of_the_people_given(bench: Bench) -> None:
    found = headlines(bench, bench.data, bench.scored)
    assert found["nominals"] == len(bench.groups)
    most = np.flatnonzero(np.arange(len(bench.groups)) % 5)
    part = bench.data._replace(split=replace(bench.data.split, test=bench.data.split.test[most]))
    other = headlines(bench, part, picked(bench.scored, most))
    assert other["nominals"] == len(most)
    accuracy = np.mean(bench.scored.predicted[most] == bench.groups[most])
    assert other["test_mix"]["accuracy"]["value"] == pytest.approx(accuracy, abs=1e-6)
    assert other["test_mix"]["accuracy"]["low"] < accuracy < other["test_mix"]["accuracy"]["high"]


def test_smaller_training_parts_lie_inside_larger_ones(bench: Bench) -> None:
    train, groups = bench.data.split.train, bench.data.split.groups
    small, large = (set(thinned(train, groups, share, seed=1).tolist()) for share in (0.25, 0.5))
    assert small < large < set(train.tolist())
    assert len(large) == pytest.approx(len(train) / 2, abs=3)
    assert set(groups[sorted(small)]) == {0, 1, 2, 3}


def test_learning_curve_ends_at_the_artefact(bench: Bench, quick: Counter[int]) -> None:
    rows = learning_curve.measure_learning_curve(replace(bench, work=bench.work.under(curve=1)), Stages())["sizes"]
    assert [row["share"] for row in rows] == [0.125, 0.25, 0.5, 1.0]
    assert sorted(quick) == [row["train"] for row in rows[:-1]]
    assert rows[-1]["train"] == len(bench.data.split.train)
    own = headlines(bench, bench.data, bench.scored)
    assert rows[-1]["test_mix"] == own["test_mix"]


def test_dealing_gives_everyone_the_whole_future_of_someone_else(bench: Bench) -> None:
    labelled, order = bench.data.labelled, np.random.default_rng(1).permutation(1_500)
    found = dealt(labelled, order)
    assert np.array_equal(found.future_harm, labelled.future_harm[order])
    assert (np.isnan(found.first_event_day) == np.isnan(labelled.first_event_day)[order]).all()
    assert found.histories is labelled.histories


def test_shuffled_labels_are_split_anew_and_tell_nothing(bench: Bench) -> None:
    data = shuffled(bench.data, seed=4)
    assert data.x is bench.data.x
    assert np.bincount(data.split.groups)[0] == pytest.approx(np.bincount(bench.data.split.groups)[0], abs=40)
    assert not np.array_equal(data.split.test, bench.data.split.test)
    rest = np.concatenate([data.split.train, data.split.calibration, data.split.rest])
    assert not np.isin(data.labelled.component[data.split.test], data.labelled.component[rest]).any()
    total = bench.data.x[:, -1, FEATURES.index("cumulative_harm")]
    before, after = (np.corrcoef(np.log1p(total), each.split.groups)[0, 1] for each in (bench.data, data))
    assert before > 0.2
    assert abs(after) < 0.1


def test_shuffle_section_says_whether_it_holds(bench: Bench, quick: Counter[int], monkeypatch: Any) -> None:
    found = shuffle.measure_shuffle(replace(bench, work=bench.work.under(shuffle=1)), Stages())
    assert len(found["macro_auc"]) == sum(quick.values()) == 3
    assert found["mean"] == pytest.approx(np.mean(found["macro_auc"]), abs=1e-6)
    assert found["holds"] == (abs(found["mean"] - 0.5) <= 0.03)
    # a pipeline that knows: the predicted group is the true one of the shuffled world
    told = [np.eye(4)[shuffled(bench.data, seed).split.groups] for seed in (1, 2, 3)]
    tests = [shuffled(bench.data, seed).split.test for seed in (1, 2, 3)]
    scores = [
        Scored(all_[rows], all_[rows], all_[rows].argmax(1), all_[:0]) for all_, rows in zip(told, tests, strict=True)
    ]
    monkeypatch.setattr(shuffle, "scores_of", lambda *_: scores)
    leaking = shuffle.measure_shuffle(bench, Stages())
    assert leaking["mean"] == 1
    assert not leaking["holds"]


def test_macro_auc_of_nothing_and_of_everything() -> None:
    groups = np.tile(np.arange(4), 50)
    assert macro_auc(groups, np.full((200, 4), 0.25)) == 0.5
    assert macro_auc(groups, np.eye(4)[groups]) == 1


def test_agreement_of_a_seed_with_itself_and_with_chance(bench: Bench) -> None:
    count, rng = len(bench.data.x), np.random.default_rng(1)
    other = resplit(bench.data, 99)
    assert not np.array_equal(other.split.test, bench.data.split.test)
    said = [
        Scored(np.empty((count, 4)), np.empty((count, 4)), rng.integers(0, 4, count), np.empty((count, 0)))
        for _ in "ab"
    ]
    same = agreement([bench.data, other], [said[0], said[0]])
    assert same["same_group"]["mean"] == same["kappa"]["mean"] == same["flagged_by_both"]["mean"] == 1
    chance = agreement([bench.data, other], said)
    assert chance["pairs"] == 1
    assert chance["same_group"]["mean"] == pytest.approx(0.25, abs=0.06)
    assert chance["kappa"]["mean"] == pytest.approx(0, abs=0.1)
    assert chance["flagged_by_both"]["mean"] == pytest.approx(1 / 7, abs=0.06)


def test_agreement_asks_only_those_neither_has_learnt_from(bench: Bench) -> None:
    count, other = len(bench.data.x), resplit(bench.data, 99)
    learnt = np.zeros(count, dtype=bool)
    for data in (bench.data, other):
        learnt[data.split.train] = learnt[data.split.calibration] = True
    empty = np.empty((count, 4))
    said = np.arange(count) % 4
    one = Scored(empty, empty, np.where(learnt, 0, said), empty)
    two = Scored(empty, empty, np.where(learnt, 3, said), empty)
    assert agreement([bench.data, other], [one, two])["same_group"]["mean"] == 1


def test_ten_seeds_and_their_spread(bench: Bench, quick: Counter[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stability, "SEEDS", 3)
    monkeypatch.setitem(bench.manifest.metrics, "fit", SETTLED)
    found = stability.measure_stability(replace(bench, work=bench.work.under(stability=1)), Stages())
    assert [row["seed"] for row in found["seeds"]] == [13, 14, 15]
    assert sum(quick.values()) == 2
    values = [row["accuracy"] for row in found["seeds"]]
    spread = found["spread"]["accuracy"]
    assert spread["mean"] == pytest.approx(np.mean(values), abs=1e-6)
    assert (spread["lowest"], spread["highest"]) == (min(values), max(values))
    own = np.mean(bench.scored.predicted == bench.groups)
    assert values[0] == pytest.approx(own, abs=1e-6)
    assert found["agreement"]["pairs"] == 3
