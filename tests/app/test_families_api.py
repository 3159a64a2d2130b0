"""Every model family over one service: what it reads, what it refuses, whom its words are about."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.artifacts import load_manifest
from app.database import sqlite_url
from app.errors import SetupError
from app.harm.drift_reading import Window, read_scores
from app.harm.explanation import FACTORS
from app.harm.features import FEATURES
from tests.app.harm.test_explanation import random_request
from tests.app.service_fixtures import Client, running
from tests.app.test_api import check_problem
from tests.requests import body_of, cases, example
from tests.toy_bundle import as_seen_by, write_toy
from training.families import FAMILIES

VICTIM = "stalking-victim"


@pytest.fixture(scope="module")
def every_family(tmp_path_factory: pytest.TempPathFactory) -> Path:
    artifacts = tmp_path_factory.mktemp("artifacts")
    for family in FAMILIES:
        write_toy(artifacts, family=family)
    return artifacts


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory, every_family: Path) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("home")
    with running(sqlite_url(home), home, every_family) as client:
        yield client


def asked(family: str, request: dict[str, Any]) -> dict[str, Any]:
    return as_seen_by(FAMILIES[family].subject.perspective, request) | {"model": family}


@pytest.mark.parametrize("case", cases("family_requests.yaml"), ids=lambda case: f"{case['family']}: {case['case']}")
def test_what_a_family_takes(families: Client, case: dict[str, Any]) -> None:
    request = json.loads(body_of(case, asked(case["family"], example())))
    if "day_zero" in case:
        answer = families.score(request).json()
        assert (answer["day_zero"], answer["model"]["family"]) == (case["day_zero"], case["family"])
        return
    problem = check_problem(families.score(request), 422, "invalid-request")
    assert [(fault["pointer"], fault["rule"]) for fault in problem["errors"]] == [(case["pointer"], case["rule"])]


@pytest.mark.parametrize("family", FAMILIES)
def test_all_reads_of_a_score_work_for_a_family(families: Client, family: str) -> None:
    perspective = FAMILIES[family].subject.perspective
    answer = families.score(asked(family, random_request(77)) | {"explain": "both"}).json()
    assert answer["model"]["perspective"] == perspective
    score = f"/scores/{answer['score_id']}"
    assert families.get(score).json() == answer
    for path in ("survival", "explanation", "explanation?by=incidents", "explanation?of=survival"):
        for media in ("application/json", "image/svg+xml"):
            assert families.get(f"{score}/{path}", Accept=media).status_code == 200
    card = families.get(f"/models/{family}").json()
    assert card["perspective"] == perspective
    assert tuple(card["features"]) == FAMILIES[family].subject.side.features


@pytest.mark.parametrize("family", FAMILIES)
def test_drift_counts_the_scores_of_every_family(families: Client, family: str) -> None:
    """A stored request read with another family's roles is refused, and its score would be left out without a word."""
    state = families.app.state
    model = state.scorer.models[family]
    before = len(read_scores(state.store, state.scorer, model, Window()))
    assert families.score(asked(family, example())).status_code == 200
    assert len(read_scores(state.store, state.scorer, model, Window())) == before + 1


def test_a_factor_of_which_a_model_reads_nothing_is_no_player(families: Client) -> None:
    for seed in range(5):
        explained = families.score(asked(VICTIM, random_request(300 + seed))).json()["explanation"]
        names = {share["name"] for share in explained["contributions"]}
        assert names == set(FACTORS) - {"custody", "role"}
        total = sum(share["effect"] for share in explained["contributions"])
        assert total == pytest.approx(explained["value"] - explained["reference"]["value"], abs=1e-6)


def test_an_artefact_that_reads_what_its_subject_has_not_is_refused(tmp_path: Path) -> None:
    def all_features(manifest: dict[str, Any]) -> None:
        manifest["features"] = FEATURES

    folder = write_toy(tmp_path, family=VICTIM, golden=b"", change=all_features)
    with pytest.raises(SetupError, match="features do not fit"):
        load_manifest(folder)


def test_a_manifest_from_before_there_were_families_is_of_stalking_nominals(tmp_path: Path) -> None:
    folder = write_toy(tmp_path, change=lambda manifest: manifest.pop("subject"))
    assert load_manifest(folder)[0].subject == FAMILIES["stalking-nominal"].subject
