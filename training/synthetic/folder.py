"""Putting a synthetic force on disk: all or nothing, and never over anything but an earlier one."""

import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from app.errors import SetupError
from app.extract.load import MARKER
from training.synthetic.force import Force
from training.synthetic.logs.table import LOGS
from training.synthetic.tables import TABLES, write_tables
from training.synthetic.world import VERSION

_NAMES = {MARKER, *(f"{name}.parquet" for name in (*TABLES, LOGS))}
_MARKER_TEXT = """synthetic people: world {world}{noise}, generator {version}, seed {seed}, {nominals} labelled nominals

Everyone in this folder is invented by the generator of Day Zero; nobody in it exists. What learns from it has learnt
nothing about real people and must be trained again on a force's own extract before use.
"""


def check_out(out: Path, latents: Path | None = None) -> None:
    """Raise SetupError if `out` holds anything but an earlier synthetic extract, or `latents` would lie inside it."""
    if latents is not None and latents.resolve().is_relative_to(out.resolve()):
        raise SetupError("The latents must not lie inside the extract's folder: training would find them there.")
    if not out.exists():
        return
    if not out.is_dir():
        raise SetupError("The place for the extract is a file. Name a new or empty folder.")
    held = {path.name for path in out.iterdir()}
    if held and not (MARKER in held and held <= _NAMES):
        raise SetupError("The folder for the extract holds other things. Name a new or empty one.")


def write(
    force: Force,
    out: Path,
    *,
    world: str,
    seed: int,
    nominals: int,
    noise: float | None = None,
    latents: Path | None = None,
    logs: pa.Table | None = None,
) -> None:
    """Write the five tables, `logs` if any, and the marker of invented people into `out`, replacing an earlier such extract.

    `noise` is named in the marker where it is not the world's own. Everything goes into a folder beside `out` that then
    takes its name, so that a broken run leaves no half extract.
    """
    check_out(out, latents)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            new.chmod(0o755)
            write_tables(force.tables if logs is None else {**force.tables, LOGS: logs}, new)
            told = "" if noise is None else f" with noise {noise:g}"
            text = _MARKER_TEXT.format(world=world, noise=told, version=VERSION, seed=seed, nominals=nominals)
            (new / MARKER).write_text(text, encoding="utf-8")
            if latents is not None:
                latents.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(force.latents, latents, compression="zstd")
            _take_place(new, out)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise SetupError(f"The extract cannot be written ({error.strerror}). Check the folder and the disk.") from None


def _take_place(new: Path, out: Path) -> None:
    """Move `new` to `out`; an earlier extract is moved aside first and deleted last."""
    if not out.exists():
        new.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
    out.rename(old / out.name)
    new.rename(out)
    shutil.rmtree(old)
