"""`synth`: writes all or nothing, never over anything but its own, and says that people are invented."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.errors import SetupError
from training.synthetic import folder as folder_module
from training.synthetic.command import synth
from training.synthetic.folder import write
from training.synthetic.force import generate


def run(out: Path, *more: str, seed: int = 1) -> Result:
    arguments = ["--out", str(out), "--nominals", "30", "--seed", str(seed), *more]
    return CliRunner().invoke(synth, arguments, catch_exceptions=True)


def test_writes_marks_and_reports(tmp_path: Path) -> None:
    result = run(tmp_path / "x", "--latents", str(tmp_path / "truth.parquet"))
    assert result.exit_code == 0, result.output
    assert "their other incidents" in result.output
    assert "Everyone is invented" in result.output
    marker = (tmp_path / "x" / "SYNTHETIC.txt").read_text()
    assert marker.startswith("synthetic people: world published, generator ")
    assert "seed 1, 30 labelled nominals" in marker
    assert {path.name for path in tmp_path.iterdir()} == {"x", "truth.parquet"}


def test_replaces_an_earlier_extract(tmp_path: Path) -> None:
    assert run(tmp_path / "x").exit_code == 0
    before = (tmp_path / "x" / "incidents.parquet").read_bytes()
    assert run(tmp_path / "x", seed=2).exit_code == 0
    assert (tmp_path / "x" / "incidents.parquet").read_bytes() != before
    assert "seed 2" in (tmp_path / "x" / "SYNTHETIC.txt").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("held", [["notes.txt"], ["persons.parquet"], ["SYNTHETIC.txt", "notes.txt"]])
def test_leaves_other_folders_alone(held: list[str], tmp_path: Path) -> None:
    out = tmp_path / "x"
    out.mkdir()
    for name in held:
        (out / name).write_text("mine")
    result = run(out)
    assert isinstance(result.exception, SetupError)
    assert sorted(path.name for path in out.iterdir()) == sorted(held)
    assert all((out / name).read_text() == "mine" for name in held)


def test_refuses_a_file_and_latents_inside(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert isinstance(run(tmp_path / "file").exception, SetupError)
    inside = run(tmp_path / "x", "--latents", str(tmp_path / "x" / "truth.parquet"))
    assert isinstance(inside.exception, SetupError)
    assert not (tmp_path / "x").exists()


def test_a_broken_run_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "x"
    write(generate(5, 1), out, world="published", seed=1, nominals=5)
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "write_tables", full_disk)
    with pytest.raises(SetupError, match="No space left"):
        write(generate(5, 2), out, world="published", seed=2, nominals=5)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("more", [["--nominals", "0"], ["--world", "utopia"], ["--seed", "-1"]])
def test_usage_errors(more: list[str], tmp_path: Path) -> None:
    assert run(tmp_path / "x", *more).exit_code == 2
