"""Writing an artefact folder: whole or not at all, and never over an older one."""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.artifacts import MANIFEST
from app.errors import SetupError
from app.manifest import BaseManifest

MOST_BYTES = 25 << 20
_LIBRARIES = ("numpy", "onnx", "onnxmltools", "onnxruntime", "scikit-learn", "scikit-survival", "torch", "xgboost-cpu")


def target_folder(out: Path, family: str, artefact_version: str) -> Path:
    """Folder of one version. Raises SetupError where it exists: what has been used is never replaced."""
    folder = out / family / artefact_version
    if folder.exists():
        raise SetupError(f"{folder} exists. Artefacts are never overwritten: choose another --version or --out.")
    return folder


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 (hex) of each file."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def manifest_bytes(manifest: BaseManifest) -> bytes:
    """The manifest as it is written: two-space JSON, a line break at the end."""
    return manifest.model_dump_json(indent=2).encode() + b"\n"


def write_artefact(folder: Path, manifest: BaseManifest, files: Mapping[str, bytes]) -> None:
    """Write manifest and files beside the target and rename. Raises SetupError above 25 MiB or where a disk fails."""
    everything = {**files, MANIFEST: manifest_bytes(manifest)}
    size = sum(map(len, everything.values()))
    if size > MOST_BYTES:
        raise SetupError(f"The artefact would be {size / 2**20:.1f} MiB; the limit is {MOST_BYTES >> 20} MiB.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
        try:
            for name, content in everything.items():
                (draft / name).write_bytes(content)
            draft.chmod(0o755)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise SetupError(f"{folder} cannot be written: {error.strerror}.") from None


def library_versions(more: Sequence[str] = ()) -> dict[str, str]:
    """Versions of what the artefact was made with, by distribution; `more` that only some kinds of model need."""
    found = {}
    for name in sorted((*_LIBRARIES, *more)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
