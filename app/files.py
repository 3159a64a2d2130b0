"""Plain files: results are written whole or not at all, and nothing is read or written through a symbolic link."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.errors import SetupError


@contextmanager
def written_whole(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` when the block ends without an error; `private`: for its owner alone.

    Raises SetupError where `path` is something other than a plain file or its folder cannot be written.
    """
    check_target(path)
    half = path.with_name(f".{path.name}.part")
    try:
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        half.unlink(missing_ok=True)


def check_target(path: Path) -> None:
    """Raises SetupError where `path` is something other than a plain file, or a name for one."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise SetupError(f"{path} is not a plain file; choose another name.")


def make_private(path: Path) -> None:
    """An empty file that its owner alone may read, in the place of whatever was there: for writers that take a name.

    Raises OSError.
    """
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def write_private(path: Path, content: bytes) -> None:
    """A file that its owner alone may read, in the place of `path`, durable: a crash leaves the old one or the new one.

    Raises OSError.
    """
    half = path.with_name(f"{path.name}.half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_plain(path: Path, most_bytes: int) -> bytes:
    """The bytes of a plain file. Raises SetupError for a symbolic link, a file above the limit or one that cannot be read."""
    if path.is_symlink():
        raise SetupError(f"{path} is a symbolic link; artefacts are plain files.")
    try:
        if path.stat().st_size > most_bytes:
            raise SetupError(f"{path} is larger than {most_bytes >> 20} MiB: not a file of this product.")
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from None
