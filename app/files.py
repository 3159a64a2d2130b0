"""Writing a result a person asked for: whole or not at all, and never over something that is not a plain file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.errors import SetupError


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` when the block ends without an error.

    Raises SetupError where `path` is something other than a plain file or its folder cannot be written.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise SetupError(f"{path} is not a plain file; choose another name.")
    half = path.with_name(f".{path.name}.part")
    try:
        with half.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        half.unlink(missing_ok=True)
