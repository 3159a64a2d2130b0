import json
from pathlib import Path

import numpy as np
import pytest

from app.errors import SetupError
from training.evaluation.work import Work


def test_a_step_runs_once_and_only_for_its_key(tmp_path: Path) -> None:
    calls: list[int] = []

    def compute() -> dict[str, int]:
        calls.append(1)
        return {"answer": len(calls)}

    work = Work(tmp_path / "new", {"artefact": "a", "seed": 1})
    assert [work.step("metrics", compute) for _ in range(2)] == [{"answer": 1}] * 2
    assert work.step("other", compute) == {"answer": 2}
    assert work.under(world="sober").step("metrics", compute) == {"answer": 3}
    assert work.step("metrics", compute, world="sober") == {"answer": 3}
    assert Work(tmp_path / "new", {"seed": 1, "artefact": "a"}).step("metrics", compute) == {"answer": 1}
    assert Work(tmp_path / "new", {"seed": 2, "artefact": "a"}).step("metrics", compute) == {"answer": 4}


def test_fresh_and_kept_results_are_the_same_values(tmp_path: Path) -> None:
    work = Work(tmp_path, {})
    fresh = work.step("pair", lambda: {"pair": (1, 0.1), "name": "é"})
    assert fresh == {"pair": [1, 0.1], "name": "é"} == work.step("pair", dict)


def test_a_failed_step_keeps_nothing_and_a_broken_file_is_computed_again(tmp_path: Path) -> None:
    work = Work(tmp_path, {})
    with pytest.raises(ValueError, match="JSON compliant"):
        work.step("bad", lambda: {"value": float("nan")})
    assert list(tmp_path.iterdir()) == []
    work.step("good", lambda: {"value": 1})
    (kept,) = tmp_path.iterdir()
    kept.write_text('{"value":')
    assert work.step("good", lambda: {"value": 2}) == {"value": 2}
    assert json.loads(kept.read_text()) == {"value": 2}


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    work = Work(tmp_path, {})
    given = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "names": np.array(["a", "bc"])}
    work.arrays("some", lambda: given)
    found = work.arrays("some", dict)
    assert found.keys() == given.keys()
    for name, value in given.items():
        np.testing.assert_array_equal(found[name], value)
        assert found[name].dtype == value.dtype
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:40])
    assert set(work.arrays("some", lambda: {"y": np.zeros(1)})) == {"y"}


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="--work"):
        Work(tmp_path / "file", {}).step("x", dict)
