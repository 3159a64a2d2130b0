"""All documents from one file of measurements: the same bytes, nothing made up, nothing missing that breaks them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from app.artifacts import load_current
from app.documents import LIST, MEDIA
from app.errors import SetupError
from app.harm.caveats import COVENANT, SURVIVAL_COVENANT
from app.main import bare_app
from tests.app.test_permissions import every_route
from tests.training.documents.artefact import evaluated, evaluation, without
from training.documents.facts import read_facts
from training.documents.records import FOR_THE_FORCE, texts
from training.documents.words import MISSING
from training.documents.write import made, write_documents

ROOT = Path(__file__).parents[3]
TEXTS = [name for name in MEDIA if name != "evaluation.json"]


def read(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text(encoding="utf-8") for name in TEXTS}


def test_every_document_is_written_and_loads(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= {*MEDIA, LIST}
    documents = load_current(folder.parents[1])["stalking-nominal"].documents
    assert documents is not None
    assert documents.covenant.principles[0].name == "Lawful"


@pytest.mark.slow
def test_deleted_documents_come_back_byte_for_byte(folder: Path) -> None:
    before = {name: (folder / name).read_bytes() for name in (*MEDIA, LIST)}
    for name in (*TEXTS, LIST):
        (folder / name).unlink()
    script = (
        "import sys, pathlib; from training.documents.write import write_documents as w; w(pathlib.Path(sys.argv[1]))"
    )
    settings = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LANG": "C", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script, folder], check=True, env=settings, cwd=folder)
    assert {name: (folder / name).read_bytes() for name in (*MEDIA, LIST)} == before


def test_the_first_line_says_whom_it_was_measured_on(folder: Path) -> None:
    notice = evaluation()["notice"]
    assert "synthetic people" in notice
    told = read(folder)
    for name in ("model_card.md", "atrs.md", "algo_care.md"):
        assert told[name].splitlines()[0] == notice, name
    for name in ("atrs.json", "covenant.json"):
        assert json.loads(told[name])["notice"] == notice
    body = told["evaluation.html"].partition("<body>")[2]
    assert body.lstrip().startswith(f'<p class="notice">{escape(notice)}</p>')


def test_nothing_is_unmeasured_where_everything_was_measured(folder: Path) -> None:
    for name, text in read(folder).items():
        assert MISSING not in text.lower(), (name, text.lower().partition(MISSING)[0][-300:])


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures take seconds; where only the words matter an empty one stands in."""
    empty = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9"><path/></svg>'
    monkeypatch.setattr("training.documents.drawings.svg", lambda _paint, **_size: empty)


PARTS = [
    "fidelity", "zoo", "public_recidivism", "relative_risk", "worlds.sober", "worlds.unequal", "worlds",
    *(f"worlds.published.{name}" for name in evaluation()["worlds"]["published"]),
]  # fmt: skip


def test_a_missing_part_is_told_not_stumbled_over(tmp_path: Path, undrawn: None) -> None:
    beside = {f"worlds.published.{name}" for name in evaluation()["worlds"]["sober"]} | {
        "worlds.sober",
        "worlds.unequal",
    }
    for number, part in enumerate(PARTS):
        page = made(read_facts(evaluated(tmp_path / str(number), without(part))))["evaluation.html"]
        assert part in beside or "Not measured in this run." in page, part


def nulled(measured: Any) -> Any:
    """Every estimate without a value, as where nobody was there to count."""
    if isinstance(measured, dict) and set(measured) == {"value", "low", "high"}:
        return dict.fromkeys(measured)
    if isinstance(measured, dict):
        return {name: nulled(part) for name, part in measured.items()}
    return [nulled(part) for part in measured] if isinstance(measured, list) else measured


@pytest.mark.slow
def test_values_that_do_not_exist_do_not_break_anything(tmp_path: Path) -> None:
    def change(measured: dict[str, Any]) -> None:
        measured["worlds"] = nulled(measured["worlds"])

    folder = evaluated(tmp_path, change)
    write_documents(folder)
    for name, text in read(folder).items():
        assert not re.search(r"\b(None(?! needed| comes)|nan|inf)\b", text), name


def test_a_force_s_own_extract_speaks_of_it(undrawn: None, tmp_path: Path) -> None:
    def change(measured: dict[str, Any]) -> None:
        measured["notice"] = "Measured on the extract of a force."
        measured["worlds"] = {"extract": measured["worlds"]["published"]}

    folder = evaluated(tmp_path, change)
    write_documents(folder)
    told = read(folder)
    assert "synthetic" not in told["model_card.md"].splitlines()[0]
    assert "own extract" in told["evaluation.html"]
    assert "86" in told["model_card.md"]


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no evaluation": (lambda folder: (folder / "evaluation.json").unlink(), "evaluation.json cannot be read"),
    "not JSON": (lambda folder: (folder / "evaluation.json").write_text("{"), "not JSON"),
    "NaN": (lambda folder: (folder / "evaluation.json").write_text('{"format": NaN}'), "finite-numbers"),
    "a list": (lambda folder: (folder / "evaluation.json").write_text("[1]"), "not an evaluation"),
    "another format": (lambda folder: (folder / "evaluation.json").write_text('{"format": 99}'), "not an evaluation"),
    "another artefact's": (
        lambda folder: (folder / "evaluation.json").write_text(json.dumps(evaluation())), "another artefact"
    ),
    "a symbolic link": (
        lambda folder: ((folder / "evaluation.json").rename(folder / "x"), (folder / "evaluation.json").symlink_to("x")),
        "symbolic link",
    ),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "manifest.json"),
    "a folder in the way": (lambda folder: (folder / "atrs.md").mkdir(), "not a plain file"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "named"), SPOILT.values(), ids=SPOILT)
def test_unusable_input_is_refused_by_name(
    undrawn: None, tmp_path: Path, spoil: Callable[[Path], Any], named: str
) -> None:
    folder = evaluated(tmp_path)
    spoil(folder)
    with pytest.raises(SetupError, match=named):
        write_documents(folder)
    assert not (folder / LIST).exists()


def test_a_run_that_was_killed_leaves_no_documents(
    undrawn: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = evaluated(tmp_path)
    write_documents(folder)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.files.os.fsync", full)
    with pytest.raises(SetupError, match="No space left"):
        write_documents(folder)
    monkeypatch.undo()
    assert load_current(tmp_path)["stalking-nominal"].documents is None


def test_what_comes_from_an_extract_is_never_markup(undrawn: None, tmp_path: Path) -> None:
    nasty = '<script>alert("x")</script>|[a](javascript:b)'

    def change(measured: dict[str, Any]) -> None:
        measured["worlds"]["published"]["missed_cases"]["offences"][0]["offence"] = nasty
        measured["worlds"]["published"]["missed_cases"]["in_words"][0] = nasty
        measured["fidelity"]["rows"][0]["figure"] = nasty
        measured["notice"] = nasty

    folder = evaluated(tmp_path, change)
    write_documents(folder)
    told = read(folder)
    assert "<script>alert" not in told["evaluation.html"]
    assert "&lt;script&gt;alert" in told["evaluation.html"]
    for name in ("model_card.md", "atrs.md", "algo_care.md"):
        assert "<script>" not in told[name], name
        assert "|[a]" not in told[name], name


def test_the_record_has_every_field_once_and_marks_what_only_a_force_knows(folder: Path) -> None:
    record = json.loads((folder / "atrs.json").read_text())
    assert record["standard_version"] == "3.0"
    assert "to be confirmed by the force" in record["numbers"]
    places = [(field["number"], field["model"]) for field in record["fields"]]
    assert len(set(places)) == len(places)
    expected = {
        "2.1.1", "2.1.2", "2.1.3", *(f"2.1.4.{n}" for n in range(1, 6)), *(f"2.2.{n}" for n in range(1, 6)),
        *(f"2.3.{n}" for n in range(1, 7)), *(f"2.4.1.{n}" for n in range(1, 5)), *(f"2.4.2.{n}" for n in range(1, 10)),
        *(f"2.4.3.{n}" for n in range(1, 11)), *(f"2.4.4.{n}" for n in range(1, 6)), "2.5.1", "2.5.2",
    }  # fmt: skip
    assert {number for number, _ in places if number.startswith("2")} == expected
    for field in record["fields"]:
        assert field["answer"] or field["for_the_force"], field["number"]
        assert field["for_the_force"] is None or field["for_the_force"].startswith(FOR_THE_FORCE)
    owner = [field for field in record["fields"] if field["number"].startswith("2.1.")]
    assert all(field["answer"] is None for field in owner), "nobody is invented"
    text = (folder / "atrs.md").read_text()
    for field in record["fields"]:
        assert f"### {field['number']} {field['name']}" in text
        assert not field["for_the_force"] or f"> **{field['for_the_force']}" in text


def test_every_test_and_address_the_covenant_names_exists() -> None:
    addresses = {f"{method} {route.path}" for route in every_route(bare_app().routes) for method in route.methods or ()}
    principles = texts("covenant")["principle"]
    assert [one["name"] for one in principles] == [
        "Lawful", "Transparent", "Explainable", "Responsible", "Accountable", "Robust"
    ]  # fmt: skip
    for one in principles:
        assert one["tested_in"]
        for name in one["tested_in"]:
            assert (ROOT / name).is_file(), name
            assert "def test_" in (ROOT / name).read_text(), name
        assert set(one["routes"]) <= addresses, set(one["routes"]) - addresses
        assert one["for_the_force"]


def test_the_stack_s_letters_are_those_every_explanation_carries(folder: Path) -> None:
    parts = {part["part"]: part for part in json.loads((folder / "covenant.json").read_text())["parts"]}
    stack = parts["The stack as a whole"]
    assert (stack["explainable"], stack["transparent"]) == (COVENANT["explainable"], COVENANT["transparent"])
    forest = parts["Survival forest"]
    assert (forest["explainable"], forest["transparent"]) == (
        SURVIVAL_COVENANT["explainable"],
        SURVIVAL_COVENANT["transparent"],
    )


def test_algo_care_has_all_eight_letters_in_order(folder: Path) -> None:
    letters = re.findall(r"^## (\w+)$", (folder / "algo_care.md").read_text(), re.MULTILINE)
    assert "".join(letter[0] for letter in letters) == "ALGOCARE"


def test_the_committee_s_words_are_counted_from_the_matrix(folder: Path) -> None:
    matrix = evaluation()["worlds"]["published"]["metrics"]["population_mix"]["confusion"]
    total = sum(map(sum, matrix))
    flagged = 1000 * sum(row[3] for row in matrix) / total
    falsely = 1000 * sum(row[3] for row in matrix[:3]) / total
    missed = 1000 * sum(matrix[3][:3]) / total
    told = read(folder)
    for name in ("model_card.md", "atrs.md", "algo_care.md", "evaluation.html"):
        words = rf"Out of 1,000 people[^.]* {flagged:.0f} [^.]*\. Of those, {falsely:.0f} would [^.]*\. And {missed:.0f} who "
        assert re.search(words, told[name]), name
