"""`dayzero-train evaluate` of a model that reads logs: everything that can be known of it, in one file.

The same artefact, seed and libraries give the same bytes, all but the member `speed`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.artifacts import Bundle, load_bundle
from app.documents import EVALUATION
from app.errors import SetupError
from app.extract.logs import Logs, read_logs
from app.files import written_whole
from app.harm.features import Floats, Ints
from app.harm.harm_index import HarmIndex
from app.text.manifest import SCORES, TextManifest
from app.text.model import TextModel
from training.documents.facts import FORMAT
from training.documents.write import write_documents
from training.evaluation.evaluate import notice_of
from training.evaluation.work import Work
from training.evaluation.worlds import Ground, origin_of, own_extract
from training.harm.artefact import library_versions
from training.harm.progress import Stages
from training.synthetic.logs.facts import bayes_limit
from training.text import forces
from training.text.dataset import choose
from training.text.measure import PUBLISHED_ACCURACY, measure
from training.text.negation import NEGATIONS, measure_negation, read_negations
from training.text.non_crimes import measure_non_crimes
from training.text.reliability import measure_reliability
from training.text.silence import measure_silence
from training.text.speed import measure_speed

WORLDS = ("published", "sober")
SAME_LOGS = (
    "A log is written from the harm of its incident alone, by the same grammar in every world: the worlds differ in how much "
    "of what happens later can be told from a record, not in how an officer writes. Both are measured all the same, each on a "
    "small force the model knows nothing of; they differ in the mix of scores and in chance."
)
NO_MATRIX = (
    "The report prints its confusion matrix as a picture (figure 21). The text of it that this project has lacks the numbers, so "
    "only its accuracy can stand beside ours."
)
_AT_ONCE = 500
_MINUTES = 8


@dataclass(frozen=True)
class _Run:
    bundle: Bundle[TextManifest]
    model: TextModel
    index: HarmIndex
    seed: int
    stages: Stages


def evaluate_text(
    artefact: Path,
    folder: Path,
    index: HarmIndex,
    *,
    own: Path | None = None,
    seed: int = 1,
    stages: Stages | None = None,
) -> Path:
    """Measure one artefact; what is invented for it is kept in `folder`. Writes `evaluation.json` beside the artefact and the
    documents made from it; returns the former.

    `own` the extract a force's own artefact learnt from. Raises SetupError where it did not, where it holds another kind of
    model, or where the manifest's figures do not come out again.
    """
    bundle = load_bundle(artefact)
    if not isinstance(bundle.manifest, TextManifest):
        raise SetupError(f"{artefact} holds a model of another kind: this is for models that read logs.")
    run = _Run(bundle, TextModel(bundle), index, seed, stages or Stages())
    work = Work(folder, {"format": FORMAT, "libraries": library_versions()})
    with run.stages.stage("Evaluation", _MINUTES) as done:
        ground = forces.home(bundle, work, run.stages) if own is None else own_extract(own)
        for _ in range(3):
            done()
        measured = _measured(run, ground, work, own, done)
    with written_whole(artefact / EVALUATION) as file:
        file.write(json.dumps(measured, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    write_documents(artefact)
    return artefact / EVALUATION


def _measured(run: _Run, ground: Ground, work: Work, own: Path | None, done: Callable[[], None]) -> dict[str, Any]:
    """The whole file."""
    manifest = run.bundle.manifest
    worlds: dict[str, Any] = {}
    if own is None:
        for world in (origin_of(run.bundle).world, *(name for name in WORLDS if name != origin_of(run.bundle).world)):
            worlds[world] = _in_world(run, forces.fresh(world, run.bundle, work, run.stages))
            done()
    limit = None if own is not None else bayes_limit(manifest.seed)._asdict()
    tested = _tested(run, ground)
    done()
    negations = read_negations(NEGATIONS)
    return {
        "format": FORMAT,
        "notice": notice_of(own),
        "artefact": {
            "family": manifest.family,
            "version": manifest.version,
            "manifest_sha256": run.bundle.manifest_sha256,
            "learnt_from": manifest.learnt_from,
        },
        "seed": run.seed,
        "libraries": library_versions(),
        "scores": list(SCORES),
        "published": {"accuracy": PUBLISHED_ACCURACY, "confusion": None, "why": NO_MATRIX},
        "served": manifest.served,
        "choice": manifest.metrics["fit"],
        "test": tested,
        "bayes_limit": limit,
        "non_crimes": None if own is not None else measure_non_crimes(run.model, ground.folder),
        "negations": measure_negation(run.model, negations)._asdict(),
        "worlds": worlds,
        "worlds_why": SAME_LOGS if own is None else None,
        "speed": measure_speed(run.model, [row["log"].format(row["there"]) for row in negations]),
    }


def _tested(run: _Run, ground: Ground) -> dict[str, Any]:
    """Network and rivals on the test part as measured when they were fitted, and what only the served one is asked: its figures
    again, from its graph, must be those of the manifest."""
    manifest = run.bundle.manifest
    data = choose(_logs(ground), run.index, manifest.seed, a_score=manifest.data["a-score"])
    places = data.places[data.test]
    chances = probabilities_of(run.model, [data.texts[row] for row in data.test])
    again, told = measure(places, chances, manifest.seed), manifest.metrics["test"][manifest.served]
    if again != told:
        raise SetupError("The served model's figures on the test part are not those of its manifest: another extract?")
    return {
        "logs": len(places),
        "models": manifest.metrics["test"],
        "calibration": measure_reliability(chances, places, run.seed),
    }


def _in_world(run: _Run, ground: Ground) -> dict[str, Any]:
    """The served model on a force of a world it knows nothing of: crimes of low harm in equal numbers, domestic non-crimes at
    their own mix, and how often its watch for drift is silent there."""
    logs = _logs(ground)
    crimes = np.flatnonzero(~logs.non_crime)
    places: Ints = np.searchsorted(SCORES, logs.harm[crimes])
    chances = probabilities_of(run.model, [logs.text[row] for row in crimes])
    return {
        "learnt_from": (ground.folder / "SYNTHETIC.txt").read_text(encoding="utf-8").splitlines()[0],
        "crimes": {"logs": len(places), **measure(places, chances, run.seed)},
        "non_crimes": measure_non_crimes(run.model, ground.folder),
        "drift": measure_silence(run.model, logs, run.seed),
    }


def _logs(ground: Ground) -> Logs:
    found = read_logs(ground.folder)
    if found is None:
        raise SetupError("The extract has no logs: a table `logs` or a column incidents.log_text (docs/training.md).")
    return found


def probabilities_of(model: TextModel, texts: list[str]) -> Floats:
    """Probabilities (N, 5) of many texts, some at a time."""
    parts = [
        model.probabilities(model.counts(texts[first : first + _AT_ONCE])) for first in range(0, len(texts), _AT_ONCE)
    ]
    return np.concatenate(parts)
