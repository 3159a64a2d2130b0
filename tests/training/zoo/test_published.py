"""The transcribed table is the report's: complete, consistent in itself, and right where the report's text repeats it."""

import pytest

from training.families import STALKING_NOMINAL
from training.harm.structure import ALL, FIRST, PUBLISHED
from training.zoo.published import published


def combined() -> dict[str, dict[str, float]]:
    return {name: row for name, row in published().items() if "rank" in row}


def test_every_combination_has_its_row_and_every_rank_one_owner() -> None:
    assert set(combined()) == {str(structure) for structure in ALL}
    assert sorted(row["rank"] for row in combined().values()) == list(range(1, 169))
    assert set(published()) - set(combined()) == set(FIRST)


def test_net_harm_is_missed_less_positive_and_gives_the_order() -> None:
    for name, row in published().items():
        assert row["net"] == pytest.approx(row["missed"] - row["positive"]), name
    nets = [row["net"] for row in combined().values()]
    assert nets == sorted(nets)


def test_the_chosen_stack_is_the_one_of_section_4() -> None:
    row, metrics, harm = published()[str(PUBLISHED)], STALKING_NOMINAL.published, STALKING_NOMINAL.harm
    assert row["rank"] == 13
    assert {name: row[name] for name in harm} == harm
    shared = set(metrics) & set(row)
    assert {"adjusted_f1", "max_correct", "max_false", "max_missed", "hamming_loss"} == shared
    assert {name: row[name] for name in shared} == {name: metrics[name] for name in shared}


def test_values_are_where_they_can_be() -> None:
    for name, row in published().items():
        assert 0.4 < row["hamming_loss"] < 0.6, name
        assert 0.3 < row["adjusted_f1"] < 0.7, name
        assert row["max_correct"] + row["max_missed"] <= 283, name
        assert 0 < row["max_false"] <= 1593, name
