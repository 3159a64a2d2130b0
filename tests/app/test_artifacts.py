"""Artefacts that must not load, each with a sentence that says what to do."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.artifacts import load_bundle, load_current
from app.errors import SetupError
from app.harm.model import HarmModel
from app.onnx_session import open_session
from tests.app.service_fixtures import Client
from tests.toy_bundle import survival, write_toy


def flip(path: Path, at: int = 100) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def damage(name: str) -> Callable[[Path], None]:
    return lambda folder: flip(folder / name)


def symlink(folder: Path) -> None:
    (folder / "model.onnx").rename(folder.parent / "elsewhere.onnx")
    (folder / "model.onnx").symlink_to(folder.parent / "elsewhere.onnx")


def edit(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        change(manifest)
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return apply


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "flipped bit in the model": (damage("model.onnx"), "model.onnx"),
    "flipped bit in the curve": (damage("survival.onnx"), "survival.onnx"),
    "model cut short": (lambda folder: (folder / "model.onnx").write_bytes(b""), "model.onnx"),
    "model missing": (lambda folder: (folder / "model.onnx").unlink(), "model.onnx"),
    "model a symbolic link": (symlink, "symbolic link"),
    "manifest not JSON": (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json"),
    "manifest binary": (lambda folder: (folder / "manifest.json").write_bytes(b"\xff\x00"), "manifest.json"),
    "manifest a list": (lambda folder: (folder / "manifest.json").write_text("[]"), "manifest.json"),
    "golden cases changed": (lambda folder: (folder / "golden.jsonl").write_text("{}"), "golden.jsonl"),
    "unknown member": (edit(lambda m: m.update(surprise=1)), "surprise"),
    "no cuts": (edit(lambda m: m.pop("cuts")), "cuts"),
    "two cuts": (edit(lambda m: m.update(cuts=[1, 2])), "cuts"),
    "cuts in disorder": (edit(lambda m: m.update(cuts=[3, 2, 1])), "cuts"),
    "a weight of zero": (edit(lambda m: m.update(decision_weights=[1, 1, 1, 0])), "decision_weights"),
    "other features": (edit(lambda m: m.update(features=m["features"][::-1])), "features"),
    "other groups": (edit(lambda m: m.update(groups=["a", "b", "c", "d"])), "groups"),
    "other format": (edit(lambda m: m.update(format=99)), "format"),
    "medians of another shape": (edit(lambda m: m.update(reference_medians=[[0.0]])), "reference_medians"),
    "percentiles cut short": (edit(lambda m: m["population_percentiles"].update(gender=[1])), "population_percentiles"),
    "digest of another kind": (edit(lambda m: m["files"].update({"model.onnx": "abc"})), "files"),
    "no digest for a file": (edit(lambda m: m["files"].pop("survival.onnx")), "survival.onnx"),
}


@pytest.mark.parametrize(("spoil", "named"), BROKEN.values(), ids=BROKEN)
def test_a_broken_artefact_is_refused_by_name(tmp_path: Path, spoil: Callable[[Path], Any], named: str) -> None:
    folder = write_toy(tmp_path)
    load_bundle(folder)
    spoil(folder)
    with pytest.raises(SetupError, match=named):
        load_bundle(folder)


def test_the_newest_version_is_the_greatest_number(tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0", "1.10.0-rc1"):
        write_toy(tmp_path, version=version)
    assert load_current(tmp_path)["stalking-nominal"].manifest.version == "1.10.0"


def test_a_folder_that_names_another_version_is_refused(tmp_path: Path) -> None:
    write_toy(tmp_path, version="2", change=lambda manifest: manifest.update(version="3"))
    with pytest.raises(SetupError, match="another family or version"):
        load_current(tmp_path)


@pytest.mark.parametrize("content", [b"", b"garbage", None], ids=["empty", "garbage", "other outputs"])
def test_a_graph_that_cannot_serve_is_refused(tmp_path: Path, content: bytes | None) -> None:
    folder = write_toy(tmp_path)
    bundle = load_bundle(folder)
    bundle.files["model.onnx"] = survival() if content is None else content
    with pytest.raises(SetupError, match="Export it again"):
        HarmModel(bundle)


def test_a_service_keeps_no_bytes_of_what_it_has_loaded_and_checked(sqlite_service: Client) -> None:
    bundles = sqlite_service.app.state.scorer.bundles.values()
    assert bundles
    assert not any(bundle.files for bundle in bundles)


def test_a_session_does_not_hold_on_to_the_bytes_it_was_made_from() -> None:
    graph = survival()
    held = sys.getrefcount(graph)
    session = open_session(graph, "survival.onnx", {"features": (20, 19)}, ("survival",))
    assert session.get_inputs()
    assert sys.getrefcount(graph) == held
