import importlib
import sys
from pathlib import Path

import pytest

from training.evaluation import code

ORIGINAL = '"""Doc."""\nfrom training.probe import other\n\n\ndef one() -> int:\n    """Doc."""\n    return 1\n'
SAME = '"""Other doc."""\nfrom training.probe import other\n\ndef one() -> int:\n    # a remark\n    return (1)\n'


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `training.probe` of two modules, one importing the other."""
    folder = tmp_path / "probe"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "main.py").write_text(ORIGINAL)
    (folder / "other.py").write_text("VALUE = 1\n")
    import training

    monkeypatch.setattr(training, "__path__", [*training.__path__, str(tmp_path)])
    yield folder
    for name in [name for name in sys.modules if name.startswith("training.probe")]:
        del sys.modules[name]


def digest(module: str) -> str:
    importlib.invalidate_caches()
    for function in (code.code_digest, code._is_module):
        function.cache_clear()
    return code.code_digest(module)


def test_words_do_not_count_and_code_does(probe: Path) -> None:
    before = digest("training.probe.main")
    (probe / "main.py").write_text(SAME)
    assert digest("training.probe.main") == before
    (probe / "main.py").write_text(SAME.replace("(1)", "2"))
    assert digest("training.probe.main") != before


def test_what_is_imported_counts(probe: Path) -> None:
    before, other = digest("training.probe.main"), digest("training.probe.other")
    (probe / "other.py").write_text("VALUE = 2\n")
    assert digest("training.probe.main") != before
    assert digest("training.probe.other") != other
    (probe / "unrelated.py").write_text("VALUE = 2\n")
    after = digest("training.probe.main")
    (probe / "unrelated.py").write_text("VALUE = 3\n")
    assert digest("training.probe.main") == after


def test_what_of_the_service_computes_counts_and_the_rest_does_not(probe: Path) -> None:
    before = digest("training.probe.other")
    (probe / "other.py").write_text("import app.errors\n\nVALUE = 1\n")
    with_errors = digest("training.probe.other")
    (probe / "other.py").write_text("import app.harm.features\n\nVALUE = 1\n")
    assert len({before, with_errors, digest("training.probe.other")}) == 3
    assert {name for name in code._imports(code._tree("training.evaluation.bench")) if name.startswith("app")} == {
        "app.harm.features",
        "app.harm.harm_index",
        "app.harm.model",
    }


def test_real_modules_have_one() -> None:
    assert digest("training.evaluation.evaluate") != digest("training.metrics")
    with pytest.raises(ModuleNotFoundError):
        digest("training.no_such_module")
