"""The chapter on groups not ruled out: its figures are those measured, and an unmeasured one is said to be."""

from pathlib import Path

from tests.training.documents.artefact import evaluated, without
from training.documents.blocks import Table, Words
from training.documents.chapters.conformal import chapter
from training.documents.facts import read_facts


def test_figures_of_the_chapter_are_those_measured(tmp_path: Path) -> None:
    facts = read_facts(evaluated(tmp_path))
    found = facts.here.under("conformal")
    table, words = chapter(facts).blocks
    assert isinstance(table, Table)
    assert isinstance(words, Words)
    (top,) = [line for line in table.lines if line[0].shown == "90-100"]
    assert [cell.order for cell in top[1:]] == [
        *(found.at(f"coverage.90-100.{key}") for key in ("mean", "low", "high")),
        found.at("artefact.coverage.90-100"),
    ]
    (told,) = words.lines
    assert "is within 1.0 % of the promise" in told
    assert "2.808 of 4 groups" in told
    assert "14.1 % of them just one, 0.0 % none" in told
    assert "0.9 % of these ordinary people" in told


def test_a_promise_that_was_not_kept_is_said(tmp_path: Path) -> None:
    facts = read_facts(
        evaluated(tmp_path, lambda found: found["worlds"]["published"]["conformal"].update(within=False))
    )
    assert isinstance(words := chapter(facts).blocks[-1], Words)
    assert "is NOT within" in words.lines[0]


def test_without_the_section_the_chapter_is_empty(tmp_path: Path) -> None:
    assert chapter(read_facts(evaluated(tmp_path, without("worlds.published.conformal")))).blocks == []
