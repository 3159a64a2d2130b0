"""What an answer says of the set of groups."""

import json
from datetime import date
from pathlib import Path

import pytest

from app.artifacts import GROUPS
from app.harm.conformal import conformal_answer
from app.harm.records import parse_request
from app.harm.robustness import Conformal
from app.harm.service import load_scorer
from tests.app.harm.test_explanation import random_request
from tests.toy_bundle import as_format_1, robustness, write_toy

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("seed", range(10))
def test_the_predicted_group_is_in_the_set_of_every_answer(tmp_path: Path, seed: int) -> None:
    write_toy(tmp_path)
    harm = load_scorer(tmp_path, Path("none")).score(parse_request(random_request(seed)), TODAY).harm
    assert harm.conformal_set is not None
    assert harm.conformal is not None
    assert harm.predicted_group in harm.conformal_set
    assert harm.conformal_set == [group for group in GROUPS if group in harm.conformal_set]
    assert (harm.conformal.level, harm.conformal.mean_size) == (0.9, 2.75)


def test_an_artefact_of_format_1_says_nothing_of_sets(tmp_path: Path) -> None:
    write_toy(tmp_path, change=as_format_1)
    harm = load_scorer(tmp_path, Path("none")).score(parse_request(random_request(1)), TODAY).harm
    assert (harm.conformal_set, harm.conformal) == (None, None)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (["0-50"], "not ruled out: 0-50."),
        (["0-50", "50-80", "90-100"], "not ruled out: 0-50, 50-80 and 90-100."),
        (list(GROUPS), "none of the four groups is ruled out."),
    ],
)
def test_words_and_numbers_of_a_set_agree(groups: list[str], said: str) -> None:
    told = Conformal.model_validate_json(json.dumps(robustness()["conformal"]))
    answer = conformal_answer(told, groups)
    assert answer.text.startswith(f"By this record {said}")
    assert "about 90 in 100" in answer.text
    assert "Lists name 2.8 of 4 groups on average" in answer.text
