"""Section "validation.leak": two detectors of knowledge nobody could have had, and leaks planted to see them work.

Above the oracle: no model that reads records can rank better than the frequencies of futures simulated from the truth;
one that does by more than two standard errors, in the area of the top group against the lowest or in the mean of all
four one against the rest, has seen the future. It sees any kind of leak, but only a strong one, as the oracle knows far
more than the records tell; the second area leaves more room above the oracle, and so sees more (ours).

Changed bytes: records after day zero are changed, deleted, added; not one byte of anyone's features may change. It sees
the faintest leak through the features, but none through the split or the fit (shuffled labels do).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from app.extract.known import ROLES
from app.extract.load import Extract
from app.harm.features import COLUMN, Features, Floats, Ints, features
from app.harm.subject import Perspective
from training.evaluation import ranking
from training.evaluation.bench import Bench
from training.evaluation.intervals import draws
from training.harm.fit import Data
from training.harm.measure import round_floats
from training.harm.population import shares
from training.harm.progress import Stages
from training.harm.trees import fit_trees, tree_probabilities
from training.labels import HORIZON_DAYS, Labelled
from training.metrics import GROUP_COUNT, LOWEST, TOP
from training.oracle.oracle import Oracle, shifted
from training.oracle.section import section_oracle
from training.validation.changes import CHANGES, after_day_zero

STANDARD_ERRORS = 2.0
AREAS = ("top_against_lowest", "macro")
PEEKED_DAYS = (30, 90, 365)
_ROUNDS = 60
Peek = Callable[[Extract, Labelled, Features], Features]
"""Features as they leave a pipeline, from the extract, its labels and the features as training computes them."""


def measure_leak(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Both detectors on the artefact, and on leaks of different strength planted beside it.

    Without latents there is no oracle: then only changed bytes are looked for.
    """
    data = bench.data
    oracle = section_oracle(bench, stages) if bench.latents is not None else None
    pipelines: dict[str, Peek] = {"artefact": honest}
    pipelines |= {
        f"planted_{days}_days": partial(peeking, days=days, perspective=data.family.subject.perspective)
        for days in PEEKED_DAYS
    }
    with stages.stage("Leak test", len(CHANGES) + len(pipelines)) as done:
        changed = changed_bytes(data, pipelines, bench.seed, done)
        found: dict[str, Any] = {}
        for name, pipeline in pipelines.items():
            counts = changed[name]
            found[name] = {"changed_bytes": counts, "caught_by_changed_bytes": any(counts.values())}
            if oracle is not None:
                x = pipeline(data.extract, data.labelled, data.x)
                said = bench.scored.population if name == "artefact" else _quick_model(bench, x)
                found[name]["above_oracle"] = above_oracle(bench, oracle, said)
            done()
    rounded: dict[str, Any] = round_floats(found)
    return rounded


def above_oracle(bench: Bench, oracle: Oracle, probabilities: Floats) -> dict[str, Any]:
    """Areas of a model less the oracle's, with their standard errors, and whether that is a leak.

    `probabilities` (T, 4) of the test set at the population mix; errors are those of paired differences over components.
    """
    known = oracle.population[bench.data.split.test]
    said, best = _areas(bench.groups, probabilities), _areas(bench.groups, known)
    ones = np.ones((1, len(bench.groups)))
    replicates = [said(weights) - best(weights) for weights in draws(bench.component, seed=bench.seed)]
    differences, errors = (said(ones) - best(ones))[0], np.nanstd(np.concatenate(replicates), axis=0)
    areas = {
        name: {"difference": float(difference), "standard_error": float(error)}
        for name, difference, error in zip(AREAS, differences, errors, strict=True)
    }
    return {**areas, "caught": bool((differences > STANDARD_ERRORS * errors).any())}


def _areas(groups: Ints, probabilities: Floats) -> Callable[[Floats], Floats]:
    """Function of weights (R, N) -> both `AREAS` (R, 2)."""
    orders = [ranking.ranked(probabilities[:, group]) for group in range(GROUP_COUNT)]
    extremes = (groups == TOP) | (groups == LOWEST)

    def areas(weights: Floats) -> Floats:
        each = [ranking.auc(order, groups == group, weights) for group, order in enumerate(orders)]
        pair = ranking.auc(orders[TOP], groups == TOP, weights * extremes)
        return np.stack([pair, np.mean(each, axis=0)], axis=-1)

    return areas


def changed_bytes(
    data: Data, pipelines: Mapping[str, Peek], seed: int, done: Callable[[], None] = lambda: None
) -> dict[str, dict[str, int]]:
    """How many labelled nominals' features change with each kind of change to records after day zero; all must be 0.

    Of each pipeline; the age taken where there is no birth date is kept. `done` is called after each change.
    """
    after = after_day_zero(data.extract, data.labelled, data.family.subject)
    found: dict[str, dict[str, int]] = {name: {} for name in pipelines}
    for change, apply in CHANGES.items():
        extract = apply(data.extract, after, np.random.default_rng(seed))
        labelled = data.family.label(extract)
        x = features(labelled.histories, labelled.nominals, unknown_age=data.unknown_age)
        same_people = np.array_equal(labelled.person, data.labelled.person)
        for name, pipeline in pipelines.items():
            before = pipeline(data.extract, data.labelled, data.x)
            now = pipeline(extract, labelled, x)
            found[name][change] = _differing(before, now) if same_people else len(before)
        done()
    return found


def _differing(one: Features, other: Features) -> int:
    """How many rows differ in any byte."""
    return int((one.view(np.uint32) != other.view(np.uint32)).any(axis=(1, 2)).sum())


def honest(extract: Extract, labelled: Labelled, x: Features) -> Features:  # noqa: ARG001
    """The features as training computes them."""
    return x


def peeking(
    extract: Extract, labelled: Labelled, x: Features, *, days: int, perspective: Perspective = "nominal"
) -> Features:
    """A planted leak: cumulative harm that runs on for `days` after day zero."""
    peeked = x.copy()
    peeked[:, -1, COLUMN["cumulative_harm"]] += harm_after(extract, labelled, days, perspective)
    return peeked


def harm_after(extract: Extract, labelled: Labelled, days: int, perspective: Perspective = "nominal") -> Features:
    """Harm on record within so many days after day zero, (N,)."""
    roles = ROLES[perspective]
    place = np.full(len(extract.person_id), -1)
    place[labelled.person] = np.arange(len(labelled.person))
    who: Ints = place[extract.person]
    since = np.where(who >= 0, extract.occurred[extract.incident] - labelled.histories.day_zero[who], 0)
    rows = (since > 0) & (since <= min(days, HORIZON_DAYS)) & (roles(extract, extract.end) > 0)
    total = np.bincount(who[rows], weights=extract.harm[extract.incident[rows]], minlength=len(labelled.person))
    return total.astype(np.float32)


def _quick_model(bench: Bench, x: Features) -> Floats:
    """Boosted trees alone, enough to see a leak: probabilities of the test set at the population mix, (T, 4)."""
    groups, split = bench.data.split.groups, bench.data.split
    model = fit_trees(x[split.train], groups[split.train], _ROUNDS, bench.seed)
    probabilities = np.asarray(tree_probabilities(model, x[split.test]), dtype=np.float64)
    return shifted(probabilities, shares(groups[split.train]), bench.data.mix)
