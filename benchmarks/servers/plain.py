"""What a team would build first: FastAPI, our features, and the models through their libraries; SHAP on the trees.

No ledger, no checks beyond the request's own, and an explanation of the tree half only. In place of the service's own
`/score` it leaves out everything but the numbers, so a ratio to it flatters it.
"""

import os
import pickle
from datetime import date
from pathlib import Path
from typing import Any

import shap
from fastapi import FastAPI

from app.harm.features import features
from app.harm.harm_index import load_harm_index
from app.harm.history import build_case
from app.harm.records import ScoreRequest
from benchmarks.servers.models import score_with

app = FastAPI()
index = load_harm_index()
score = score_with("libraries")
folder = Path(os.environ["BENCH_MODELS"])
trees = pickle.loads((folder / "stack.pickle").read_bytes()).first[0]  # noqa: S301 - written by our own preparation
explainer = shap.TreeExplainer(trees)


@app.post("/score")
def post_score(request: ScoreRequest) -> dict[str, Any]:
    """Probabilities and curve; with `explain` the SHAP values of the tree half."""
    case = build_case(request, index, date.max)
    x = features(case.histories, case.nominals, unknown_age=30.0)
    answer: dict[str, Any] = dict(score(x))
    if request.explain != "none":
        answer["shap"] = explainer.shap_values(x.reshape(1, -1))[0, :, 3].tolist()
    return answer
