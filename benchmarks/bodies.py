"""Where the bodies are that servers are asked with: a mix of histories as a force has it, and sets of one length each."""

import subprocess
import sys
from pathlib import Path

LENGTHS = (1, 5, 20, 100, 500)
"""Incidents of the sets of one length."""


def prepared(work: Path) -> Path:
    """The folder of bodies below `work`, made first, in a process of its own, where it is not there."""
    if not (work / "models" / "stack.pickle").exists():
        command = [sys.executable, "-m", "benchmarks.prepare", str(work)]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[1])
    return work / "bodies"
