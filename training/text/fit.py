"""From the logs of an extract to an artefact: data set, vocabulary, network, rivals, export, check, golden cases."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from app.artifacts import Bundle
from app.errors import SetupError
from app.extract.load import source_of
from app.extract.logs import read_logs
from app.harm.features import Floats, Ints
from app.harm.harm_index import HarmIndex
from app.text.features import Vocabulary
from app.text.manifest import FAMILY, FORMAT, GOLDEN, MODEL, SCORES, VOCABULARY, TextManifest
from app.text.model import Counts, TextModel
from training.harm import artefact
from training.harm.fit import peak_mebibytes
from training.harm.progress import Stages
from training.text.baseline import fit_text_baseline
from training.text.dataset import A_SCORE, DataSet, choose
from training.text.golden import golden_lines
from training.text.matrix import fit_tf_idf, term_counts
from training.text.measure import accuracy, confusion, measure
from training.text.network import exact_probabilities, fit_network, network_probabilities
from training.text.onnx_text import graph_bytes, logistic_graph, network_graph
from training.text.rivals import fit_logistic, fit_ordinal
from training.text.vocabulary import learn_vocabulary

CLEARLY = 0.01
"""A rival is served instead of the published network where it names this much more of the inner part rightly (ours)."""
INNER_SHARE = 0.1
CHECKED = 10_000
TOLERANCE = 1e-5
_LIBRARIES = ("simplemma", "snowballstemmer")
_TEXTS_A_STEP = 5_000

Reader = Callable[[csr_array], Floats]
Served = Literal["network", "logistic"]


class Fitted(NamedTuple):
    """Everything fitted: `models` name -> counts to probabilities, `served` one of them with its graph and what it would
    say in double precision, `choices` what was settled on the way."""

    models: dict[str, Reader]
    served: Served
    graph: bytes
    exact: Callable[[Counts], Floats]
    choices: dict[str, Any]


@dataclass(frozen=True)
class TextReport:
    """Where the artefact is, what it says of itself, and what making it took (seconds, MiB)."""

    folder: Path
    manifest: TextManifest
    difference: float
    sizes: dict[str, int]
    seconds: float
    peak_mebibytes: float


def fit_text(
    folder: Path,
    out: Path,
    index: HarmIndex,
    *,
    version: str,
    seed: int,
    stages: Stages | None = None,
    a_score: int = A_SCORE,
) -> TextReport:
    """Fit the model of logs on an extract folder and write `out`/noncrime-harm/version.

    Raises SetupError where there are no logs or too few, the version exists, or the export is not the fitted model.
    """
    started, stages = time.monotonic(), stages or Stages()
    target = artefact.target_folder(out, FAMILY, version)
    with stages.stage("Logs", 1):
        logs = read_logs(folder)
        if logs is None:
            raise SetupError(
                "The extract has no logs: a table `logs` or a column incidents.log_text (docs/training.md)."
            )
        data = choose(logs, index, seed, a_score=a_score)
    vocabulary, x = _matrix(data, stages)
    fitted = _fit(data, x, seed, stages)
    metrics = {name: measure(data.places[data.test], of(x[data.test]), seed) for name, of in fitted.models.items()}
    files = {MODEL: fitted.graph, VOCABULARY: _vocabulary_bytes(vocabulary)}
    manifest = TextManifest(
        format=FORMAT,
        family=FAMILY,
        version=version,
        learnt_from=source_of(folder),
        files=artefact.digests(files),
        libraries=artefact.library_versions(_LIBRARIES),
        data={**data.counts, "vocabulary": _lengths(vocabulary)},
        seed=seed,
        metrics={"test": metrics, "fit": fitted.choices},
        scores=SCORES,
        terms=len(vocabulary.terms),
        served=fitted.served,
    )
    with stages.stage("Export and its check", 1):
        model = TextModel(Bundle(manifest, "", files))
        difference = check_served(model, data, x, fitted.models[fitted.served])
        files[GOLDEN] = golden_lines(model, fitted.exact, seed)
    with stages.stage("Drift baseline", 1):
        drift = fit_text_baseline(model, logs, seed)
    manifest = manifest.model_copy(update={"files": artefact.digests(files), "drift": drift})
    artefact.write_artefact(target, manifest, files)
    sizes = {name: len(content) for name, content in files.items()}
    return TextReport(target, manifest, difference, sizes, time.monotonic() - started, peak_mebibytes())


def _matrix(data: DataSet, stages: Stages) -> tuple[Vocabulary, csr_array]:
    """The vocabulary of the training part, and the document-term matrix of everything."""
    with stages.stage("Vocabulary", 1):
        vocabulary = learn_vocabulary([data.texts[row] for row in data.train])
    with stages.stage("Document-term matrix", len(data.texts) // _TEXTS_A_STEP) as done:
        x = term_counts(data.texts, vocabulary, lambda number: None if number % _TEXTS_A_STEP else done())
    return vocabulary, x


def _fit(data: DataSet, x: csr_array, seed: int, stages: Stages) -> Fitted:
    """Network and rivals on the same rows; which one is served is decided on rows none of them learnt from."""
    inner, learn = _inner(data, seed)
    network, epochs = fit_network(x[learn], data.places[learn], x[inner], data.places[inner], seed, stages)
    with stages.stage("Rivals", 2) as done:
        tf_idf = fit_tf_idf(x[learn])
        logistic = fit_logistic(tf_idf, x[learn], data.places[learn])
        done()
        ordinal = fit_ordinal(tf_idf, x[learn], data.places[learn])
    models: dict[str, Reader] = {
        "network": lambda rows: network_probabilities(network, rows),
        "logistic": logistic.probabilities,
        "ordinal": ordinal.probabilities,
    }
    named = {name: of(x[inner]).argmax(axis=1) for name, of in models.items()}
    on_inner = {name: round(accuracy(confusion(data.places[inner], found)), 6) for name, found in named.items()}
    choices = {"epochs": epochs, "inner_accuracy": on_inner, "clearly": CLEARLY}
    if on_inner["logistic"] > on_inner["network"] + CLEARLY:
        exact = lambda counts: logistic.probabilities(csr_array(counts))  # noqa: E731 - beside its twin below
        return Fitted(models, "logistic", graph_bytes(logistic_graph(logistic)), exact, choices)
    exact = lambda counts: exact_probabilities(network, counts)  # noqa: E731
    return Fitted(models, "network", graph_bytes(network_graph(network)), exact, choices)


def _inner(data: DataSet, seed: int) -> tuple[Ints, Ints]:
    """Rows of the training part that tell when to stop and what to serve, the same share of every score; and the others."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(data.train)
    ranks = np.empty(len(rows), dtype=np.int64)
    for place in range(len(SCORES)):
        own = data.places[rows] == place
        ranks[own] = np.arange(own.sum())
    chosen = ranks < INNER_SHARE * len(rows) / len(SCORES)
    return np.sort(rows[chosen]), np.sort(rows[~chosen])


def check_served(model: TextModel, data: DataSet, x: csr_array, of: Reader) -> float:
    """Read up to 10,000 test texts as the service does; the largest difference to the fitted model's probabilities.

    Raises SetupError where a count differs at all, or a probability by more than 1e-5.
    """
    largest = 0.0
    rows = data.test[:: max(1, len(data.test) // CHECKED)][:CHECKED]
    for part in np.array_split(rows, max(1, len(rows) // 1_000)):
        counts = model.counts([data.texts[row] for row in part])
        if not np.array_equal(counts, x[part].toarray()):
            raise SetupError("Serving counts other terms than training. Do not use this artefact.")
        largest = max(largest, float(np.abs(model.probabilities(counts) - of(x[part])).max()))
    if largest > TOLERANCE:
        raise SetupError(f"The export differs from the fitted model by {largest:.1e}. Do not use this artefact.")
    return largest


def _vocabulary_bytes(vocabulary: Vocabulary) -> bytes:
    told = vocabulary.model_dump()
    told |= {"forms": dict(sorted(vocabulary.forms.items())), "stop_words": sorted(vocabulary.stop_words)}
    return json.dumps(told, indent=0, sort_keys=True).encode() + b"\n"


def _lengths(vocabulary: Vocabulary) -> dict[str, int]:
    words = [term.count(" ") for term in vocabulary.terms]
    return {name: words.count(spaces) for spaces, name in enumerate(("words", "pairs", "triples"))}
