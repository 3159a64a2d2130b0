"""The whole comparison on one extract: seven models out of fold and refitted, 168 combinations, one ranked table."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.bench import Bench
from training.evaluation.code import code_digest
from training.evaluation.work import Work
from training.harm.artefact import library_versions
from training.harm.classifier import gathered
from training.harm.first_stage import FIRST_STAGES, Setting, middle
from training.harm.fit import Data
from training.harm.folds import FOLDS, fold_numbers, fold_rows
from training.harm.progress import Stages
from training.harm.structure import ALL, ENSEMBLES, FIRST, PUBLISHED, Structure
from training.zoo import models
from training.zoo.models import Judged, View
from training.zoo.published import published
from training.zoo.steps import Crew, kept_arrays, kept_objects

Views = Mapping[str, View]


def measure_zoo(bench: Bench, stages: Stages) -> dict[str, Any]:
    """The section "zoo" of an evaluation, fitted with the artefact's own seed: its stack is one of the rows."""
    seed = bench.manifest.seed
    return zoo(bench.data, zoo_work(bench.work.folder, bench.data, seed), seed, Crew(bench.jobs), stages)


def zoo_work(folder: Path, data: Data, seed: int) -> Work:
    """Steps kept in `folder` under what they follow from: the numbers learnt from, the seed, the code that learns.

    Not under the artefact or the extract's files: whoever compares on the same numbers finds the same steps.
    """
    judged = judged_parts(data)
    train, test = data.sample(data.split.train), data.x[data.split.test]
    digest = hashlib.sha256()
    for part in (*train, test, *judged):
        digest.update(f"{part.dtype} {part.shape}".encode() + part.tobytes())
    code = code_digest(models.__name__)
    return Work(folder, {"data": digest.hexdigest(), "seed": seed, "libraries": library_versions(), "code": code})


def zoo(
    data: Data, work: Work, seed: int, crew: Crew, stages: Stages, names: tuple[str, ...] = FIRST
) -> dict[str, Any]:
    """Every combination of two of `names`, best net harm first, beside the report's; `work` keeps every finished fit.

    Rows are the same whatever the crew. Harm in days over the test set.
    """
    combined = [structure for structure in ALL if set(structure.first) <= set(names)]
    with stages.stage("First-stage models", len(names) * (FOLDS + 1)) as done:
        views, settled = first_stage(names, data, work, seed, crew, done)
    judged = judged_parts(data)
    with stages.stage("Combinations of two", len(combined) + len(names)) as done:
        tasks = {_file(name): task for name, task in _tasks(combined, views, judged, seed).items()}
        found = kept_objects(work, tasks, crew, done)
    rows = ranked([{"name": str(one), "kind": _kind(one), **found[_file(str(one))]} for one in combined])
    singles = ranked([{"name": name, "kind": "single", **settled[name], **found[_file(name)]} for name in names])
    return {
        "nominals": {"train": len(data.split.train), "test": len(data.split.test)},
        "rows": rows,
        "singles": singles,
        "rank_correlation_with_published": rank_correlation(rows),
        "published_choice": str(PUBLISHED),
    }


def first_stage(
    names: tuple[str, ...], data: Data, work: Work, seed: int, crew: Crew, done: Callable[[], None]
) -> tuple[Views, dict[str, dict[str, Any]]]:
    """What every first-stage model says, and what its folds settled on; `done` is called 5 + 1 times each."""
    train, test = data.sample(data.split.train), data.x[data.split.test]
    folds = list(fold_rows(fold_numbers(train.groups, train.component, seed)))
    tasks = {
        f"{name}-fold-{number}": partial(models.fold, name, *train, learn, held, seed)
        for name in names
        for number, (learn, held) in enumerate(folds)
    }
    kept = kept_arrays(work, tasks, crew, done)
    parts = {name: [kept[f"{name}-fold-{number}"] for number in range(len(folds))] for name in names}
    settled: dict[str, list[Setting]] = {name: [part["setting"].item() for part in parts[name]] for name in names}
    refits = {f"{name}-all": partial(models.refit, name, *train, settled[name], test, seed) for name in names}
    fitted = kept_arrays(work, refits, crew, done)
    views = {
        name: View(gathered(folds, [part["held"] for part in parts[name]]), fitted[f"{name}-all"]["test"])
        for name in names
    }
    told = {name: {"setting": {FIRST_STAGES[name].setting: middle(settled[name])}} for name in names}
    return views, told


def judged_parts(data: Data) -> Judged:
    """What combinations are chosen and judged on."""
    train, test = data.sample(data.split.train), data.split.test
    return Judged(train.groups, train.component, data.split.groups[test], data.labelled.future_harm[test], data.mix)


def ranked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their rank by net harm at the test mix and the report's figures beside; equals by name."""
    order = sorted(rows, key=lambda row: (row["test_mix"]["net"], row["name"]))
    theirs = published()
    return [{"rank": rank, **row, "published": theirs[row["name"]]} for rank, row in enumerate(order, start=1)]


def rank_correlation(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Spearman's correlation of our order with the report's, by net harm and by adjusted F1."""
    pairs = {
        "net": [(row["test_mix"]["net"], row["published"]["net"]) for row in rows],
        "adjusted_f1": [(row["test_mix"]["adjusted_f1"], row["published"]["adjusted_f1"]) for row in rows],
    }
    return {name: round(_spearman(np.array(pair, dtype=np.float64)), 6) for name, pair in pairs.items()}


def _spearman(pairs: NDArray[np.float64]) -> float:
    """Correlation of the mid-ranks of two columns (N, 2)."""
    ranks = [(column[:, None] > column).sum(axis=1) + (column[:, None] == column).sum(axis=1) / 2 for column in pairs.T]
    return float(np.corrcoef(ranks)[0, 1])


def _tasks(combined: list[Structure], views: Views, judged: Judged, seed: int) -> dict[str, Callable[[], Any]]:
    tasks = {str(structure): _task(structure, views, judged, seed) for structure in combined}
    return tasks | {name: partial(models.judge_single, view, judged) for name, view in views.items()}


def _task(structure: Structure, views: Views, judged: Judged, seed: int) -> Callable[[], Any]:
    one, other = (views[name] for name in structure.first)
    if structure.second in ENSEMBLES:
        return partial(models.judge_ensemble, structure, one, other, judged)
    return partial(models.judge_stack, structure, one, other, judged, seed)


def _kind(structure: Structure) -> str:
    return "ensemble" if structure.second in ENSEMBLES else "stack"


def _file(name: str) -> str:
    """A name for a file: letters and hyphens."""
    return name.replace("+", "-").replace(":", "-")
