"""Golden cases: requests with the answers an artefact must give on any machine before it may serve."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

import numpy as np

from app.errors import InvalidInput, SetupError
from app.harm.answers import HarmAnswer
from app.harm.harm_index import HarmIndex
from app.harm.model import HarmModel
from app.harm.records import ScoreRequest, parse_request
from app.harm.survival import Curve
from app.text.model import TextModel

TOLERANCE = 1e-6


class Scored(Protocol):
    """What is compared of a score."""

    @property
    def harm(self) -> HarmAnswer: ...
    @property
    def curve(self) -> Curve: ...


class Scorer(Protocol):
    """What is asked of whoever scores (`app.harm.service` has them both, and checks older versions before it uses them)."""

    models: dict[str, HarmModel]
    texts: dict[str, TextModel]
    index: HarmIndex

    def score_all(self, requests: Sequence[ScoreRequest], today: date, /) -> Sequence[Scored | InvalidInput]: ...


def check_golden(scorer: Scorer) -> None:
    """Score every golden case of every model and compare to 1e-6. Raises SetupError at the first that differs."""
    for reader in scorer.texts.values():
        reader.check_golden()
    for family, model in scorer.models.items():
        stamp = model.bundle.manifest.harm_index
        if stamp.sha256 != scorer.index.sha256:
            raise SetupError(
                f"{family} learnt with another harm index (edition {stamp.edition}) than the one in use "
                f"({scorer.index.edition}). Retrain it, or restore the table it learnt with."
            )
        golden = model.bundle.golden
        if not golden:
            raise SetupError(f"{family}: the artefact has no golden cases, so nothing shows that it works here.")
        # All at once, which takes a third of the time, and one alone: a runtime may go another way through a graph for one row.
        alone, together = _reproduced(scorer, golden[:1]), _reproduced(scorer, golden)
        if not all([*alone, *together]):
            number = 1 + (together.index(False) if all(alone) else 0)
            raise SetupError(f"{family}: golden case {number} does not reproduce on this machine.")


def _reproduced(scorer: Scorer, golden: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Which cases come out as they must, asked together."""
    asked = [_request(case) for case in golden]
    scored = iter(scorer.score_all([request for request in asked if request is not None], date.max))
    return [request is not None and _same(next(scored), case) for request, case in zip(asked, golden, strict=True)]


def _request(case: Mapping[str, Any]) -> ScoreRequest | None:
    try:
        return parse_request({**case["request"], "explain": "none"})
    except (InvalidInput, KeyError, TypeError, ValueError):
        return None


def _same(scored: Scored | InvalidInput, case: Mapping[str, Any]) -> bool:
    if isinstance(scored, InvalidInput):
        return False
    found = [*scored.harm.probabilities, *scored.harm.population_probabilities, *scored.curve]
    try:
        answer = case["answer"]
        expected = [answer["probabilities"], answer["population_probabilities"], answer["survival"]]
        flat = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in expected])
    except (KeyError, TypeError, ValueError):
        return False
    close = len(found) == len(flat) and bool(np.abs(np.asarray(found) - flat).max() <= TOLERANCE)
    return close and scored.harm.predicted_group == answer.get("predicted_group")
