"""The artefact in the repository: whole, reproducible, honest about where it learnt, and sane on varied records."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from app.artifacts import load_current
from app.audit.records import uuid7
from app.demo import example
from app.harm.archive import from_bytes, pack, to_bytes
from app.harm.explanation_answers import BothExplanations, FactorExplanation
from app.harm.golden import check_golden
from app.harm.records import parse_request
from app.harm.replay import replay
from app.harm.service import Scorer, load_scorer
from tests.app.harm.test_explanation import random_request
from tests.toy_bundle import as_seen_by

ARTIFACTS = Path(__file__).parents[1] / "model_artifacts"
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load_scorer(ARTIFACTS, Path("no imported index"))


def test_golden_cases_reproduce_and_vary(scorer: Scorer) -> None:
    check_golden(scorer)
    for model in scorer.models.values():
        golden = model.bundle.golden
        assert len(golden) == 50
        lengths = [len(case["request"]["incidents"]) for case in golden]
        assert min(lengths) == 1
        assert max(lengths) > 20
        assert len({case["answer"]["predicted_group"] for case in golden}) >= 3


def test_versions_before_still_speak_for_their_scores(scorer: Scorer, tmp_path: Path) -> None:
    assert scorer.earlier.of("stalking-nominal")
    for version in scorer.earlier.of("stalking-nominal"):
        family = version.manifest.family
        alone = tmp_path / version.manifest_sha256
        shutil.copytree(version.folder, alone / family / version.folder.name)
        then = load_scorer(alone, Path("no imported index"))
        scored = then.score(parse_request(example() | {"explain": "both"}), date.max)
        archived = from_bytes(to_bytes(pack(scored.body(uuid7(), datetime.now(UTC)), scored)))
        assert archived.body.model.version == version.manifest.version != scorer.models[family].bundle.manifest.version
        assert replay(scorer, archived).result == "identical"


def test_it_says_that_it_learnt_from_synthetic_people(scorer: Scorer) -> None:
    for model in scorer.models.values():
        assert model.bundle.manifest.learnt_from.startswith("synthetic people")
    answer = scorer.score(parse_request(example()), date.max)
    assert answer.explanation is not None
    assert any("synthetic people" in limit for limit in answer.explanation.limits)
    assert any(limit.startswith("Out of 1,000 people") for limit in answer.explanation.limits)


def test_all_files_of_one_model_stay_under_25_mib() -> None:
    for family in ARTIFACTS.iterdir():
        for version in family.iterdir():
            assert sum(file.stat().st_size for file in version.iterdir()) < 25 << 20


def test_the_manifest_holds_what_one_needs_to_judge_it(scorer: Scorer) -> None:
    for model in scorer.models.values():
        manifest = model.bundle.manifest
        assert {"test_mix", "population_mix", "auc_top_against_lowest", "survival"} <= manifest.metrics.keys()
        named = {"precision", "sensitivity", "adjusted_f1", "top_2_accuracy", "accuracy", "flagged", "predicted_80_90"}
        assert named <= manifest.metrics["test_mix"].keys()
        assert {"labelled-nominals", "unknown-code", "nominals-by-group"} <= manifest.data.keys()
        assert 0 < manifest.harm_index.approximate_share < 1


@pytest.mark.parametrize("seed", range(25))
def test_answers_are_probabilities_and_curves_on_varied_records(scorer: Scorer, seed: int) -> None:
    scored = scorer.score(parse_request(random_request(5000 + seed)), TODAY)
    for found in (scored.harm.probabilities, scored.harm.population_probabilities):
        assert sum(found) == pytest.approx(1.0, abs=1e-12)
        assert min(found) > 0
    assert scored.curve[0] == 1.0
    assert np.all(np.diff(scored.curve) <= 0)
    assert scored.curve[-1] >= 0
    explanation = scored.explanation
    assert explanation is not None
    total = sum(found.effect for found in explanation.contributions)
    assert total == pytest.approx(explanation.value - explanation.reference.value, abs=1e-6)


@pytest.mark.parametrize("family", ["stalking-victim", "sh-nominal"])
def test_the_other_families_answer_on_varied_records(scorer: Scorer, family: str) -> None:
    perspective = scorer.models[family].bundle.manifest.subject.perspective
    answers = set()
    for seed in range(12):
        request = as_seen_by(perspective, random_request(5100 + seed)) | {"model": family, "explain": "factors"}
        scored = scorer.score(parse_request(request), TODAY)
        assert sum(scored.harm.population_probabilities) == pytest.approx(1.0, abs=1e-12)
        assert np.all(np.diff(scored.curve) <= 0)
        view = scored.explanation
        assert isinstance(view, FactorExplanation)
        total = sum(found.effect for found in view.contributions)
        assert total == pytest.approx(view.value - view.reference.value, abs=1e-6)
        answers.add(tuple(scored.harm.population_probabilities))
    assert len(answers) > 6


def test_a_batch_gives_what_single_rows_give(scorer: Scorer) -> None:
    for model in scorer.models.values():
        requests = [parse_request(random_request(7000 + seed) | {"explain": "none"}) for seed in range(30)]
        rows = np.concatenate([scorer.score(request, TODAY).features for request in requests])
        together = model.groups(rows)
        alone = [model.groups(rows[at : at + 1]) for at in range(len(rows))]
        np.testing.assert_allclose(together.population, np.concatenate([one.population for one in alone]), atol=1e-6)
        np.testing.assert_array_equal(model.survival(rows), np.concatenate([model.survival(row[None]) for row in rows]))


@pytest.mark.parametrize("seed", range(6))
def test_both_views_hold_on_trees_and_a_recurrent_network(scorer: Scorer, seed: int) -> None:
    """A batch of records and a record by itself agree, also where a threshold is near."""
    request = parse_request(random_request(800 + seed) | {"explain": "both"})
    result = scorer.score(request, TODAY)
    both = result.explanation
    assert isinstance(both, BothExplanations)
    for view in (both.factors, both.incidents):
        assert view.value == result.harm.population_probabilities[3]
        total = sum(share.effect for share in view.contributions)
        assert total == pytest.approx(view.value - view.reference.value, abs=1e-6)
    for share in both.incidents.contributions:
        if share.evidence.incidents == 1:
            left = [one for one in request.incidents if one.incident_id != share.evidence.incident_id]
            again = scorer.score(request.model_copy(update={"incidents": left, "explain": "none"}), TODAY)
            assert share.evidence.without == pytest.approx(again.harm.population_probabilities[3], abs=1e-6)


@pytest.mark.slow
def test_documents_are_what_the_evaluation_beside_them_gives(tmp_path: Path) -> None:
    from training.documents.write import write_documents

    for folder in sorted(path.parent for path in ARTIFACTS.glob("*/*/evaluation.json")):
        copy = tmp_path / folder.parent.name / folder.name
        copy.mkdir(parents=True)
        for name in ("manifest.json", "evaluation.json"):
            (copy / name).write_bytes((folder / name).read_bytes())
        for path in write_documents(copy):
            assert path.read_bytes() == (folder / path.name).read_bytes(), f"{path.name}: run evaluate --documents-only"


def test_what_is_evaluated_has_documents_of_its_own_people() -> None:
    for family, bundle in load_current(ARTIFACTS).items():
        folder = ARTIFACTS / family / bundle.manifest.version
        assert (bundle.documents is not None) == (folder / "evaluation.json").is_file(), f"{family}: run evaluate"
        if bundle.documents is not None:
            assert bundle.documents.evaluation["artefact"]["family"] == family
