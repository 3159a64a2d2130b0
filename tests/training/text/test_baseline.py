"""Drift of the shipped model of logs: silent on logs of another force like the first, loud where the logs change."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.artifacts import load_bundle
from app.extract.logs import Logs, read_logs
from app.text.drift import LogFigures, log_figures
from app.text.manifest import SCORES
from app.text.model import TextModel
from tests.toy_text import toy_model
from training.synthetic.force import generate
from training.synthetic.logs.table import logs_table
from training.text.baseline import fit_text_baseline
from training.text.silence import WINDOWS, verdicts

ARTEFACT = Path(__file__).parents[3] / "model_artifacts/noncrime-harm/1"
WINDOW = 500
SHORTHAND = re.compile(r"\b(\w)[a-z]{5,}(\w)\b")


@pytest.fixture(scope="module")
def model() -> TextModel:
    return TextModel(load_bundle(ARTEFACT))


@pytest.fixture(scope="module")
def fresh() -> list[str]:
    """Logs of the domestic non-crimes of a force the model knows nothing of."""
    table = logs_table(generate(450, seed=99).tables["incidents"], seed=99, crimes=1)
    rows = zip(table["is_non_crime"].to_pylist(), table["log_text"].to_pylist(), strict=True)
    return [text for non_crime, text in rows if non_crime]


def figures(model: TextModel, texts: list[str]) -> LogFigures:
    return log_figures(model, texts, model.probabilities(model.counts(texts)))


@pytest.mark.slow
def test_it_is_silent_where_nothing_changed_and_loud_where_logs_did(
    model: TextModel, fresh: list[str], rng: np.random.Generator
) -> None:
    assert len(fresh) > 2 * WINDOW
    same = figures(model, fresh)
    assert verdicts(model, same, WINDOW, rng)["steady"] >= WINDOWS - 1
    shorthand = figures(model, [SHORTHAND.sub(r"\1\2", text) for text in fresh[: 2 * WINDOW]])
    assert verdicts(model, shorthand, WINDOW, rng)["alarm"] == WINDOWS
    milder = np.flatnonzero(same.named < 2)
    shifted = LogFigures(
        same.known_words[milder], same.terms[milder], same.highest_probability[milder], same.named[milder]
    )
    assert verdicts(model, shifted, WINDOW, rng)["alarm"] == WINDOWS


def test_the_shipped_baseline_is_of_logs_at_their_own_mix(model: TextModel) -> None:
    drift = model.bundle.manifest.drift
    assert drift is not None
    assert drift.logs == 10_000
    assert drift.scores[0] > 0.3, "not the fifths it learnt from"


@pytest.fixture
def logs(crimes: Path) -> Logs:
    """Some crimes as if they were domestic non-crimes, a few of them in words nobody knows."""
    found = read_logs(crimes)
    assert found is not None
    yes = np.ones(420, np.bool_)
    return replace(found, text=["qwyx"] * 20 + found.text[:400], non_crime=yes, domestic=yes)


def test_a_baseline_is_of_readable_domestic_non_crimes_only(logs: Logs) -> None:
    reader = toy_model()
    drift = fit_text_baseline(reader, logs, seed=1)
    assert drift is not None
    counts = reader.counts(logs.text)
    read = counts.any(axis=1)
    assert drift.logs == read.sum() < len(read)
    named = np.bincount(reader.probabilities(counts[read]).argmax(axis=1), minlength=len(SCORES))
    assert drift.scores == pytest.approx(named / read.sum())
    for nobody in ("non_crime", "domestic"):
        assert fit_text_baseline(reader, replace(logs, **{nobody: np.zeros(len(read), np.bool_)}), seed=1) is None
    assert fit_text_baseline(reader, replace(logs, text=["qwyx"] * len(read)), seed=1) is None
