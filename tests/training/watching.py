"""Was a file opened? Seen twice over: by Python's audit hooks, and by the file's own access time.

Libraries that open files in C++ (Arrow does) raise no audit event; processes started meanwhile have no hook. Both move the
access time: it is set before the day of the last change, and every usual mount then notes the next reading.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONG_AGO = 1.0
_watched: dict[str, list[str]] = {}


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _watched:
        for path, seen in _watched.items():
            if str(arguments[0]) == path:
                seen.append("audit hook")


sys.addaudithook(_hook)  # hooks cannot be taken away again: without a watched file it does nothing


@contextmanager
def openings(path: Path) -> Iterator[list[str]]:
    """What saw the file opened while inside; complete once left."""
    seen: list[str] = []
    os.utime(path, (_LONG_AGO, path.stat().st_mtime))
    _watched[str(path)] = seen
    try:
        yield seen
    finally:
        del _watched[str(path)]
        if path.stat().st_atime != _LONG_AGO:
            seen.append("access time")
