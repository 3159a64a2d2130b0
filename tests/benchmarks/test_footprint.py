"""What is read of a process, and when it is said to grow."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.footprint import GROWTH_ALLOWED, Sample, folders, growth, installed, peak, processor_seconds, sample


def run(leak: float, noise: float = 3.0, requests: int = 200_000) -> list[Sample]:
    """A process that fills caches over its first tenth, wavers by `noise` MiB and leaks so many bytes a request."""
    draw = np.random.default_rng(3)
    counts = range(0, requests + 1, 2_000)
    warm = [min(count / (0.1 * requests), 1.0) * 40 for count in counts]
    own = [
        150 + caches + leak * count / 2**20 + noise * draw.random() for caches, count in zip(warm, counts, strict=True)
    ]
    return [Sample(count, one + 50, one, 4, 20) for count, one in zip(counts, own, strict=True)]


@pytest.mark.parametrize("leak", [0.0, -20.0, 10.0])
def test_caches_that_fill_and_an_allocator_that_wavers_are_no_growth(leak: float) -> None:
    assert growth(run(leak)).verdict == "no growth"


@pytest.mark.parametrize("leak", [80.0, 4096.0])
def test_a_small_leak_is_found_and_told_by_the_request(leak: float) -> None:
    found = growth(run(leak))
    assert found.verdict.startswith("grows by ")
    assert found.rate == pytest.approx(leak, abs=12)
    assert found.total > GROWTH_ALLOWED


def test_too_few_samples_say_nothing() -> None:
    with pytest.raises(ValueError, match="three samples"):
        growth([Sample(0, 1, 1, 1, 1), Sample(100, 1, 1, 1, 1), Sample(100, 1, 1, 1, 1)][:2])


GROWING = """
import os, sys, threading
print("begun", flush=True)
sys.stdin.readline()
done = threading.Event()
threading.Thread(target=done.wait).start()
with open(os.devnull):
    held = bytearray(os.urandom(1 << 20)) * 64
    print("grown", flush=True)
    sys.stdin.readline()
done.set()
"""


def test_threads_files_and_memory_of_a_process_are_those_of_the_kernel() -> None:
    """Of a process of its own: nobody knows what else this one is doing."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", GROWING], **pipes) as process:
        process.stdout.readline()
        before = sample(process.pid, 0)
        process.stdin.write("grow\n")
        process.stdin.flush()
        process.stdout.readline()
        after, most, seconds = sample(process.pid, 7), peak(process.pid), processor_seconds(process.pid)
        process.stdin.write("end\n")
    assert (after.requests, after.threads, after.files) == (7, before.threads + 1, before.files + 1)
    assert after.own - before.own > 0.9 * 64
    assert most > 0.99 * after.resident  # the kernel adds up a little late
    assert after.resident > after.own
    assert seconds > 0


def test_what_is_installed_is_summed_by_package() -> None:
    found = installed(Path(sys.executable))
    assert "pip" not in found
    assert found["numpy"] > 10
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_every_version_of_an_artefact_counts(tmp_path: Path) -> None:
    for version, size in (("1", 1 << 20), ("2", 3 << 20)):
        folder = tmp_path / "family" / version
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(b"{}")
        (folder / "graph").write_bytes(bytes(size))
    assert folders(tmp_path) == pytest.approx({"family/1": 1.0, "family/2": 3.0}, abs=1e-4)
