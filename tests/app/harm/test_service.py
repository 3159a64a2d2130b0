"""Golden cases, curves and the number that is explained."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import SetupError
from app.harm.explanation import factor_effects
from app.harm.golden import check_golden
from app.harm.model import ROWS_AT_ONCE, Groups
from app.harm.records import parse_request
from app.harm.service import Scorer, load_scorer
from tests.app.harm.test_explanation import random_request
from tests.toy_bundle import classifier, golden_line, survival, write_toy

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def golden(change: Callable[[dict[str, Any]], Any]) -> bytes:
    case = json.loads(golden_line({"model.onnx": classifier(), "survival.onnx": survival(), "golden.jsonl": b""}))
    change(case)
    return json.dumps(case).encode()


def shift(name: str, by: float) -> Callable[[dict[str, Any]], None]:
    def apply(case: dict[str, Any]) -> None:
        case["answer"][name][1] += by

    return apply


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        (lambda case: None, True),
        (shift("probabilities", 5e-7), True),
        (shift("probabilities", 2e-6), False),
        (shift("population_probabilities", -2e-6), False),
        (shift("survival", 2e-6), False),
        (lambda case: case["answer"].update(predicted_group="0-50"), False),
        (lambda case: case["answer"]["survival"].pop(), False),
        (lambda case: case["answer"].pop("survival"), False),
        (lambda case: case["answer"].update(survival="none"), False),
        (lambda case: case["request"].pop("nominal"), False),
        (lambda case: case.pop("request"), False),
    ],
)
def test_golden_cases_hold_to_a_millionth(tmp_path: Path, change: Callable[[dict[str, Any]], Any], fits: bool) -> None:
    write_toy(tmp_path, golden=golden(change))
    scorer = load_scorer(tmp_path, Path("no imported index"))
    if fits:
        check_golden(scorer)
    else:
        with pytest.raises(SetupError, match="golden case 1"):
            check_golden(scorer)


def test_each_golden_case_is_checked_and_the_one_that_differs_is_named(tmp_path: Path) -> None:
    sound, off = golden(lambda case: None), golden(shift("survival", 2e-6))
    write_toy(tmp_path, golden=b"\n".join([sound, sound, off, sound]))
    with pytest.raises(SetupError, match="golden case 3"):
        check_golden(load_scorer(tmp_path, Path("no imported index")))


@pytest.mark.parametrize("wrong_alone", [True, False])
def test_golden_cases_are_checked_alone_and_together(tmp_path: Path, wrong_alone: bool) -> None:
    """A runtime may go another way through a graph for one row than for many; either that differs stops the start."""
    write_toy(tmp_path, golden=b"\n".join([golden(lambda case: None)] * 3))
    scorer = load_scorer(tmp_path, Path("no imported index"))
    model = scorer.models["stalking-nominal"]
    groups = model.groups

    def rounding(features: np.ndarray) -> Groups:
        plain, population = groups(features)
        return Groups(plain, population + (2e-6 if (len(features) <= 2) == wrong_alone else 0))

    model.groups = rounding  # type: ignore[method-assign]
    with pytest.raises(SetupError, match="golden case 1"):
        check_golden(scorer)


def test_curves_in_blocks_are_curves_one_by_one(toy_scorer: Scorer) -> None:
    model = toy_scorer.models["stalking-nominal"]
    x = np.random.default_rng(2).random((2 * ROWS_AT_ONCE + 3, 20, 19)).astype(np.float32)
    assert [len(block) for block in model.curves(x)] == [ROWS_AT_ONCE, ROWS_AT_ONCE, 3]
    alone = np.concatenate([model.survival(x[row : row + 1]) for row in range(len(x))])
    assert np.abs(model.survival(x) - alone).max() <= 1e-7
    assert model.survival(x[:0]).shape == (0, 366)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_without_golden_cases_nothing_shows_that_it_works(tmp_path: Path, content: bytes) -> None:
    write_toy(tmp_path, golden=content)
    with pytest.raises(SetupError, match="golden"):
        check_golden(load_scorer(tmp_path, Path("no imported index")))


def test_the_number_explained_is_the_number_shown(toy_scorer: Scorer) -> None:
    """A batch may round differently from a single row; the explanation must not show two numbers for one score."""
    scored = toy_scorer.score(parse_request(random_request(1)), TODAY)

    class Rounding:
        bundle = scored.model.bundle
        decide = staticmethod(scored.model.decide)

        @staticmethod
        def groups(features: np.ndarray) -> Groups:
            plain, population = scored.model.groups(features)
            return Groups(plain, population + (1e-3 if len(features) > 1 else 0))

    effects = factor_effects(Rounding(), scored.features, scored.body("id", NOW).history.rows)  # type: ignore[arg-type]
    assert effects.ends[1, 0] == scored.harm.population_probabilities[3]
    assert effects.contributions[:, 0].sum() == pytest.approx(effects.ends[1, 0] - effects.ends[0, 0], abs=1e-12)


def test_base_rates_are_the_rows_of_the_measured_population(toy_scorer: Scorer, tmp_path: Path) -> None:
    shown = toy_scorer.score(parse_request(random_request(1)), TODAY).harm
    assert shown.base_rates == pytest.approx([0.75, 0.15, 0.05, 0.05]), (
        "of the toy's confusion matrix, which adds up to 1,000"
    )
    write_toy(tmp_path, change=lambda manifest: manifest["metrics"].pop("population_mix"))
    unmeasured = load_scorer(tmp_path, Path("no imported index"))
    assert unmeasured.score(parse_request(random_request(1)), TODAY).harm.base_rates is None
