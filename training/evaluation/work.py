"""Results of long steps, kept so that a run that was killed goes on where it was.

A kept result is found by what it follows from (its key: artefact, extract, seed, code, libraries), never by when it was
made. What is computed anew for the same key is the same, so a result may be thrown away at any time. `jobs` is not part
of a key: how many ran at once must not change a number.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from app.errors import SetupError
from app.files import written_whole

Json = dict[str, Any]
Result = TypeVar("Result", bound=Json | list[Any])
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Work:
    """Kept steps of one piece of work: `folder` where they lie, `key` what all of them follow from (plain values)."""

    folder: Path
    key: Mapping[str, Any]

    def under(self, **more: Any) -> "Work":
        """The same folder with a longer key: whatever else the steps inside follow from."""
        return replace(self, key={**self.key, **more})

    def step(self, name: str, compute: Callable[[], Result], **more: Any) -> Result:
        """The kept JSON value of this name and key (`more` joins it), or what `compute` returns, kept from now on.

        A fresh result is read back from its own JSON, so that a run that goes on and one that starts anew see the same
        values. `name` letters, digits, hyphens. Raises SetupError where the folder cannot be written.
        """
        path = self._path(name, ".json", more)
        found: Result | None = _kept(path, _read_json)
        if found is not None:
            return found
        text = json.dumps(compute(), allow_nan=False, ensure_ascii=False)
        with self._writing(path) as file:
            file.write(text.encode())
        fresh: Result = json.loads(text)
        return fresh

    def arrays(self, name: str, compute: Callable[[], Arrays], **more: Any) -> Arrays:
        """As `step`, for named arrays of numbers (NumPy's own format, never pickled)."""
        path = self._path(name, ".npz", more)
        found: Arrays | None = _kept(path, _read_arrays)
        if found is None:
            found = compute()
            with self._writing(path) as file:
                np.savez(file, **dict[str, Any](found))
        return found

    def place(self, name: str, **more: Any) -> Path:
        """Where a step that keeps its own folder or file puts it; the path is new for every key."""
        return self._path(name, "", more)

    def _path(self, name: str, suffix: str, more: Mapping[str, Any]) -> Path:
        key = json.dumps({**self.key, **more}, sort_keys=True, allow_nan=False).encode()
        return self.folder / f"{name}-{hashlib.sha256(key).hexdigest()[:16]}{suffix}"

    @contextmanager
    def _writing(self, path: Path) -> Iterator[BinaryIO]:
        """Write beside the place and take it in one move, so that a kill leaves no half result."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"{path.parent} cannot be made: {error.strerror}. Name another --work folder.") from None
        with written_whole(path) as file:
            yield file


def _kept(path: Path, read: Callable[[Path], Any]) -> Any:
    """What was kept, or None where there is nothing or nothing readable (a broken disk: compute again)."""
    try:
        return read(path) if path.is_file() else None
    except (OSError, ValueError, EOFError, BadZipFile):
        return None


def _read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _read_arrays(path: Path) -> Arrays:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}
