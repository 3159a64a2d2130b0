"""The evaluation of a model of logs: every figure from the artefact itself, and the documents made of nothing else."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from app.artifacts import load_bundle, load_current
from app.documents import MEDIA, load_documents
from app.errors import SetupError
from app.harm.harm_index import load_harm_index
from app.text.manifest import SCORES, TextManifest
from app.text.model import TextModel
from training.documents.facts import View
from training.documents.write import write_documents
from training.evaluation.command import command
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.logs.table import logs_table
from training.text import forces
from training.text.evaluation import evaluate_text
from training.text.fit import fit_text
from training.text.negation import NEGATIONS, measure_negation, read_negations
from training.text.page import page
from training.text.reliability import measure_reliability
from training.text.report.facts import LogFacts, committee

INDEX = load_harm_index()
ROOT = Path(__file__).parents[3]
ARTEFACT = ROOT / "model_artifacts/noncrime-harm/1"
WRONG_WORDS = re.compile(r"nominals? (?!nominals)|stalker|four (harm )?groups|(?<!scikit-)survival|flag", re.IGNORECASE)
"""Words that speak of a model of harm; the name of the data set may stand."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of a small invented force, evaluated: the folder of its artefact."""
    folder, artefacts = tmp_path_factory.mktemp("force"), tmp_path_factory.mktemp("artefacts")
    force = generate(60, seed=5)
    logs = logs_table(force.tables["incidents"], 5, 180)
    write(force, folder / "x", world="published", seed=5, nominals=60, logs=logs)
    artefact = fit_text(folder / "x", artefacts, INDEX, version="1", seed=5).folder
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(forces, "FRESH_NOMINALS", 60)
        patched.setattr(forces, "FRESH_CRIMES", 60)
        evaluate_text(artefact, tmp_path_factory.mktemp("work"), INDEX)
    return artefact


def evaluation(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "evaluation.json").read_text(encoding="utf-8")))


@pytest.mark.slow
def test_everything_is_measured_and_written_beside_the_artefact(measured: Path) -> None:
    found, bundle = evaluation(measured), load_bundle(measured)
    assert found["test"]["models"] == bundle.manifest.metrics["test"]
    assert list(found["worlds"]) == ["published", "sober"]
    for world in found["worlds"].values():
        assert world["crimes"]["logs"] == 5 * 60
        assert 0 < world["crimes"]["accuracy"]["low"] < world["crimes"]["accuracy"]["high"] < 1
        assert world["learnt_from"] != bundle.manifest.learnt_from, "a force it did not learn from"
    assert found["published"]["accuracy"] == 0.726
    assert found["bayes_limit"]["accuracy"] > found["test"]["models"]["network"]["accuracy"]["value"]
    assert load_documents(measured, bundle.manifest_sha256) is not None


@pytest.mark.slow
def test_another_extract_than_the_one_it_learnt_from_is_found_out(measured: Path, tmp_path: Path) -> None:
    force = generate(60, seed=6)
    logs = logs_table(force.tables["incidents"], 6, 180)
    write(force, tmp_path / "y", world="published", seed=6, nominals=60, logs=logs)
    artefact = tmp_path / "artefact"
    shutil.copytree(measured, artefact)
    with pytest.raises(SetupError, match="another extract"):
        evaluate_text(artefact, tmp_path / "work", INDEX, own=tmp_path / "y")


def test_only_models_of_logs_are_measured_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="another kind"):
        evaluate_text(ROOT / "model_artifacts/stalking-nominal/2", tmp_path, INDEX)
    asked = CliRunner().invoke(command, ["--artifact", str(ARTEFACT), "--only", "metrics"])
    assert asked.exit_code == 2
    assert "measured whole" in asked.output


def test_chances_that_mean_what_they_say_have_no_error() -> None:
    rng = np.random.default_rng(1)
    chances = rng.dirichlet(np.ones(5), 4_000)
    places = (chances.cumsum(axis=1) < rng.random(4_000)[:, None]).sum(axis=1)
    fine = measure_reliability(chances, places, seed=1)
    assert fine["named"]["expected_calibration_error"]["value"] < 0.03
    sure = chances**3 / (chances**3).sum(axis=1, keepdims=True)
    wrong = measure_reliability(sure, places, seed=1)
    assert wrong["named"]["expected_calibration_error"]["low"] > 0.1
    assert wrong["log_loss"]["value"] > fine["log_loss"]["value"]
    assert list(fine["scores"]) == ["1", "2", "3", "5", "10"]


def facts() -> LogFacts:
    bundle = load_bundle(ARTEFACT)
    return LogFacts(bundle.manifest, bundle.manifest_sha256, View(evaluation(ARTEFACT)))


def test_the_shipped_documents_are_what_the_evaluation_beside_them_gives(tmp_path: Path) -> None:
    copy = tmp_path / "1"
    shutil.copytree(ARTEFACT, copy)
    for name in MEDIA:
        if name != "evaluation.json":
            (copy / name).unlink()
    write_documents(copy)
    for name in (*MEDIA, "documents.json"):
        assert (copy / name).read_bytes() == (ARTEFACT / name).read_bytes(), name
    told = facts()
    assert (ROOT / "docs/text.md").read_text(encoding="utf-8") == page(told.manifest, told.evaluation)


def test_figures_of_the_shipped_evaluation_come_out_again() -> None:
    """Those that take seconds: what is said of negations, and the sentence for the committee."""
    found, model = evaluation(ARTEFACT), TextModel(load_bundle(ARTEFACT))
    assert measure_negation(model, read_negations(NEGATIONS))._asdict() == found["negations"]
    matrix = np.array(found["test"]["models"]["network"]["confusion"])
    apart = np.abs(np.subtract.outer(range(5), range(5)))
    by_hand = [100 * matrix[apart == gap].sum() / matrix.sum() for gap in range(5)]
    assert committee(facts()) == (
        f"Out of 100 logs of crimes, as many of each score, it names the right score for {by_hand[0]:.0f}; for {by_hand[1]:.0f} "
        f"it is one step of the scale off, for {sum(by_hand[2:]):.0f} two or more."
    )


@pytest.mark.parametrize("name", [name for name in MEDIA if name != "evaluation.json"])
def test_no_document_speaks_of_another_kind_of_model(name: str) -> None:
    text = (ARTEFACT / name).read_text(encoding="utf-8").replace("labelled nominals", "")
    visible = re.sub(r"<style>.*?</style>|<script>.*?</script>|<svg.*?</svg>", "", text, flags=re.DOTALL)
    assert [found[0] for found in WRONG_WORDS.finditer(visible)] == []
    assert "not measured" not in visible.lower().replace("by group is not measured", "").replace(
        "people are not measured", ""
    )


def test_a_document_without_some_figures_says_so(tmp_path: Path) -> None:
    copy = tmp_path / "1"
    shutil.copytree(ARTEFACT, copy)
    found = evaluation(copy)
    for name in ("worlds", "non_crimes", "bayes_limit", "negations", "test", "speed"):
        found[name] = None
    (copy / "evaluation.json").write_text(json.dumps(found))
    write_documents(copy)
    assert "Not measured in this run." in (copy / "evaluation.html").read_text(encoding="utf-8")
    assert "cannot be measured" in (copy / "model_card.md").read_text(encoding="utf-8")
    digest = hashlib.sha256((copy / "manifest.json").read_bytes()).hexdigest()
    assert load_documents(copy, digest) is not None


def test_the_service_reads_them(tmp_path: Path) -> None:
    bundle = load_current(ROOT / "model_artifacts")["noncrime-harm"]
    assert isinstance(bundle.manifest, TextManifest)
    assert bundle.documents is not None
    assert bundle.documents.evaluation["scores"] == list(SCORES)
    assert [one.part for one in bundle.documents.covenant.parts][-1] == "Ledger"
