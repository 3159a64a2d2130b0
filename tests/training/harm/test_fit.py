"""From a tiny invented force to an artefact the service loads, twice, to the same bytes."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner

from app.artifact_signatures import SIGNATURE, make_key, read_trusted
from app.artifacts import GOLDEN, MANIFEST, load_bundle
from app.errors import SetupError
from app.harm.golden import check_golden
from app.harm.harm_index import load_harm_index
from app.harm.records import parse_request
from app.harm.service import Scorer
from tests.training.watching import openings
from training.harm.command import command
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.latents import read_latents

NOMINALS = 1_000
LATENTS = "latents.parquet"
FAMILY = "stalking-nominal"


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("force") / "extract"
    latents = folder.with_name(LATENTS)
    write(generate(NOMINALS, 7), folder, world="published", seed=7, nominals=NOMINALS, latents=latents)
    return folder


class Fitted(NamedTuple):
    artefact: Path
    openings: list[str]


@pytest.fixture(scope="module")
def fitted(extract: Path, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """An artefact, and whatever of the fit opened the latents that lie beside the extract."""
    out = tmp_path_factory.mktemp("out")
    with openings(extract.with_name(LATENTS)) as seen:
        fit(extract, out, jobs=2)
    return Fitted(out / FAMILY / "1", seen)


@pytest.fixture(scope="module")
def artefact(fitted: Fitted) -> Path:
    return fitted.artefact


def fit(extract: Path, out: Path, jobs: int, *more: str) -> str:
    arguments = ["--extract", str(extract), "--out", str(out), "--seed", "3", "--jobs", str(jobs), *more]
    found = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert found.exit_code == 0
    return found.output


def test_any_opening_of_the_latents_would_be_seen(extract: Path) -> None:
    latents = extract.with_name(LATENTS)
    for read, seer in (
        (latents.read_bytes, "audit hook"),
        (lambda: read_latents(latents), "access time"),
    ):
        with openings(latents) as seen:
            pass
        assert seen == []
        with openings(latents) as seen:
            read()
        assert seer in seen


@pytest.mark.slow
def test_no_fit_opens_the_latents_beside_the_extract(fitted: Fitted) -> None:
    assert fitted.openings == []


@pytest.mark.slow
def test_service_loads_it_and_reproduces_its_golden_cases(artefact: Path) -> None:
    bundle = load_bundle(artefact)
    assert len(bundle.golden) == 50
    check_golden(Scorer({FAMILY: bundle}, load_harm_index()))


@pytest.mark.slow
def test_same_seed_same_bytes_however_many_jobs(artefact: Path, extract: Path, tmp_path: Path) -> None:
    make_key(tmp_path / "key", "force-data-science")
    output = fit(extract, tmp_path, 1, "--signing-key", str(tmp_path / "key"))
    assert "top 2 accuracy" in output
    again = tmp_path / FAMILY / "1"
    assert {path.name for path in again.iterdir()} == {path.name for path in artefact.iterdir()} | {SIGNATURE}
    assert load_bundle(again, read_trusted(tmp_path / "key.pub")).signed_by == "force-data-science"
    for path in sorted(artefact.iterdir()):
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_a_signing_key_that_is_none_ends_it_before_the_fit(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("not a key")
    arguments = ["--extract", str(tmp_path), "--out", str(tmp_path / "out"), "--signing-key", str(tmp_path / "key")]
    with pytest.raises(SetupError, match="keygen"):
        CliRunner().invoke(command, arguments, catch_exceptions=False)


@pytest.mark.slow
def test_golden_requests_differ_and_name_nobody(artefact: Path, extract: Path) -> None:
    lines = [json.loads(line) for line in (artefact / GOLDEN).read_text().splitlines()]
    requests = [parse_request(line["request"]) for line in lines]
    counts = [len(request.incidents) for request in requests]
    assert min(counts) == 1
    assert max(counts) > 20
    assert any(request.nominal.date_of_birth is None for request in requests)
    assert any(request.index_victim_contacts is None for request in requests)
    assert any(incident.offence_code for request in requests for incident in request.incidents)
    assert {str(request.as_of) for request in requests} == {"2024-06-12"}
    names = {request.nominal.nominal_id for request in requests}
    assert names == {f"golden-{number:02d}" for number in range(1, 51)}


@pytest.mark.slow
def test_manifest_says_what_it_learnt_from_and_how_well(artefact: Path) -> None:
    manifest = load_bundle(artefact).manifest
    assert "synthetic" in manifest.learnt_from
    assert manifest.data["labelled-nominals"] == NOMINALS
    assert 0.5 < manifest.metrics["auc_top_against_lowest"] <= 1
    assert sum(map(sum, manifest.metrics["test_mix"]["confusion"])) == sum(manifest.data["nominals-by-group"]["test"])
    medians = np.array(manifest.reference_medians)
    assert medians[19, 2] == 0
    assert (medians[:18, 2] > 0).all()
    assert not any(word in (artefact / MANIFEST).read_text() for word in ("/tmp", "/home", "T00:"))
