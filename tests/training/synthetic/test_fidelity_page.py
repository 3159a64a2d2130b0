"""The page and its plots: the same bytes from the same results, nothing typed in, and the committed ones are of today."""

import copy
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.errors import SetupError
from app.harm.harm_index import load_harm_index
from training.synthetic import fidelity_page as fidelity_page_module
from training.synthetic.check import Plan, check
from training.synthetic.fidelity_page import fidelity_page, read_result, written

DOCS = Path(__file__).parents[3] / "docs"
LARGEST = 150_000


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return check(Plan("published", 400, (1, 2), (), (1,)), load_harm_index(), tmp_path_factory.mktemp("work"))


def other_world(result: dict[str, Any]) -> dict[str, Any]:
    """The same as of another world, with one row held differently and one missing."""
    other = copy.deepcopy(result)
    other["world"] = "sober"
    other["rows"][0]["tolerance"] = None
    del other["rows"][1]
    other["sh_seeds"] = []
    return other


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes seconds, and the text does not depend on it."""
    monkeypatch.setattr(fidelity_page_module, "plots", lambda _: defaultdict(str))


@pytest.mark.usefixtures("no_plots")
def test_same_results_same_text(result: dict[str, Any]) -> None:
    found = {"published": result, "sober": other_world(result)}
    assert written(found) == written(json.loads(json.dumps(found)))


def test_the_command_writes_page_and_plots(result: dict[str, Any], tmp_path: Path) -> None:
    for name, one in (("a", result), ("b", other_world(result))):
        (tmp_path / f"{name}.json").write_text(json.dumps(one))
    arguments = [str(tmp_path / "a.json"), str(tmp_path / "b.json"), "--docs", str(tmp_path / "docs")]
    assert CliRunner().invoke(fidelity_page, arguments, catch_exceptions=False).exit_code == 0
    page = (tmp_path / "docs" / "fidelity.md").read_text()
    plots = {f"fidelity/{path.name}": path.read_text() for path in (tmp_path / "docs" / "fidelity").iterdir()}
    assert len(plots) == 8
    for name, drawn in plots.items():
        assert f"({name})" in page
        assert drawn.startswith("<svg")
        assert len(drawn.encode()) < LARGEST


@pytest.mark.usefixtures("no_plots")
def test_every_row_and_every_failure_is_told(result: dict[str, Any]) -> None:
    page = written({"published": result})["fidelity.md"]
    lines = page.splitlines()
    for row in result["rows"]:
        assert any(line.startswith(f"| {row['figure']} | {row['section']} |") for line in lines), row["figure"]
    failing = [row["figure"] for row in result["rows"] if row["holds"] is False]
    (told,) = [line for line in lines if line.startswith("- World `published`")]
    assert failing
    assert all(figure in told for figure in failing)
    assert sum("| **no** |" in line for line in lines) == len(failing)


@pytest.mark.usefixtures("no_plots")
def test_worlds_stand_side_by_side(result: dict[str, Any]) -> None:
    page = written({"published": result, "sober": other_world(result)})["fidelity.md"]
    first, second = (row["figure"] for row in result["rows"][:2])
    lines = page.splitlines()
    (held_by_one,) = [line for line in lines if line.startswith(f"| {first} |")]
    assert "(`published`)" in held_by_one
    (missing,) = [line for line in lines if line.startswith(f"| {second} |")]
    assert missing.endswith("| – |  |")
    assert any(line.endswith("seeds 1, 2.") for line in lines)
    assert any(line.endswith("seeds 1 (`published`); none (`sober`).") for line in lines)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "null", '{"format": 2, "world": "a", "rows": [], "curves": {}}'])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SetupError, match=r"a\.json is no result"):
        read_result(tmp_path / "a.json")


def test_one_file_a_world(result: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(result))
    found = CliRunner().invoke(fidelity_page, [str(tmp_path / "a.json")] * 2 + ["--docs", str(tmp_path)])
    assert isinstance(found.exception, SetupError)
    assert not (tmp_path / "fidelity.md").exists()


def committed() -> dict[str, Any]:
    """By world in the order of their names, as the shell gives `docs/fidelity/*.json`."""
    found = {one["world"]: one for one in map(read_result, sorted((DOCS / "fidelity").glob("*.json")))}
    assert "published" in found
    return found


@pytest.mark.usefixtures("no_plots")
def test_the_committed_page_follows_from_the_committed_results() -> None:
    text = (DOCS / "fidelity.md").read_text(encoding="utf-8")
    assert text == written(committed())["fidelity.md"], "write it anew with dayzero-train fidelity-page"


@pytest.mark.slow
def test_the_committed_plots_follow_from_the_committed_results() -> None:
    for name, text in written(committed()).items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, (
            f"{name}: write it anew with dayzero-train fidelity-page"
        )
        assert len(text.encode()) < LARGEST


@pytest.mark.usefixtures("no_plots")
def test_rows_on_victims_stand_where_a_world_has_them(result: dict[str, Any]) -> None:
    of_victims = copy.deepcopy(result) | {"world": "published-victims"}
    row = copy.deepcopy(result["rows"][0]) | {"figure": "victims: labelled", "measured_with": "victims"}
    of_victims["rows"].append(row)
    page = written({"published-victims": of_victims, "published": result})["fidelity.md"]
    lines = page.splitlines()
    assert any(
        line.startswith("| figure |") and line.index("`published` |") < line.index("-victims`") for line in lines
    )
    (told,) = [line for line in lines if line.startswith("| victims: labelled |")]
    assert "| – |  |" in told, "the other world measures no victims"
    heading = next(
        number for number, line in enumerate(lines) if line.endswith("the victims in the extract of stalking nominals")
    )
    assert lines[heading + 1].endswith("seeds 1, 2.")
    assert (
        "victims"
        not in written({"published": result})["fidelity.md"].split("## Every figure")[1].split("## Two worlds")[0]
    )
