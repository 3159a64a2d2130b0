"""Texts read by the toy model: chances, terms that mattered, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.artifacts import load_bundle, of_kind
from app.errors import SetupError
from app.harm.service import load_scorer
from app.text.explanation import SHOWN, terms_that_mattered
from app.text.manifest import FAMILY, SCORES, TextManifest
from app.text.model import TextModel
from app.text.service import EXPLAINED, LogReader
from tests import toy_text

TEXT = "He shouted, then he punched and threatened with a knife. She left. No argument before."


@pytest.fixture(scope="module")
def model() -> TextModel:
    return toy_text.toy_model()


def expected(counts: np.ndarray) -> np.ndarray:
    """The toy's arithmetic, written out."""
    places = np.linspace(-2, 2, 5)
    logits = (counts @ toy_text.WEIGHTS)[:, None] * places - places**2 / 2
    chances = np.exp(logits)
    return chances / chances.sum(axis=1, keepdims=True)


def test_probabilities_are_the_graphs(model: TextModel) -> None:
    counts = model.counts([TEXT, "calm", "no knife seen"])
    np.testing.assert_allclose(model.probabilities(counts), expected(counts), atol=1e-6)
    (read,) = LogReader(model).read([TEXT])
    assert read is not None
    assert read.score == SCORES[int(np.argmax(read.probabilities))] == 10
    assert sum(read.probabilities) == pytest.approx(1, abs=1e-12)


def test_effects_are_those_of_the_text_without_the_word(model: TextModel) -> None:
    """Left out of the text itself, each word of one: an independent way to the same numbers."""
    words = {"shout": "shouted", "punch": "punched", "threaten": "threatened", "left": "left", "argument": "argument"}
    harm = lambda text: float((expected(model.counts([text])) @ SCORES)[0])  # noqa: E731
    found = dict(terms_that_mattered(model, model.counts([TEXT])))
    assert len(found) == SHOWN
    checked = [term for term in found if term in words]
    assert len(checked) >= 3
    for term in checked:
        assert found[term] == pytest.approx(harm(TEXT) - harm(TEXT.replace(words[term], "")), abs=1e-5), term
    assert list(found.values()) == sorted(found.values(), key=lambda effect: -abs(effect))


def test_the_last_texts_are_explained_and_unknown_ones_not_read(model: TextModel) -> None:
    read = LogReader(model).read(["punch"] * (EXPLAINED + 3) + ["qwerty"])
    assert [one is not None and one.terms is not None for one in read] == [False] * 4 + [True] * (EXPLAINED - 1) + [
        False
    ]
    assert read[-1] is None
    assert LogReader(model).read([]) == []


def test_many_texts_are_read_as_one_by_one(model: TextModel) -> None:
    texts = [TEXT, "calm argument", "no punch, no knife seen", "left"]
    alone = [LogReader(model).read([text])[0] for text in texts]
    assert LogReader(model).read(texts) == alone


def test_the_bundle_is_loaded_checked_and_served_with_the_others(toy_artifacts: Path) -> None:
    scorer = load_scorer(toy_artifacts, Path("no imported index"))
    assert list(of_kind(scorer.bundles, TextManifest)) == [FAMILY]
    assert list(scorer.models) == ["stalking-nominal"]
    assert scorer.index.reader is not None
    assert list(scorer.texts) == [FAMILY]
    scorer.texts[FAMILY].check_golden()


WRONG = {
    "another format": ({"format": 3}, "format"),
    "other scores": ({"scores": [1, 2, 3]}, "scores"),
    "another number of terms": ({"terms": 7}, "vocabulary.json"),
    "an unknown kind": ({"kind": "music"}, "kind"),
    "kind of another": ({"kind": "harm"}, "features"),
    "a member nobody knows": ({"mood": "CANARY"}, "mood"),
}


@pytest.mark.parametrize(("changed", "said"), WRONG.values(), ids=WRONG)
def test_a_bundle_that_does_not_fit_is_refused(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    folder = toy_text.write_toy_text(tmp_path, **changed)
    with pytest.raises(SetupError, match=said) as refused:
        TextModel(load_bundle(folder))
    assert "CANARY" not in refused.value.detail


@pytest.mark.parametrize("name", ["model.onnx", "vocabulary.json", "golden.jsonl"])
def test_a_changed_file_is_found(tmp_path: Path, name: str) -> None:
    folder = toy_text.write_toy_text(tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(SetupError, match=name):
        load_bundle(folder)


@pytest.mark.parametrize(
    "golden", [b"", b'{"text": "punch", "probabilities": [0.2, 0.2, 0.2, 0.2, 0.2]}', b'{"text": 3}', b"[]"]
)
def test_golden_cases_that_differ_or_are_missing_stop_scoring(tmp_path: Path, golden: bytes) -> None:
    model = TextModel(load_bundle(toy_text.write_toy_text(tmp_path, golden=golden)))
    with pytest.raises(SetupError, match="golden"):
        model.check_golden()


def test_a_vocabulary_that_is_no_json_is_refused(tmp_path: Path) -> None:
    bundle = load_bundle(toy_text.write_toy_text(tmp_path))
    for content in (b"not json", json.dumps({"terms": 1}).encode()):
        bundle.files["vocabulary.json"] = content
        with pytest.raises(SetupError, match=r"vocabulary\.json"):
            TextModel(bundle)
