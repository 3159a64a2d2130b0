"""Worker processes: started once, and none of what was cut short is left to the next run."""

import operator
import os
from functools import partial

import pytest

from training.harm import parallel
from training.harm.parallel import run


def test_the_next_run_finds_the_workers_of_the_last() -> None:
    seen = {pid for _ in range(2) for pid in run([os.getpid] * 4, jobs=2)}
    assert seen <= parallel._workers[2]._processes.keys()
    assert os.getpid() not in seen


def test_a_task_that_fails_ends_the_run_and_not_the_next() -> None:
    heard: list[int] = []
    tasks = [partial(operator.truediv, 1, number) for number in (1, 0, *range(2, 40))]
    with pytest.raises(ZeroDivisionError):
        run(tasks, jobs=2, found=lambda number, _: heard.append(number))
    assert 1 not in heard
    assert 2 not in parallel._workers
    assert run([partial(operator.add, 1, number) for number in range(5)], jobs=2) == [1, 2, 3, 4, 5]


def test_results_are_in_order_however_many_work() -> None:
    tasks = [partial(pow, 3, number) for number in range(12)]
    told: list[tuple[int, int]] = []
    for jobs in (1, 3):
        assert run(tasks, jobs=jobs, found=lambda *pair: told.append(pair)) == [3**number for number in range(12)]
    assert sorted(told) == sorted([(number, 3**number) for number in range(12)] * 2)
