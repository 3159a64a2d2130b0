from pathlib import Path

import pytest

from app.artifacts import Manifest
from app.errors import SetupError
from tests import toy_bundle
from tests.toy_bundle import VERSION
from training.harm import artefact


def manifest_of(folder: Path) -> Manifest:
    return Manifest.model_validate_json((folder / "manifest.json").read_bytes())


@pytest.fixture
def manifest() -> Manifest:
    return Manifest.model_validate(toy_bundle.manifest({}))


def test_written_whole_with_nothing_left_beside_it(manifest: Manifest, tmp_path: Path) -> None:
    folder = artefact.target_folder(tmp_path / "out", manifest.family, VERSION)
    artefact.write_artefact(folder, manifest, {"model.onnx": b"1"})
    assert [path.name for path in folder.parent.iterdir()] == [VERSION]
    assert (folder / "model.onnx").read_bytes() == b"1"
    assert manifest_of(folder) == manifest


def test_a_version_is_never_overwritten(manifest: Manifest, tmp_path: Path) -> None:
    folder = artefact.target_folder(tmp_path, manifest.family, VERSION)
    artefact.write_artefact(folder, manifest, {"model.onnx": b"old"})
    with pytest.raises(SetupError, match="never overwritten"):
        artefact.target_folder(tmp_path, manifest.family, VERSION)
    with pytest.raises(SetupError, match="cannot be written"):
        artefact.write_artefact(folder, manifest, {"model.onnx": b"new"})
    assert (folder / "model.onnx").read_bytes() == b"old"
    assert [path.name for path in folder.parent.iterdir()] == [VERSION]


def test_too_large_is_refused_before_writing(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"limit is 25 MiB"):
        artefact.write_artefact(tmp_path / "out" / VERSION, manifest, {"survival.onnx": bytes(26 << 20)})
    assert not (tmp_path / "out").exists()
