"""From logs to an artefact that serves: whole, the same twice, honest about what it is, without a line of anybody's log."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from app.artifacts import load_bundle
from app.errors import SetupError
from app.extract.load import load_extract
from app.extract.log_harm import newest_log_harm
from app.extract.logs import read_logs
from app.harm.harm_index import load_harm_index
from app.text.manifest import SCORES
from app.text.model import TextModel
from app.text.service import LogReader
from tests.toy_text import toy_model, write_toy_text
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.logs.table import logs_table
from training.text import fit as fitting
from training.text.dataset import choose
from training.text.fit import check_served, fit_text
from training.text.golden import CASES, golden_texts
from training.text.matrix import term_counts
from training.text.negation import NEGATIONS, measure_negation, read_negations

INDEX = load_harm_index()
ROOT = Path(__file__).parents[3]
ARTEFACT = ROOT / "model_artifacts/noncrime-harm/1"


@pytest.fixture(scope="module")
def artefact(crimes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit_text(crimes, tmp_path_factory.mktemp("one"), INDEX, version="1", seed=1).folder


@pytest.mark.slow
def test_an_artefact_is_whole_and_says_what_it_is(artefact: Path) -> None:
    bundle = load_bundle(artefact)
    manifest, model = bundle.manifest, TextModel(bundle)
    model.check_golden()
    assert manifest.learnt_from == "synthetic people: of a test"
    assert manifest.terms == len(model.vocabulary.terms) > 50
    assert manifest.metrics["test"].keys() == {"network", "logistic", "ordinal"}
    assert manifest.metrics["test"][manifest.served]["accuracy"]["value"] > 0.3
    assert {"simplemma", "snowballstemmer", "torch"} <= manifest.libraries.keys()
    (read,) = LogReader(model).read(["Officers noted he threatened to stab her. No injuries seen."])
    assert read is not None
    assert read.score in SCORES


@pytest.mark.slow
def test_the_same_logs_and_seed_give_the_same_bytes(artefact: Path, crimes: Path, tmp_path: Path) -> None:
    again = fit_text(crimes, tmp_path, INDEX, version="1", seed=1).folder
    assert {path.name: path.read_bytes() for path in again.iterdir()} == {
        path.name: path.read_bytes() for path in artefact.iterdir()
    }
    with pytest.raises(SetupError, match="exists"):
        fit_text(crimes, tmp_path, INDEX, version="1", seed=1)


@pytest.mark.slow
def test_no_line_of_a_log_is_in_it(artefact: Path, crimes: Path) -> None:
    logs = read_logs(crimes)
    assert logs is not None
    held = b"".join(path.read_bytes() for path in artefact.iterdir()).lower()
    for text in logs.text[:300]:
        for sentence in text.split(". "):
            if len(sentence) > 40:
                assert sentence.lower().encode() not in held


@pytest.mark.slow
def test_a_rival_is_served_where_it_is_clearly_better(
    crimes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "CLEARLY", -1.0)
    report = fit_text(crimes, tmp_path, INDEX, version="1", seed=1)
    assert report.manifest.served == "logistic"
    TextModel(load_bundle(report.folder)).check_golden()
    assert report.difference < 1e-5


def test_an_export_that_is_another_model_is_refused(crimes: Path) -> None:
    logs = read_logs(crimes)
    assert logs is not None
    data, model = choose(logs, INDEX, seed=1, a_score=50), toy_model()
    x = term_counts(data.texts, model.vocabulary)
    of = lambda rows: model.probabilities(rows.toarray().astype(np.float32))  # noqa: E731
    assert check_served(model, data, x, of) == pytest.approx(0, abs=1e-6)
    with pytest.raises(SetupError, match="differs"):
        check_served(model, data, x, lambda rows: of(rows) + 1e-4)
    broken = x.copy()
    broken.data[len(broken.data) // 2 :] += 1
    with pytest.raises(SetupError, match="counts other terms"):
        check_served(model, replace(data, test=np.arange(len(data.texts))), broken, of)


def test_an_extract_without_logs_cannot_be_learnt_from(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no logs"):
        fit_text(tmp_path, tmp_path / "out", INDEX, version="1", seed=1)


def test_golden_texts_are_nobodys() -> None:
    known = toy_model().vocabulary
    texts = golden_texts(known, seed=1, count=40)
    assert texts == golden_texts(known, seed=1, count=40)
    held = [json.loads(line)["text"] for line in (ARTEFACT / "golden.jsonl").read_text().splitlines()]
    assert len(held) == CASES


def test_the_shipped_artefact_reads_what_it_was_measured_on() -> None:
    """The page's figures on negations, worked out again; and they are not by chance."""
    model = TextModel(load_bundle(ARTEFACT))
    found = measure_negation(model, read_negations(NEGATIONS))
    assert (found.logs, found.pairs) == (200, 100)
    told = (ROOT / "docs/text.md").read_text(encoding="utf-8")
    assert f"| denial gets a lower mean harm than the fact | {found.lower:.0%} |" in told
    assert found.lower > 0.8
    assert found.higher_score < 0.1
    for name in ("network", "logistic", "ordinal"):
        assert f"{model.bundle.manifest.metrics['test'][name]['accuracy']['value']:.3f} (" in told
    assert abs(model.bundle.manifest.metrics["test"]["network"]["accuracy"]["value"] - 0.726) <= 0.03


@pytest.mark.parametrize("content", ["", "log,there\na {},b\n", "log,there,denied\nno gap,a,b\n"])
def test_a_table_of_negations_of_another_shape_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "n.csv"
    path.write_text(content)
    with pytest.raises(SetupError, match=r"n\.csv"):
        read_negations(path)


def test_missing_scores_of_an_extract_are_read_out_of_its_logs(tmp_path: Path) -> None:
    force = generate(40, seed=4)
    incidents = force.tables["incidents"]
    logs = logs_table(incidents, 4, 1)
    place = incidents.column_names.index("harm_score")
    unscored = incidents.set_column(place, "harm_score", pa.nulls(incidents.num_rows, pa.float64()))
    force = replace(force, tables={**force.tables, "incidents": unscored})
    write(force, tmp_path / "x", world="w", seed=4, nominals=40, logs=logs)
    write_toy_text(tmp_path / "models")
    reader = newest_log_harm(tmp_path / "x", tmp_path / "models")
    assert reader is not None
    plain, read = load_extract(tmp_path / "x", INDEX), load_extract(tmp_path / "x", INDEX, logs=reader)
    count = plain.counts["domestic-non-crime-unscored"]
    assert count > 20
    assert read.counts["domestic-non-crime-read"] + read.counts["domestic-non-crime-unscored"] == count
    texts = dict(zip(logs["incident_id"].to_pylist(), logs["log_text"].to_pylist(), strict=True))
    served = LogReader(toy_model())
    rows = {name: row for row, name in enumerate(read.incident_id.tolist())}
    checked = 0
    for name in (name for name in texts if name in rows):
        (inferred,) = served.read([texts[name]])
        assert read.harm[rows[name]] == (3.0 if inferred is None else inferred.score), name
        checked += inferred is not None
    assert checked > 10
    others = [row for name, row in rows.items() if name not in texts]
    known = {name: row for row, name in enumerate(plain.incident_id.tolist())}
    assert all(plain.harm[known[str(read.incident_id[row])]] == read.harm[row] for row in others)
    assert newest_log_harm(tmp_path / "x", tmp_path / "nothing") is None
    (tmp_path / "x" / "logs.parquet").unlink()
    assert newest_log_harm(tmp_path / "x", tmp_path / "models") is None
