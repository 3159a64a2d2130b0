"""The stack refitted with something left out (report, appendices 9 and 10), cuts and settings those of the artefact.

What part a person had in an incident is left out only of those who harm: a victim's is always the same.

One refit leaves nothing out and only draws with another seed: differences no larger than its are noise of fitting.
"""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from app.errors import SetupError
from app.harm.features import Features, Floats, Ints, features
from training.comparison.alterations import (
    histories_of,
    only_charged,
    with_final_roles,
    without_domestic_non_crimes,
    without_gender,
)
from training.comparison.bench_people import STACK, people_of, stack_of
from training.comparison.following import following
from training.comparison.measures import Rival, differences, with_intervals
from training.comparison.published import PUBLISHED, REMARKS, per_nominal
from training.evaluation.bench import Bench
from training.families import STALKING_NOMINAL, Family
from training.harm.classifier import Known, Sample, fit_stack
from training.harm.fit import Data
from training.harm.parallel import run
from training.harm.population import shares
from training.harm.progress import Stages
from training.labels import Labelled
from training.metrics import GROUP_COUNT, TOP
from training.split import split

REFIT, NO_SUSPECTS, RECUT, FINAL_ROLES = "refit", "no_suspects", "no_suspects_recut", "final_roles"
OF_ROLES = (NO_SUSPECTS, RECUT, FINAL_ROLES)
DESCRIBED = {
    STACK: "the model as it is served",
    REFIT: "nothing left out, fitted with another seed: how far apart fits of the same are",
    NO_SUSPECTS: "histories of incidents in which the nominal was charged in the end, outcomes and cuts as they were (ours)",
    RECUT: "the same, and only what was charged counts as outcome, with harm groups cut afresh from it (appendix 9)",
    "no_domestic_non_crimes": "histories without domestic non-crimes; people and outcomes as they were (appendix 10)",
    "no_gender": "gender unknown for everyone",
    FINAL_ROLES: "roles as they stood in the end instead of when the index incident was recorded: tells of the future",
}


FEWEST = 20
"""Training people of each harm group that a refit needs: fewer, and one of its folds may lack the group."""


class Answers(NamedTuple):
    """A refitted stack's answers for test people: probabilities (N, 4), predicted groups (N,)."""

    probabilities: Floats
    predicted: Ints


def measure_ablations(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Every ablation beside the stack and the report: figures with intervals; where the test people are the same,
    differences to the stack, paired."""
    data, told = bench.data, []
    own, stack = people_of(data), stack_of(bench)
    published = PUBLISHED if data.family is STALKING_NOMINAL else {STACK: _own_figures(data.family)}
    variants = _variants(data)
    answers = _answers(bench, variants, stages)
    for name, what in described(data.family).items():
        variant = variants.get(name, data)
        row: dict[str, Any] = {"name": name, "what": what, "published": _published(published.get(name))}
        if variant is None:
            told.append(
                {
                    **row,
                    "not_measured": "too few nominals were charged for every part of the split to hold every harm group",
                }
            )
            continue
        same = variant.labelled is data.labelled
        people = own if same else people_of(variant)
        rival = stack if name == STACK else Rival(name, answers[name].predicted, answers[name].probabilities[:, TOP])
        row |= _counts(variant) | with_intervals(rival, people, bench.seed)
        row["to_stack"] = differences(rival, stack, people, bench.seed) if same and name != STACK else None
        told.append(row)
    return {"rows": told, "remarks": list(REMARKS if data.family is STALKING_NOMINAL else [])}


def described(family: Family) -> dict[str, str]:
    """What is left out of a family's model, name -> words."""
    with_roles = family.subject.perspective == "nominal"
    return {name: what for name, what in DESCRIBED.items() if with_roles or name not in OF_ROLES}


def _own_figures(family: Family) -> dict[str, Any]:
    """What the report prints of the family's own stack."""
    harm = {f"{name}_harm": value for name, value in family.harm.items()}
    return {**family.published, **harm, "test_nominals": sum(family.parts.test)}


def _variants(data: Data) -> dict[str, Data | None]:
    """Prepared data of each ablation; None where it cannot be divided into parts."""
    with_x = {
        REFIT: data.x,
        "no_domestic_non_crimes": histories_of(without_domestic_non_crimes(data.extract), data),
        "no_gender": without_gender(data.x),
    }
    same = {name: data._replace(x=x) for name, x in with_x.items()}
    return {**same, **_variants_of_roles(data)} if data.family.subject.perspective == "nominal" else {**same}


def _variants_of_roles(data: Data) -> dict[str, Data | None]:
    """The same of those who harm, by what part they had in incidents."""
    charged = only_charged(data.extract)
    labelled = data.family.label(charged)
    happened = following(data.extract, labelled)
    harm = np.bincount(happened.nominal, weights=happened.harm, minlength=len(labelled.person)).astype(np.float64)
    return {
        NO_SUSPECTS: _divided(data, replace(labelled, future_harm=harm), data.split.cuts),
        RECUT: _divided(data, labelled, None),
        FINAL_ROLES: data._replace(x=histories_of(with_final_roles(data.extract, data.labelled), data)),
    }


def _divided(data: Data, labelled: Labelled, cuts: Floats | None) -> Data | None:
    """Other people, labelled and split afresh; None where that cannot be done, or leaves a fold without a group."""
    try:
        parts = split(labelled, parts=data.family.parts, seed=0, cuts=cuts)
    except SetupError:
        return None
    if np.bincount(parts.groups[parts.train], minlength=GROUP_COUNT).min() < FEWEST:
        return None
    x = features(labelled.histories, labelled.nominals, unknown_age=data.unknown_age)
    return data._replace(labelled=labelled, split=parts, mix=shares(parts.groups), x=x)


def _answers(bench: Bench, variants: dict[str, Data | None], stages: Stages) -> dict[str, Answers]:
    """Refit every variant and score its test people; kept, since it takes minutes."""
    known = Known.of(bench.manifest.metrics["fit"])
    tasks = {
        name: partial(
            refit,
            data.sample(data.split.train),
            data.sample(data.split.calibration),
            data.x[data.split.test],
            shares(data.split.groups[data.split.test]),
            data.mix,
            known,
            bench.manifest.seed + (name == REFIT),
        )
        for name, data in variants.items()
        if data is not None
    }

    def compute() -> dict[str, Any]:
        with stages.stage("Ablations", len(tasks)) as done:
            found = run(list(tasks.values()), jobs=bench.jobs, done=done)
        return {
            f"{name}.{field}": value
            for name, answers in zip(tasks, found, strict=True)
            for field, value in answers._asdict().items()
        }

    kept = bench.work.arrays("ablations", compute)
    return {name: Answers(kept[f"{name}.probabilities"], kept[f"{name}.predicted"]) for name in tasks}


def refit(
    train: Sample, calibration: Sample, judged: Features, test_mix: Floats, mix: Floats, known: Known, seed: int
) -> Answers:
    """Fit a stack with known settings and answer for features (N, 20, 19)."""
    found = fit_stack(train, calibration, test_mix=test_mix, population_mix=mix, seed=seed, known=known).stack
    probabilities = found.probabilities(judged)
    return Answers(probabilities, found.decide(probabilities))


def _counts(data: Data) -> dict[str, Any]:
    groups = data.split.groups
    return {
        "nominals": len(groups),
        "cuts": data.split.cuts.tolist(),
        "nominals_by_group": np.bincount(groups, minlength=4).tolist(),
        "test_by_group": np.bincount(groups[data.split.test], minlength=4).tolist(),
    }


def _published(printed: dict[str, Any] | None) -> dict[str, Any] | None:
    return {**printed, "net_harm_a_nominal": round(per_nominal(printed), 2)} if printed else None
