"""What a force would use instead: rules of thumb, a regression on totals, half-yearly sums (report, section 3.2).

Each is a `Rival` of the stack with the stack's own decision rule: 18 % of the test mix flagged, set on people outside the
test set. A rule of thumb has one number a person and no probabilities: people are put in order, ties at random, and the
lower groups get the shares the stack predicts (ours). What learns has four probabilities and the stack's own search for
decision weights, on out-of-fold predictions.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.harm.features import COLUMN, Floats, Ints
from training.comparison.aggregates import totals, windows
from training.comparison.bench_people import people_of, stack_of
from training.comparison.measures import Rival, differences, with_intervals
from training.evaluation.bench import Bench
from training.harm.decision import FLAGGED, choose_weights
from training.harm.fit import Data
from training.harm.folds import fold_numbers, fold_rows
from training.harm.population import mix_weights, shares
from training.harm.progress import Stages
from training.harm.trees import fit_trees, rounds_needed, tree_probabilities
from training.metrics import TOP

Predict = Callable[[Floats], Floats]
Learner = Callable[[Floats, Ints, Ints, int], Predict]
"""(inputs (N, K), groups (N,), component (N,), seed) -> inputs -> probabilities (N, 4)."""

DESCRIBED = {
    "stack": "the model as it is served",
    "last_harm_score": "harm score of the index incident",
    "previous_harm_score": "harm score of the incident before it, 0 where there is none",
    "highest_harm_score": "highest harm score in the known history",
    "cumulative_harm": "harm of the whole known history",
    "number_of_incidents": "incidents in the known history",
    "regression_on_totals": "multinomial regression on sixteen totals of the history and the person",
    "half_years": "boosted trees on four half-years before day zero and everything earlier (report, section 3.2)",
    "trees_alone": "the stack's trees without the LSTM: incident by incident, as the half-years are not",
}


def measure_baselines(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Every baseline beside the stack: figures with intervals at both mixes, and differences to the stack, paired."""
    people, stack = people_of(bench.data), stack_of(bench)
    with stages.stage("Baselines", 2 * len(DESCRIBED)) as done:
        rivals = [stack, *rules_of_thumb(bench.data, shares(stack.predicted), bench.seed)]
        for _ in rivals:
            done()
        rivals += learners(bench.data, bench.seed, done)
        told = []
        for rival in rivals:
            row = {"name": rival.name, "what": DESCRIBED[rival.name], **with_intervals(rival, people, bench.seed)}
            row["to_stack"] = None if rival is stack else differences(rival, stack, people, bench.seed)
            told.append(row)
            done()
    return {"flagged_by_rule": FLAGGED, "test_nominals": len(people.groups), "rivals": told}


def rules_of_thumb(data: Data, predicted: Floats, seed: int) -> list[Rival]:
    """The rules on the test people; `predicted` (4,) are the stack's shares, of which the lower three are kept."""
    known = data.labelled.histories
    scores = {
        "last_harm_score": data.x[:, -1, COLUMN["harm_score"]].astype(np.float64),
        "previous_harm_score": data.x[:, -2, COLUMN["harm_score"]].astype(np.float64),
        "highest_harm_score": np.maximum.reduceat(known.incidents.harm, known.starts[:-1]),
        "cumulative_harm": data.x[:, -1, COLUMN["cumulative_harm"]].astype(np.float64),
        "number_of_incidents": known.lengths.astype(np.float64),
    }
    lower = predicted[:TOP] * (1 - FLAGGED) / predicted[:TOP].sum()
    weights = mix_weights(data.split.groups[data.outside], shares(data.split.groups[data.split.test]))
    divided = partial(by_rank, learn=data.outside, judge=data.split.test, weights=weights, lower=lower, seed=seed)
    return [Rival(name, divided(score), score[data.split.test]) for name, score in scores.items()]


def by_rank(score: Floats, *, learn: Ints, judge: Ints, weights: Floats, lower: Floats, seed: int) -> Ints:
    """Groups 0..3 of the rows `judge` by thresholds on `score` (N,) that give the rows `learn`, weighted, the shares
    `lower` (3,) in the lower groups and the rest in the top one. Equal scores are put in order at random."""
    _, rank = np.unique(score, return_inverse=True)
    order = rank + np.random.default_rng(seed).random(len(score))
    cuts = np.quantile(order[learn], np.cumsum(lower), weights=weights, method="inverted_cdf")
    return np.searchsorted(cuts, order[judge], side="left").astype(np.int64)


def learners(data: Data, seed: int, done: Callable[[], None] = lambda: None) -> list[Rival]:
    """Baselines that learn, on the stack's own training people; `done` after each."""
    histories = data.labelled.histories
    known: dict[str, tuple[Floats, Learner]] = {
        "regression_on_totals": (totals(histories, data.x), fit_regression),
        "half_years": (windows(histories, data.x), fit_boosted),
        "trees_alone": (data.x.reshape(len(data.x), -1).astype(np.float64), fit_boosted),
    }
    rivals = []
    for name, (inputs, learner) in known.items():
        rivals.append(_learnt(name, inputs, learner, data, seed))
        done()
    return rivals


def fit_regression(inputs: Floats, groups: Ints, _component: Ints, _seed: int) -> Predict:
    """Multinomial logistic regression on standardised inputs."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(inputs, groups)
    return lambda rows: np.asarray(model.predict_proba(rows), dtype=np.float64)


def fit_boosted(inputs: Floats, groups: Ints, component: Ints, seed: int) -> Predict:
    """The stack's trees on other inputs, as many rounds as an inner split asks for."""
    x = inputs.astype(np.float32)
    model = fit_trees(x, groups, rounds_needed(x, groups, component, seed), seed)
    return lambda rows: tree_probabilities(model, rows.astype(np.float32)).astype(np.float64)


def _learnt(name: str, inputs: Floats, learner: Learner, data: Data, seed: int) -> Rival:
    train, test, groups = data.split.train, data.split.test, data.split.groups
    x, y, component = inputs[train], groups[train], data.labelled.component[train]
    held = np.empty((len(train), 4))
    for learn, judge in fold_rows(fold_numbers(y, component, seed)):
        held[judge] = learner(x[learn], y[learn], component[learn], seed)(x[judge])
    weights = choose_weights(held, y, mix_weights(y, shares(groups[test])))
    probabilities = learner(x, y, component, seed)(inputs[test])
    return Rival(name, np.argmax(weights * probabilities, axis=1).astype(np.int64), probabilities[:, TOP])
