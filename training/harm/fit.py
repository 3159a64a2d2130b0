"""From an extract to an artefact: label, split, fit, calibrate, export, check, answer the golden cases, write.

Everything in the artefact follows from the extract and the seed; how long it took and how much memory it used does
not, and is reported beside it.
"""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sksurv.ensemble import RandomSurvivalForest

from app.artifacts import FORMAT, GOLDEN, GROUPS, MODEL, SURVIVAL, HarmIndexStamp, Manifest
from app.extract.load import Extract, load_extract
from app.extract.log_harm import LogHarm
from app.harm.features import Features, Floats, Ints, features
from app.harm.harm_index import HarmIndex
from training.families import STALKING_NOMINAL, Family
from training.harm import artefact, classifier, survival
from training.harm.check import Agreement, check_export
from training.harm.classifier import Sample, StackFit, fit_stack
from training.harm.export import export_model, export_survival
from training.harm.golden import CASES, golden_lines
from training.harm.golden_requests import request_body, varied
from training.harm.measure import measure, round_floats
from training.harm.population import mix_weights, shares
from training.harm.progress import Stages
from training.harm.reference import index_ages, population_percentiles, reference_medians, weighted_median
from training.harm.robustness import fit_robustness
from training.harm.splits import steady
from training.harm.structure import Structure
from training.harm.survival import fit_forest, population_rows
from training.labels import Labelled
from training.split import Split, split

APPROXIMATE_SHARE = "share-of-harm-from-medians"
LOGS_READ_BY = "logs-read-by"
"""Digest of the manifest of the model that read missing scores out of logs, among the counts of the data."""


class Data(NamedTuple):
    """Labelled people of a family with their split and features; `outside` the rows not in the test set, `weights` theirs to
    the population mix `mix` (4,), the group shares of everyone labelled."""

    family: Family
    extract: Extract
    labelled: Labelled
    split: Split
    x: Features
    unknown_age: float
    outside: Ints
    weights: Floats
    mix: Floats

    def sample(self, rows: Ints) -> Sample:
        """Features, groups and components of the given rows."""
        return Sample(self.x[rows], self.split.groups[rows], self.labelled.component[rows])


class Models(NamedTuple):
    """What was fitted, and as which files it is exported."""

    fit: StackFit
    forest: RandomSurvivalForest
    files: dict[str, bytes]
    agreement: Agreement


@dataclass(frozen=True)
class FitReport:
    """Where the artefact is, what it says of itself, and what making it took (seconds, MiB of its largest process)."""

    folder: Path
    manifest: Manifest
    agreement: Agreement
    sizes: dict[str, int]
    seconds: float
    peak_mebibytes: float


def fit(
    folder: Path,
    out: Path,
    index: HarmIndex,
    *,
    family: Family,
    version: str,
    seed: int,
    structure: Structure | None = None,
    jobs: int = 2,
    stages: Stages | None = None,
    logs: LogHarm | None = None,
) -> FitReport:
    """Fit one model family on an extract folder and write `out`/family/version; `structure` default: the family's own.

    `logs` reads missing scores of domestic non-crimes.

    Raises SetupError where the extract is unusable, the version exists, or the export is not the fitted model.
    """
    started, stages = time.monotonic(), stages or Stages()
    target = artefact.target_folder(out, family.name, version)
    data = prepare(folder, index, seed, stages, family, logs)
    models = fit_models(data, seed, jobs, stages, structure)
    manifest = _manifest(data, models, index, version, seed)
    if logs is not None:
        manifest = manifest.model_copy(update={"data": {**manifest.data, LOGS_READ_BY: logs.manifest_sha256}})
    with stages.stage("Golden cases", 1):
        golden = _golden(data, models, manifest, index, seed)
    files = {**models.files, GOLDEN: golden}
    manifest = manifest.model_copy(update={"files": artefact.digests(files)})
    artefact.write_artefact(target, manifest, files)
    return FitReport(
        folder=target,
        manifest=manifest,
        agreement=models.agreement,
        sizes={name: len(content) for name, content in files.items()},
        seconds=time.monotonic() - started,
        peak_mebibytes=peak_mebibytes(),
    )


def prepare(
    folder: Path,
    index: HarmIndex,
    seed: int,
    stages: Stages,
    family: Family = STALKING_NOMINAL,
    logs: LogHarm | None = None,
) -> Data:
    """Load, label, split and compute features, as the family has it."""
    with stages.stage("Extract, labels, features", 4) as done:
        extract = load_extract(folder, index, logs=logs)
        done()
        return assemble(extract, seed, done, family)


def assemble(
    extract: Extract, seed: int, done: Callable[[], None] = lambda: None, family: Family = STALKING_NOMINAL
) -> Data:
    """Label, split and compute features; unknown ages become the population's median (ours). `done` is called twice."""
    labelled = family.label(extract)
    done()
    parts = split(labelled, parts=family.parts, seed=seed)
    done()
    outside = parts.outside
    mix = shares(parts.groups)
    weights = mix_weights(parts.groups[outside], mix)
    age = weighted_median(index_ages(labelled.histories, labelled.nominals)[outside], weights)
    x = features(labelled.histories, labelled.nominals, unknown_age=age)
    return Data(family, extract, labelled, parts, x, age, outside, weights, mix)


def fit_models(data: Data, seed: int, jobs: int, stages: Stages, structure: Structure | None = None) -> Models:
    """Fit stack and forest, export both, and check the export against the libraries."""
    structure = structure or data.family.structure
    with stages.stage(f"Stack {structure}", classifier.STEPS) as done:
        found = fit_stack(
            data.sample(data.split.train),
            data.sample(data.split.calibration),
            test_mix=shares(data.split.groups[data.split.test]),
            population_mix=data.mix,
            seed=seed,
            structure=structure,
            jobs=jobs,
            done=done,
        )
    with stages.stage("Survival forest", survival.STEPS) as done:
        rows = data.outside[population_rows(data.weights, seed)]
        forest = fit_forest(data.x[rows], data.labelled.first_event_day[rows], seed=seed, jobs=jobs, done=done)
    with stages.stage("Export and its check", 1):
        files = {MODEL: export_model(found.stack), SURVIVAL: export_survival(forest)}
        agreement = check_export(files[MODEL], files[SURVIVAL], found.stack, forest, data.x, seed)
    return Models(found, forest, files, agreement)


def _manifest(data: Data, models: Models, index: HarmIndex, version: str, seed: int) -> Manifest:
    labelled, parts, stack, subject = data.labelled, data.split, models.fit.stack, data.family.subject
    outside = data.x[data.outside]
    return Manifest(
        format=FORMAT,
        family=data.family.name,
        version=version,
        learnt_from=data.extract.source,
        subject=subject,
        files=artefact.digests(models.files),
        features=subject.side.features,
        survival_features=subject.side.survival_features,
        groups=GROUPS,
        cuts=tuple(parts.cuts.tolist()),
        decision_weights=tuple(stack.decision_weights.tolist()),
        index_age_median=data.unknown_age,
        reference_medians=tuple(map(tuple, reference_medians(outside, data.weights).tolist())),
        population_percentiles={
            name: tuple(values) for name, values in population_percentiles(outside, data.weights).items()
        },
        harm_index=HarmIndexStamp(
            edition=index.edition, sha256=index.sha256, approximate_share=labelled.counts[APPROXIMATE_SHARE]
        ),
        libraries=artefact.library_versions(),
        data=_data_counts(data),
        seed=seed,
        metrics={
            **_test_metrics(data, models),
            "fit": dict(models.fit.choices),
        },
        robustness=fit_robustness(stack, data.x, parts, data.mix, np.isnan(labelled.nominals.birth_day)),
    )


def _data_counts(data: Data) -> dict[str, Any]:
    """Counts of the loading rules and labels, and how many nominals of each group each part holds."""
    parts = {name: getattr(data.split, name) for name in ("train", "calibration", "test", "rest")}
    by_group = {name: np.bincount(data.split.groups[rows], minlength=4).tolist() for name, rows in parts.items()}
    counts: dict[str, Any] = round_floats({**data.labelled.counts, "nominals-by-group": by_group})
    return counts


def _test_metrics(data: Data, models: Models) -> dict[str, Any]:
    test, labelled = data.split.test, data.labelled
    return measure(
        models.fit.stack,
        models.forest,
        data.x[test],
        data.split.groups[test],
        labelled.future_harm[test],
        labelled.first_event_day[test],
        data.mix,
    )


def _golden(data: Data, models: Models, manifest: Manifest, index: HarmIndex, seed: int) -> bytes:
    # A case on a split of the second stage would answer otherwise on another machine.
    candidates = data.split.calibration[steady(models.fit.stack, data.x[data.split.calibration])]
    rows = varied(data.labelled, candidates, CASES, seed)
    requests = [
        request_body(data.extract, data.labelled, row, index, family=manifest.family, name=f"golden-{number:02d}")
        for number, row in enumerate(rows, start=1)
    ]
    return golden_lines(manifest, models.files, requests, data.x[rows], index, models.fit.stack, models.forest)


def peak_mebibytes() -> float:
    """Largest resident set so far of this process or one it started; Linux counts in KiB, macOS in bytes."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
