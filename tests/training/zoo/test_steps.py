"""Kept steps: done once, by whoever is at hand, and found again by the next run."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from app.errors import SetupError
from training.evaluation.work import Work
from training.zoo.steps import Crew, kept_arrays, kept_objects

NOBODY = "tcp://127.0.0.1:9"


def squares(number: int, log: Path) -> dict[str, np.ndarray]:
    (log / f"{number}-{os.getpid()}").touch()
    return {"square": np.arange(number) ** 2}


def threads() -> dict[str, int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return {"torch": torch.get_num_threads(), "most": max(pool["num_threads"] for pool in threadpool_info())}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


def test_only_what_is_missing_is_done(tmp_path: Path, log: Path) -> None:
    work, ticks = Work(tmp_path / "work", {"seed": 1}), []
    tasks = {f"step-{number}": partial(squares, number, log) for number in range(4)}
    kept_arrays(work, {name: tasks[name] for name in ("step-2", "step-0")}, Crew(), lambda: ticks.append(1))
    found = kept_arrays(work, tasks, Crew(), lambda: ticks.append(1))
    assert list(found) == list(tasks)
    assert found["step-3"]["square"].tolist() == [0, 1, 4]
    assert sorted(path.name.split("-")[0] for path in log.iterdir()) == ["0", "1", "2", "3"]
    assert len(ticks) == 2 + 4


def test_a_step_that_fails_leaves_what_was_done_before_it(tmp_path: Path, log: Path) -> None:
    work = Work(tmp_path / "work", {})
    tasks = {"one": partial(squares, 1, log), "bad": partial(squares, -1, log / "nowhere")}
    with pytest.raises(FileNotFoundError):
        kept_arrays(work, tasks, Crew(), lambda: None)
    tasks["bad"] = partial(squares, 2, log)
    assert kept_arrays(work, tasks, Crew(), lambda: None)["bad"]["square"].tolist() == [0, 1]
    assert len(list(log.iterdir())) == 2


def test_every_step_has_one_thread(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = kept_objects(Work(tmp_path, {}), {"threads": threads}, Crew(), lambda: None)
        assert found["threads"] == {"torch": 1, "most": 1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("address", [NOBODY, "nonsense", "http://127.0.0.1:9", "tcp://"])
def test_no_scheduler_there_is_one_line(
    tmp_path: Path, log: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.zoo.steps._SECONDS", 1)
    with pytest.raises(SetupError, match="--scheduler") as refused:
        kept_arrays(Work(tmp_path, {}), {"one": partial(squares, 1, log)}, Crew(1, address), lambda: None)
    assert "\n" not in str(refused.value)


@pytest.fixture
def cluster() -> Iterator[str]:
    """A real scheduler with two worker processes of one thread each, on this machine only."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as here:
        yield here.scheduler_address


@pytest.mark.slow
def test_a_cluster_does_the_steps_elsewhere_to_the_same_result(tmp_path: Path, log: Path, cluster: str) -> None:
    tasks = {f"step-{number}": partial(squares, number, log) for number in range(6)}
    there = kept_arrays(Work(tmp_path / "there", {}), tasks, Crew(1, cluster), lambda: None)
    assert str(os.getpid()) not in {path.name.split("-")[1] for path in log.iterdir()}
    here = kept_arrays(Work(tmp_path / "here", {}), tasks, Crew(), lambda: None)
    assert all(np.array_equal(there[name]["square"], here[name]["square"]) for name in tasks)
