"""A digest of the code that a synthetic force and what is measured on it follow from."""

import hashlib
from pathlib import Path

import app
import training

_FOLDERS = ("app/harm", "training", "training/harm", "training/synthetic")
_TELLING = ("command.py", "check_command.py", "fidelity_page.py", "fidelity_plots.py", "plots.py", "run.py")
"""Files that start or tell what was measured, and do not change it."""


def code_digest() -> str:
    """SHA-256 (hex) over the source files, tables included, whose change can change a measured figure."""
    roots = {"app": Path(app.__path__[0]).parent, "training": Path(training.__path__[0]).parent}
    digest = hashlib.sha256()
    for folder in _FOLDERS:
        root = roots[folder.split("/")[0]]
        for path in sorted((root / folder).iterdir()):
            if path.suffix in (".py", ".csv") and path.name not in _TELLING:
                digest.update(f"{folder}/{path.name}".encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
