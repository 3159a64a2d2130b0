"""Documents beside the toy bundle: small enough to read, listed and digested like real ones."""

import base64
import hashlib
import json
from pathlib import Path

from app.documents import ATRS, COVENANT, EVALUATION, FORMAT, LIST, MEDIA, PAGE

STYLE, SCRIPT = "p{margin:0}", "document.title+='!'"


def policy_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def write_documents(folder: Path, **instead: str) -> Path:
    """Write every document and their list; `instead` gives other bytes for a name with `_` for `.`."""
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    principle: dict[str, object] = {"name": "Lawful", "meaning": "m"}
    principle |= {name: [name] for name in ("implemented_by", "tested_in", "measured", "for_the_force")}
    covenant = {
        "notice": "Measured on nobody.",
        "manifest_sha256": digest,
        "principles": [principle],
        "parts": [{"part": "toy", "explainable": "A", "transparent": "M", "reason": "two matrices"}],
    }
    texts = {name: f"# {name} of the toy\n" for name in MEDIA} | {
        EVALUATION: json.dumps({"notice": "Measured on nobody.", "worlds": {}}),
        ATRS: json.dumps({"standard": "ATRS", "fields": []}),
        COVENANT: json.dumps(covenant),
        PAGE: f"<!doctype html><title>toy</title><style>{STYLE}</style><p>toy</p><script>{SCRIPT}</script>",
    }
    texts |= {name.replace("__", "."): text for name, text in instead.items()}
    for name, text in texts.items():
        (folder / name).write_text(text)
    listed = {
        "format": FORMAT,
        "manifest_sha256": digest,
        "files": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
        "style": policy_hash(STYLE),
        "script": policy_hash(SCRIPT),
    }
    (folder / LIST).write_text(json.dumps(listed))
    return folder
