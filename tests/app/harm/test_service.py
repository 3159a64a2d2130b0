"""Golden cases, curves and the number that is explained."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from app.errors import SetupError
from app.harm.curve import curve_csv, curve_svg
from app.harm.explanation import factor_effects
from app.harm.golden import check_golden
from app.harm.model import DAYS, Groups
from app.harm.records import parse_request
from app.harm.service import Scorer, load_scorer
from app.harm.survival import survival_answer
from tests.app.harm.test_explanation import random_request
from tests.requests import example
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


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_without_golden_cases_nothing_shows_that_it_works(tmp_path: Path, content: bytes) -> None:
    write_toy(tmp_path, golden=content)
    with pytest.raises(SetupError, match="golden"):
        check_golden(load_scorer(tmp_path, Path("no imported index")))


@pytest.mark.parametrize(("level", "median"), [(0.5, 100), (0.499, 100), (0.501, None)])
def test_median_is_the_first_day_at_one_half_or_less(level: float, median: int | None) -> None:
    curve = np.where(np.arange(DAYS) < 100, 1.0, level)
    answer = survival_answer(curve)
    assert answer.median_days == median
    assert answer.days[:3] + answer.days[-2:] == [0, 7, 14, 364, 365]
    assert answer.at == {"30": 1.0, "90": 1.0, "180": level, "365": level}
    assert survival_answer(curve, daily=True).days == list(range(DAYS))


def test_picture_and_table_say_what_the_curve_says(toy_scorer: Scorer) -> None:
    scored = toy_scorer.score(parse_request(example()), TODAY)
    curve = survival_answer(np.linspace(1, 0.25, DAYS), daily=True)
    picture = Xml.fromstring(curve_svg(scored.body("id", NOW), curve))
    words = [text for text in picture.itertext() if text]
    assert words[-2] == "25 %", "the value at one year stands beside the end of the line"
    assert words[-1].startswith("Advice, not a decision."), "and whom it learnt from under it"
    assert "25 % after 365 days" in words[1]
    assert "11 March 2020" in " ".join(words)
    line = picture.find("{http://www.w3.org/2000/svg}polyline")
    assert line is not None
    heights = [float(point.split(",")[1]) for point in line.get("points", "").split()]
    assert heights == sorted(heights), "the line never rises"
    table = [row.split(",") for row in curve_csv(curve).split("\r\n")[1:-1]]
    assert [float(value) for _, value in table] == pytest.approx(curve.probability)


def test_the_number_explained_is_the_number_shown(toy_scorer: Scorer) -> None:
    """A batch may round differently from a single row; the explanation must not show two numbers for one score."""
    scored = toy_scorer.score(parse_request(random_request(1)), TODAY)

    class Rounding:
        bundle = scored.model.bundle

        @staticmethod
        def groups(features: np.ndarray) -> Groups:
            plain, population = scored.model.groups(features)
            return Groups(plain, population + (1e-3 if len(features) > 1 else 0))

    effects = factor_effects(Rounding(), scored.features, scored.body("id", NOW).history.rows)  # type: ignore[arg-type]
    assert effects.ends[1, 0] == scored.harm.population_probabilities[3]
    assert effects.contributions[:, 0].sum() == pytest.approx(effects.ends[1, 0] - effects.ends[0, 0], abs=1e-12)
