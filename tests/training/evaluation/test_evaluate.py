"""One small force from nothing to evaluation.json: twice the same bytes, brought back when deleted, resumed when killed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from app.artifacts import load_bundle
from app.errors import SetupError
from app.harm.harm_index import load_harm_index
from training.evaluation import evaluate as running
from training.evaluation.bench import Bench
from training.evaluation.command import command
from training.evaluation.evaluate import evaluate
from training.evaluation.sections import Section
from training.metrics import confusion
from training.synthetic.folder import write
from training.synthetic.force import generate

QUICK = ("metrics", "workload")


@pytest.fixture
def artefact(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "artefact"))


@pytest.fixture(autouse=True)
def one_world_and_few_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is quick: the machinery is the same for every section and world."""
    quick = tuple(section for section in running.SECTIONS if section.name in QUICK)
    monkeypatch.setattr(running, "SECTIONS", quick)
    monkeypatch.setattr(running, "worlds_beside", lambda home: (home,))


def test_same_bytes_twice_and_brought_back_when_deleted(artefact: Path, bench: Bench, tmp_path: Path) -> None:
    arguments = ["--artifact", str(artefact), "--work", str(tmp_path / "work")]
    found = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert found.exit_code == 0
    written = artefact / "evaluation.json"
    first = written.read_bytes()
    written.unlink()
    assert CliRunner().invoke(command, arguments, catch_exceptions=False).exit_code == 0
    assert written.read_bytes() == first
    written.unlink()
    evaluate(artefact, tmp_path / "elsewhere", load_harm_index(), jobs=1)
    assert written.read_bytes() == first

    document = json.loads(first)
    assert document["notice"].startswith("Measured on synthetic people")
    assert document["artefact"]["manifest_sha256"] == load_bundle(artefact).manifest_sha256
    assert set(document["worlds"]["published"]) == {"learnt_from", *QUICK}
    metrics = document["worlds"]["published"]["metrics"]
    expected = confusion(bench.groups, bench.scored.predicted)
    assert metrics["test_mix"]["confusion"] == expected.tolist()
    assert len(np.unique(bench.scored.predicted)) > 1
    assert str(tmp_path) not in first.decode()


def test_a_killed_run_goes_on_where_it_was(artefact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def watched(section: Section) -> Section:
        def measure(*given: Any) -> dict[str, Any]:
            calls.append(section.name)
            if calls == ["metrics", "workload"]:
                raise KeyboardInterrupt
            return section.measure(*given)

        measure.__module__ = section.measure.__module__
        return section._replace(measure=measure)

    monkeypatch.setattr(running, "SECTIONS", tuple(map(watched, running.SECTIONS)))
    with pytest.raises(KeyboardInterrupt):
        evaluate(artefact, tmp_path / "work", load_harm_index())
    assert not (artefact / "evaluation.json").exists()
    evaluate(artefact, tmp_path / "work", load_harm_index())
    assert calls == ["metrics", "workload", "workload"]


def test_a_part_is_never_written_beside_the_artefact(artefact: Path, tmp_path: Path) -> None:
    written = evaluate(artefact, tmp_path / "work", load_harm_index(), only=["workload"])
    assert written == tmp_path / "work" / "evaluation.json"
    assert set(json.loads(written.read_bytes())["worlds"]["published"]) == {"learnt_from", "workload"}
    assert not (artefact / "evaluation.json").exists()
    with pytest.raises(SetupError, match="Known sections"):
        evaluate(artefact, tmp_path / "work", load_harm_index(), only=["worklod"])


def test_a_section_measured_later_gives_the_bytes_of_a_whole_run(artefact: Path, tmp_path: Path) -> None:
    written = evaluate(artefact, tmp_path / "work", load_harm_index())
    whole = written.read_bytes()
    document = json.loads(whole)
    del document["worlds"]["published"]["workload"]
    written.write_text(json.dumps(document), encoding="utf-8")
    arguments = ["--artifact", str(artefact), "--work", str(tmp_path / "work"), "--only", "workload", "--join"]
    assert CliRunner().invoke(command, arguments, catch_exceptions=False).exit_code == 0
    assert written.read_bytes() == whole
    with pytest.raises(SetupError, match="differs in seed"):
        evaluate(artefact, tmp_path / "work", load_harm_index(), only=["workload"], join=True, seed=2)
    for spoilt in (b"[]", b"{", b'{"worlds": 3}', b"[" * 100_000):
        written.write_bytes(spoilt)
        with pytest.raises(SetupError, match="is not an evaluation"):
            evaluate(artefact, tmp_path / "work", load_harm_index(), only=["workload"], join=True)
        assert written.read_bytes() == spoilt
    assert CliRunner().invoke(command, [*arguments[:4], "--join"]).exit_code == 2


def test_an_own_extract_has_no_worlds_and_must_be_the_one_learnt_from(
    artefact: Path, extract: Path, tmp_path: Path
) -> None:
    own = shutil.copytree(extract, tmp_path / "extract")
    (own / "SYNTHETIC.txt").unlink()
    evaluate(artefact, tmp_path / "work", load_harm_index(), own=own)
    document = json.loads((artefact / "evaluation.json").read_bytes())
    assert list(document["worlds"]) == ["extract"]
    assert document["notice"].startswith("Measured on the extract of a force")

    write(generate(300, 8), tmp_path / "other", world="published", seed=8, nominals=300)
    with pytest.raises(SetupError, match="did not learn from this extract"):
        evaluate(artefact, tmp_path / "work", load_harm_index(), own=tmp_path / "other")
    with pytest.raises(SetupError, match="another harm index"):
        evaluate(artefact, tmp_path / "work", replace(load_harm_index(), sha256="0" * 64), own=own)
