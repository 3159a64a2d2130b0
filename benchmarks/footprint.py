"""What a process holds, what is installed, and whether either grows: read, fitted, judged, told."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

SETTLED = 0.1
"""Share of a run after which memory is expected to stay: by then every path has run and every cache has filled."""
GROWTH_ALLOWED = 8.0
"""MiB over a whole run that are put down to the allocator. Over 200,000 requests a leak of 50 bytes a request is above it."""
_MIB = float(1 << 20)
_INSTALLED = """
import json
from importlib.metadata import distributions
sizes = {}
for one in distributions():
    found = [file.locate() for file in one.files or ()]
    sizes[one.metadata["Name"]] = sum(path.stat().st_size for path in found if path.is_file())
print(json.dumps(sizes))
"""
_NO_SERVING = {"pip", "setuptools", "dayzero"}


class Sample(NamedTuple):
    """A process after so many `requests`: MiB resident, MiB of its own (shared libraries out), threads, open files."""

    requests: int
    resident: float
    own: float
    threads: int
    files: int


def sample(pid: int, requests: int) -> Sample:
    """What the kernel says of a process now."""
    told = _status(pid)
    files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Sample(requests, told["VmRSS"] / 1024, told["RssAnon"] / 1024, told["Threads"], files)


def peak(pid: int) -> float:
    """The most it ever had resident, MiB."""
    return _status(pid)["VmHWM"] / 1024


def processor_seconds(pid: int) -> float:
    """Seconds of processor it has used, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: int) -> dict[str, int]:
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1 and words[1].isdecimal()}


class Growth(NamedTuple):
    """A line through what a process had of its own, once `SETTLED`: `rate` bytes a request, `total` MiB from the first sample
    of it to the last."""

    rate: float
    total: float

    @property
    def verdict(self) -> str:
        """In plain words."""
        if self.total > GROWTH_ALLOWED:
            return f"grows by {self.rate:.0f} bytes a request"
        return "no growth"


def growth(samples: Sequence[Sample]) -> Growth:
    """Least squares. Raises ValueError where fewer than three samples lie beyond `SETTLED`."""
    settled = [one for one in samples if one.requests >= SETTLED * samples[-1].requests]
    if len(settled) < 3:
        raise ValueError("fewer than three samples to fit a line to")
    requests = np.array([one.requests for one in settled], dtype=np.float64)
    slope = float(np.polyfit(requests, [one.own for one in settled], 1)[0])
    return Growth(slope * _MIB, slope * (requests[-1] - requests[0]))


def installed(python: Path) -> dict[str, float]:
    """MiB of each distribution that serving needs, as that environment lists its files, largest first."""
    told = subprocess.run([python, "-c", _INSTALLED], capture_output=True, text=True, check=True).stdout
    sizes = {name: size / _MIB for name, size in json.loads(told).items() if name not in _NO_SERVING}
    return dict(sorted(sizes.items(), key=lambda one: -one[1]))


def folders(artifacts: Path) -> dict[str, float]:
    """MiB of each version of each family."""
    versions = sorted(path.parent for path in artifacts.glob("*/*/manifest.json"))
    return {
        "/".join(folder.parts[-2:]): sum(file.stat().st_size for file in folder.iterdir()) / _MIB for folder in versions
    }
