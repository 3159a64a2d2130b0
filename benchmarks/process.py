"""Servers as processes of their own: started, awaited, stopped."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 120


@contextmanager
def serving(command: list[str], environment: Mapping[str, str], ready: str, told: Path) -> Iterator[None]:
    """A server that answers 200 at the address `ready`; what it says goes to the file `told`."""
    with told.open("wb") as log, subprocess.Popen(
        command, env=environment, stdout=log, stderr=log, cwd=told.parent
    ) as process:  # fmt: skip
        try:
            _await(ready, process, told)
            yield
        finally:
            process.terminate()


def _await(ready: str, process: "subprocess.Popen[bytes]", told: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(ready, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    print(told.read_text(errors="replace")[-2000:], file=sys.stderr)
    raise SystemExit(f"{told.stem} did not start.")
