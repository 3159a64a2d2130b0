"""Ratios, tables and the page of results, from loads nobody measured."""

from pathlib import Path

import pytest

from benchmarks.bodies import LENGTHS
from benchmarks.contestants import CONTESTANTS
from benchmarks.report import drawing, publish, tables
from benchmarks.targets import TARGETS, Measured, Target, against_targets, case_of, held
from benchmarks.wrk import Load

SCORED, FLOOR = "Day Zero, no explanation, SQLite", "floor: validated, empty"


def loads(rate: float, p50: float) -> list[Load]:
    """Three rounds round these medians, one of them far off."""
    return [Load(rate * by, p50 * by, 9 * p50, 100) for by in (0.1, 1.0, 1.5)]


@pytest.fixture
def measured() -> Measured:
    return {
        SCORED: {"mix, 1": loads(200, 4.0), "mix, 16": loads(300, 50), "20 incidents": loads(1, 4.0)},
        FLOOR: {"mix, 1": loads(1000, 1.0)},
        "LitServe, our graphs": {"mix, 16": loads(200, 70)},
    }


def test_a_ratio_is_one_of_medians_in_one_run(measured: Measured) -> None:
    row = next(one for one in TARGETS if one.under == (FLOOR, "mix, 1", "p50")).row(measured)
    assert row is not None
    assert row[1:] == ("<= 5 times", "4.0 times", True)


def test_at_least_and_at_most(measured: Measured) -> None:
    over, under = (SCORED, "mix, 16", "rate"), ("LitServe, our graphs", "mix, 16", "rate")
    found = [Target("", over, under, limit, at_most).row(measured) for limit in (1.0, 2.0) for at_most in (True, False)]
    assert [row[2:] for row in found if row] == [("1.5 times", at) for at in (False, True, True, False)]


def test_what_was_not_measured_on_both_sides_has_no_row(measured: Measured) -> None:
    told = against_targets(measured)
    assert told.count("\n") == 4
    assert "BentoML" not in told
    assert "| the same against LitServe, our graphs | >= 2 times | 1.5 times | **no** |" in told


def test_a_figure_without_another_side_is_in_milliseconds() -> None:
    row = Target("factors", ("A", "mix, 1", "p50"), None, 25).row({"A": {"mix, 1": loads(1, 25.04)}})
    assert row == ("factors", "<= 25 ms", "25.0 ms", False)


def test_every_target_is_asked_of_contestants_there_are() -> None:
    names = {one.name for one in CONTESTANTS}
    sides = [side for one in TARGETS for side in (one.over, one.under) if side]
    assert {name for name, _, _ in sides} <= names
    lengths = {one.name for one in CONTESTANTS if one.by_length}
    assert {name for name, case, _ in sides if case.endswith("incidents")} <= lengths


def test_the_tables_have_a_place_for_each_case_and_none_for_what_was_not_asked(measured: Measured) -> None:
    told = tables(measured)
    assert f"| {SCORED} | 200 | 4.00 | 36.0 | 300 | 50.00 | 450.0 |" in told
    assert f"| {FLOOR} | 1,000 | 1.00 | 9.0 |  |  |  |" in told
    assert f"| {SCORED} |  |  | 4.00 |  |  |" in told


def test_the_plot_draws_whoever_was_asked_about_lengths() -> None:
    lengths = {case_of(str(length), 1): loads(1, float(length)) for length in LENGTHS}
    one, two = drawing({SCORED: lengths}), drawing({SCORED: lengths, FLOOR: lengths})
    assert one.startswith("<svg")
    assert two.count("<use") > one.count("<use")


def test_a_page_keeps_all_but_what_stands_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- b: begin -->\nold\n<!-- b: end -->\n<!-- a: begin -->\nkept\n<!-- a: end -->\nbelow\n")
    publish(page, "b", r"new \1 | row |")
    publish(page, "b", r"newer \1 | row |")
    assert page.read_text() == (
        "above\n<!-- b: begin -->\nnewer \\1 | row |\n<!-- b: end -->\n<!-- a: begin -->\nkept\n<!-- a: end -->\nbelow\n"
    )


@pytest.mark.parametrize("text", ["", "<!-- b: begin -->", "<!-- b: end --><!-- b: begin -->", "<!-- b: begin -->" * 2])
def test_a_page_without_its_markers_is_left_alone(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match="b: begin"):
        publish(page, "b", "new")
    assert page.read_text() == text


@pytest.mark.parametrize("name", ["make bench", "make lean"])
def test_the_page_of_results_has_its_markers(name: str, tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_bytes((Path(__file__).parents[2] / "benchmarks" / "README.md").read_bytes())
    publish(page, name, "CANARY")
    assert page.read_text().count("CANARY") == 1


def test_a_table_says_no_where_it_does_not_hold() -> None:
    told = held([("a", "<= 1", "2", False), ("b", "<= 1", "1", True)])
    assert told.splitlines()[2:] == ["| a | <= 1 | 2 | **no** |", "| b | <= 1 | 1 | yes |"]
