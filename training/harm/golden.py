"""Golden cases: requests with the answers this artefact must give, on any machine, before it may serve."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from sksurv.ensemble import RandomSurvivalForest

from app.artifacts import GROUPS, Bundle, Manifest
from app.errors import SetupError
from app.harm.features import Features
from app.harm.harm_index import HarmIndex
from app.harm.records import parse_request
from app.harm.service import Scored, Scorer
from training.harm.check import TOLERANCE
from training.harm.classifier import Stack
from training.harm.survival import curves

CASES = 50


def golden_lines(
    manifest: Manifest,
    files: Mapping[str, bytes],
    requests: list[dict[str, Any]],
    x: Features,
    index: HarmIndex,
    stack: Stack,
    forest: RandomSurvivalForest,
) -> bytes:
    """Answer each request through the served path; JSON lines.

    `x` (50, 20, 19) are the features the same nominals were labelled with. Raises SetupError where the served path
    computes other features, or where its answers are not those of the libraries.
    """
    bundle = Bundle(manifest, hashlib.sha256(b"").hexdigest(), dict(files))
    scorer = Scorer({manifest.family: bundle}, index)
    scored = [scorer.score(parse_request(request), date.fromisoformat(request["as_of"])) for request in requests]
    if not np.array_equal(np.concatenate([one.features for one in scored]), x):
        raise SetupError("Serving computes other features than training for a golden case. Do not use this artefact.")
    answers = [_answer(one) for one in scored]
    _check(answers, x, stack, forest)
    lines = [{"request": request, "answer": answer} for request, answer in zip(requests, answers, strict=True)]
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


def _answer(scored: Scored) -> dict[str, Any]:
    return {
        "probabilities": scored.harm.probabilities,
        "population_probabilities": scored.harm.population_probabilities,
        "predicted_group": scored.harm.predicted_group,
        "survival_365": float(scored.curve[-1]),
        "survival": scored.curve.tolist(),
    }


def _check(answers: list[dict[str, Any]], x: Features, stack: Stack, forest: RandomSurvivalForest) -> None:
    expected = {
        "probabilities": stack.probabilities(x),
        "population_probabilities": stack.population_probabilities(x),
        "survival": curves(forest, x),
    }
    far = [name for name, values in expected.items() if np.abs([a[name] for a in answers] - values).max() > TOLERANCE]
    groups = [GROUPS[group] for group in stack.predict(x)]
    if far or [answer["predicted_group"] for answer in answers] != groups:
        raise SetupError(f"Golden answers are not those of the libraries ({', '.join(far) or 'predicted group'}).")
