"""`synth --check`: one table over the seeds, kept per seed, and an exit code that says whether it holds."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from app.errors import SetupError
from app.extract.rules import ELIMINATED_ROLE
from app.harm.harm_index import load_harm_index
from training.harm.fit import Data, prepare
from training.harm.progress import Stages
from training.synthetic import check as check_module
from training.synthetic import check_command, fidelity_stack
from training.synthetic.check import Plan, check
from training.synthetic.command import synth
from training.synthetic.fidelity_rows import SHOWN, Row, as_json
from training.synthetic.fidelity_stack import Answers, fit_answers, stack_rows
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.gather import EXTRACT, SH, STACK, gathered
from training.synthetic.sources import code_digest

PLAN = Plan("published", 60, (1, 2), (), (1,))
MADE_WITH = {"generator": "1", "libraries": {"numpy": "2"}, "harm_index": "h"}


def told(measured: float, tolerance: float = 0.1, figure: str = "f") -> dict[str, Any]:
    return {"rows": [as_json(Row(figure, "1", 0.5, tolerance, measured))], "curves": {"c": [measured, 1.0]}}


def table(*measured: float, tolerance: float = 0.1) -> dict[str, Any]:
    parts = {EXTRACT: [told(value, tolerance) for value in measured], STACK: [], SH: []}
    return gathered({"world": "published"}, MADE_WITH, parts)


def test_mean_and_spread_over_the_seeds() -> None:
    (row,) = table(0.40, 0.50, 0.75)["rows"]
    assert row["values"] == [0.40, 0.50, 0.75]
    assert row["mean"] == pytest.approx(0.55)
    assert row["sd"] == pytest.approx(0.180278)
    assert row["holds"] is True
    assert row["measured_with"] == EXTRACT
    assert table(0.5)["rows"][0]["sd"] is None


def test_what_counts_is_the_mean() -> None:
    assert table(0.35, 0.62)["holds"] is True
    assert table(0.35, 0.42)["holds"] is False
    assert table(0.35, 0.42, tolerance=SHOWN)["holds"] is True
    assert table(0.35, tolerance=SHOWN)["rows"][0]["holds"] is None


def test_seeds_with_nobody_to_measure_on_do_not_count() -> None:
    (row,) = table(math.nan, 0.55)["rows"]
    assert row["values"] == [None, 0.55]
    assert row["mean"] == 0.55
    assert row["sd"] is None
    assert table(math.nan)["rows"][0] | {"section": ""} == table(math.nan)["rows"][0] | {"section": "", "mean": None}
    assert table(math.nan)["holds"] is False


def test_curves_have_mean_and_range() -> None:
    curve = table(0.4, 0.8)["curves"]["c"]
    assert curve == {"mean": [0.6, 1.0], "low": [0.4, 1.0], "high": [0.8, 1.0]}


def test_a_killed_check_goes_on_and_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, whole = load_harm_index(), tmp_path / "whole"
    found = check(PLAN, index, whole)
    assert {row["measured_with"] for row in found["rows"]} == {EXTRACT, SH}
    assert all(len(row["values"]) == 2 for row in found["rows"] if row["measured_with"] == EXTRACT)
    assert not list(whole.glob("force-*"))
    invented: list[int] = []

    def counting(nominals: int, seed: int, *rest: Any, **more: Any) -> Any:
        if seed == 2 and 2 not in invented:
            invented.append(seed)
            raise KeyboardInterrupt
        invented.append(seed)
        return generate(nominals, seed, *rest, **more)

    monkeypatch.setattr(check_module, "generate", counting)
    with pytest.raises(KeyboardInterrupt):
        check(PLAN, index, tmp_path / "killed")
    assert not list((tmp_path / "killed").glob("force-*"))
    assert check(PLAN, index, tmp_path / "killed") == found
    assert invented == [1, 2, 2, 1], "the first seed is invented again for the S&H force only"
    json.dumps(found, allow_nan=False)


def test_kept_results_are_for_one_code_and_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, index = replace(PLAN, seeds=(1,), sh_seeds=()), load_harm_index()
    check(plan, index, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    check(replace(plan, nominals=61), index, tmp_path)
    monkeypatch.setattr(check_module, "code_digest", lambda: "another")
    check(plan, index, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    assert len(code_digest()) == 64


def test_a_work_folder_that_cannot_be_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="--work"):
        check(PLAN, load_harm_index(), tmp_path / "file" / "deeper")


def run(tmp_path: Path, *more: str) -> Result:
    fixed = ["--check", "--out", str(tmp_path / "out.json"), "--work", str(tmp_path / "work")]
    return CliRunner().invoke(synth, [*fixed, "--nominals", "60", *more])


def test_exit_code_1_where_a_row_fails_on_its_mean(tmp_path: Path) -> None:
    result = run(tmp_path, "--seeds", "1", "--stack-seeds", "0", "--sh-seeds", "0")
    assert result.exit_code == 1, result.output
    assert "outside their tolerance" in result.output
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["holds"] is False
    assert found["seeds"] == [1]


def test_exit_code_0_where_every_row_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {**table(0.5, 0.52), "nominals": 60, "seeds": [1], "stack_seeds": [], "sh_seeds": []}
    monkeypatch.setattr(check_command, "check", lambda *_, **__: whole)
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    assert "0 outside their tolerance" in " ".join(result.output.split())


@pytest.mark.parametrize("more", [["--population", "sh"], ["--latents", "x"], ["--seeds", "0"]])
def test_check_refuses_what_it_does_not_take(more: list[str], tmp_path: Path) -> None:
    assert run(tmp_path, *more).exit_code == 2
    assert not (tmp_path / "out.json").exists()


def test_check_wants_a_file(tmp_path: Path) -> None:
    (tmp_path / "out.json").mkdir()
    assert isinstance(run(tmp_path).exception, SetupError)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("stack") / "x"
    write(generate(1500, 3), folder, world="published", seed=3, nominals=1500)
    return prepare(folder, load_harm_index(), 3, Stages())


def test_what_a_stack_misses_by_hand(data: Data) -> None:
    """Rows against loops over people, for answers that miss every second of the top group and flag every fifth other."""
    test = data.split.test
    true = data.split.groups[test]
    predicted = np.where(true == 3, np.where(np.arange(len(test)) % 2, 3, 0), np.where(np.arange(len(test)) % 5, 0, 3))
    rows = {row.name: row for row in stack_rows(data, Answers(np.eye(4)[predicted], predicted, 0.7), "published")}
    missed, false, flagged = [], [], 0
    for place, person in enumerate(test):
        harm = data.labelled.future_harm[person]
        flagged += predicted[place] == 3
        if true[place] == 3 and predicted[place] in (0, 1):
            missed.append(harm)
        if true[place] in (0, 1) and predicted[place] == 3:
            false.append(harm)
    assert missed
    assert false
    assert rows["future harm of a missed top-group nominal (4.1)"].measured == pytest.approx(sum(missed) / len(missed))
    assert rows["future harm of a false positive (4.1)"].measured == pytest.approx(sum(false) / len(false))
    assert rows["flagged as top group (6)"].measured == pytest.approx(flagged / len(test))
    assert rows["future harm of a missed top-group nominal (4.1)"].published == pytest.approx(1054.6, abs=0.1)
    assert rows["future harm of a false positive (4.1)"].published == pytest.approx(171.8, abs=0.1)


def test_missed_rapists_by_hand(data: Data) -> None:
    """With everyone a test nominal and everyone missed, against loops over involvements."""
    everyone = data._replace(split=replace(data.split, test=np.arange(len(data.labelled.person))))
    extract, labelled, groups = data.extract, data.labelled, data.split.groups
    place = {int(person): number for number, person in enumerate(labelled.person)}
    rapists = set()
    for row, person in enumerate(extract.person.tolist()):
        incident, nominal = extract.incident[row], place.get(person)
        if nominal is not None and extract.role[row] < ELIMINATED_ROLE and extract.code[incident].startswith("019"):
            after = extract.occurred[incident] - labelled.histories.day_zero[nominal]
            if groups[nominal] == 3 and 0 < after <= 365:
                rapists.add(nominal)
    alone = [nominal for nominal in rapists if labelled.histories.lengths[nominal] == 1]
    assert len(rapists) > 5
    for predicted, expected in ((0, len(alone) / len(rapists)), (1, len(alone) / len(rapists)), (2, math.nan)):
        answers = np.full(len(place), predicted)
        rows = stack_rows(everyone, Answers(np.eye(4)[answers], answers, 0.7), "sober")
        (found,) = [row for row in rows if row.figure.startswith("missed rapists")]
        assert found.measured == pytest.approx(expected, nan_ok=True)


def test_each_world_is_held_to_its_own_figures(data: Data) -> None:
    answers = Answers(np.eye(4)[data.split.groups[data.split.test]], data.split.groups[data.split.test], 0.72)
    held = {
        world: {row.figure for row in stack_rows(data, answers, world) if not math.isnan(row.tolerance)}
        for world in ("published", "sober", "unequal")
    }
    assert held["sober"] - held["unequal"] == {"concordance, published selection"}
    assert "AUC, top group against lowest" in held["published"] - held["sober"]
    concordance = [row for row in stack_rows(data, answers, "sober") if row.section == "5"]
    assert concordance[0].passes
    too_good = [row for row in stack_rows(data, answers, "published") if row.section == "4.1, ours"]
    assert not too_good[0].passes


def test_answers_come_from_the_stack_and_a_forest(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def fit_stack(train: Any, calibration: Any, **more: Any) -> Any:
        seen.update(train=len(train.groups), calibration=len(calibration.groups), **more)
        stack = SimpleNamespace(
            probabilities=lambda x: np.full((len(x), 4), 0.25), predict=lambda x: np.zeros(len(x), dtype=np.int64)
        )
        return SimpleNamespace(stack=stack)

    monkeypatch.setattr(fidelity_stack, "fit_stack", fit_stack)
    answers = fit_answers(data, 3, 1, Stages())
    assert seen["train"] == len(data.split.train)
    assert seen["calibration"] == len(data.split.calibration)
    assert seen["test_mix"].sum() == pytest.approx(1.0)
    assert answers.predicted.shape == data.split.test.shape
    assert 0.4 < answers.concordance <= 1.0
