"""The comparison on a small force: two first-stage models, every way to combine them, judged as `fit` judges."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests import patient
from training.evaluation.work import Work
from training.harm.classifier import fit_stack
from training.harm.fit import Data
from training.harm.folds import FOLDS
from training.harm.population import shares
from training.harm.progress import Stages
from training.harm.structure import parse_stack
from training.metrics import confusion, report_metrics, top_against_lowest_auc
from training.zoo.steps import Crew
from training.zoo.zoo import rank_correlation, ranked, zoo

NAMES = ("lr", "xgboost")
SEED = 3
RUN = """
import sys, time
from contextlib import contextmanager
from pathlib import Path
from app.harm.harm_index import load_harm_index
from training.evaluation.work import Work
from training.harm.fit import prepare
from training.harm.progress import Stages
from training.zoo.steps import Crew
from training.zoo.zoo import zoo
work, steps = Path(sys.argv[2]), int(sys.argv[3])

class Endless(Stages):
    @contextmanager
    def stage(self, name, count):
        yield lambda: time.sleep(3600 if len(list(work.glob("[!.]*"))) >= steps + 2 else 0)

if __name__ == "__main__":
    data = prepare(Path(sys.argv[1]), load_harm_index(), 3, Stages())
    zoo(data, Work(work, {}), 3, Crew(2), Endless(), ("lr", "xgboost"))
"""
"""Goes two steps on and no further, so that it is there to be killed however long the killer takes."""
pytestmark = pytest.mark.slow


def compared(data: Data, folder: Path, crew: Crew) -> dict[str, Any]:
    return zoo(data, Work(folder, {}), SEED, crew, Stages(), NAMES)


@pytest.fixture(scope="module")
def section(data: Data, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return compared(data, tmp_path_factory.mktemp("zoo"), Crew(1))


def test_every_combination_is_ranked_beside_the_report(section: dict[str, Any]) -> None:
    names = [row["name"] for row in section["rows"]]
    ways = ("svm", "lr", "rf", "gbm", "xgboost", "nn", "average", "max")
    assert sorted(names) == sorted(f"lr+xgboost:{way}" for way in ways)
    assert [row["rank"] for row in section["rows"]] == list(range(1, 9))
    nets = [row["test_mix"]["net"] for row in section["rows"]]
    assert nets == sorted(nets)
    assert {row["name"] for row in section["singles"]} == set(NAMES)
    assert next(row for row in section["rows"] if row["name"] == "lr+xgboost:rf")["published"]["rank"] == 15


def test_a_row_is_what_fit_would_say_of_the_same_stack(section: dict[str, Any], data: Data) -> None:
    structure = parse_stack("lr+xgboost:svm")
    test = data.sample(data.split.test)
    stack = fit_stack(
        data.sample(data.split.train),
        data.sample(data.split.calibration),
        test_mix=shares(test.groups),
        population_mix=data.mix,
        seed=SEED,
        structure=structure,
    ).stack
    row = next(row for row in section["rows"] if row["name"] == str(structure))
    np.testing.assert_allclose(row["decision_weights"], stack.decision_weights, atol=1e-5)
    expected = report_metrics(confusion(test.groups, stack.predict(test.x)))
    for name in ("adjusted_f1", "top_2_accuracy", "accuracy", "flagged", "max_missed"):
        assert row["test_mix"][name] == pytest.approx(getattr(expected, name), abs=1e-6)
    auc = top_against_lowest_auc(test.groups, stack.probabilities(test.x))
    assert row["auc_top_against_lowest"] == pytest.approx(auc, abs=1e-6)


def test_killed_it_goes_on_and_ends_with_the_same_bytes(
    section: dict[str, Any], data: Data, extract: Path, tmp_path: Path
) -> None:
    """A kill leaves finished steps, no half ones that count, and nothing for the next run to trip over."""
    killed_after(2 * (FOLDS + 1) + 2, extract, tmp_path)
    (tmp_path / ".half.json.part").write_text('{"half')
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("[!.]*")}
    assert json.dumps(compared(data, tmp_path, Crew(1))) == json.dumps(section)
    assert finished.items() <= {path: path.stat().st_mtime_ns for path in tmp_path.glob("[!.]*")}.items()
    assert json.dumps(compared(data, tmp_path, Crew(2))) == json.dumps(section), "with nothing left to do"


def killed_after(steps: int, extract: Path, work: Path) -> None:
    """Run in a process group of its own, kill all of it with SIGKILL when so many steps are kept."""
    command = [sys.executable, "-c", RUN, str(extract), str(work), str(steps)]
    running = subprocess.Popen(command, start_new_session=True)
    assert patient.waited(lambda: len(list(work.glob("[!.]*"))) >= steps or running.poll() is not None, 600)
    os.killpg(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL, "finished, or failed, before it could be killed"


@pytest.fixture
def cluster() -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as here:
        yield here.scheduler_address


def test_a_cluster_finds_the_same(section: dict[str, Any], data: Data, tmp_path: Path, cluster: str) -> None:
    assert json.dumps(compared(data, tmp_path, Crew(1, cluster))) == json.dumps(section)


def test_rank_correlation_is_scipys(section: dict[str, Any]) -> None:
    rows = section["rows"]
    expected = spearmanr([row["test_mix"]["net"] for row in rows], [row["published"]["net"] for row in rows]).statistic
    assert rank_correlation(rows)["net"] == pytest.approx(expected, abs=1e-6)


def test_equal_net_harm_is_ranked_by_name() -> None:
    rows = [{"name": name, "test_mix": {"net": 5.0}} for name in ("rf", "cnn", "lr")]
    assert [row["name"] for row in ranked(rows)] == ["cnn", "lr", "rf"]
