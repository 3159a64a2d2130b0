"""A stack from the table that is not the published one: fitted, exported, checked, and asked over a real socket."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.artifacts import GOLDEN, load_bundle
from app.keys import create_keys
from tests import patient
from tests.app.test_server import environment, headers, server
from training.harm.command import command

FAMILY = "stalking-nominal"
STACK = "lr+rf:rf"
FITTING = ["--seed", "3", "--jobs", "1"]


@pytest.fixture(scope="module")
def artefacts(extract: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("artefacts")
    found = CliRunner().invoke(
        command, ["--extract", str(extract), "--out", str(out), "--stack", "RF+lr:rf", *FITTING], catch_exceptions=False
    )
    assert found.exit_code == 0, found.output
    return out


@pytest.mark.slow
def test_the_manifest_names_the_stack(artefacts: Path) -> None:
    told = load_bundle(artefacts / FAMILY / "1").manifest.metrics["fit"]
    assert told["stack"] == STACK
    assert set(told["first"]) == {"lr", "rf"}
    assert told["second"]["leaf"] > 0


@pytest.mark.slow
def test_it_answers_over_http_as_it_did_when_it_was_fitted(artefacts: Path, tmp_path: Path) -> None:
    create_keys(tmp_path)
    settings = environment(tmp_path, artefacts)
    bearer = headers(settings, "score")
    golden = [json.loads(line) for line in (artefacts / FAMILY / "1" / GOLDEN).read_text().splitlines()]
    with server(settings) as (address, _):
        assert patient.get(f"{address}/health/ready").status_code == 200
        for case in golden[:5]:
            answer = patient.post(f"{address}/score", json=case["request"] | {"explain": "factors"}, headers=bearer)
            assert answer.status_code == 200, answer.text
            harm = answer.json()["harm"]
            for name in ("probabilities", "population_probabilities"):
                assert harm[name] == pytest.approx(case["answer"][name], abs=1e-6)
            assert harm["predicted_group"] == case["answer"]["predicted_group"]


def test_a_stack_nobody_knows_is_refused_before_anything_is_read(extract: Path, tmp_path: Path) -> None:
    arguments = ["--extract", str(extract), "--out", str(tmp_path / "out"), "--stack", "lr+rf:max"]
    found = CliRunner().invoke(command, arguments)
    assert found.exit_code != 0
    assert "written like xgboost+lstm:svm" in str(found.exception)
    assert not (tmp_path / "out").exists()
