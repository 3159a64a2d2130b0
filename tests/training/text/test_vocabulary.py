"""What becomes a term: frequent words, pairs and triples that belong together, never a name."""

import json
from collections import Counter
from pathlib import Path

import pytest

from app.text.features import stems
from training.synthetic.logs import writer
from training.text.vocabulary import learn_vocabulary, names_among, read_stop_words

ARTEFACT = Path(__file__).parents[3] / "model_artifacts/noncrime-harm/1"
TEXTS = [
    "There was no weapon seen. The male Tarvin shouted at Belsa, then Tarvin left.",
    "No weapon seen at 12 Marrowgate Road; Belsa and Tarvin were shouting.",
    "He shouts. no weapon seen, said Belsa near Marrowgate, and broke a plate",
    "Broken plates, Belsa was upset. No weapon seen by Tarvin.",
] * 30


def test_terms_are_frequent_words_and_what_goes_with_them() -> None:
    vocabulary = learn_vocabulary(TEXTS, more_than=80)
    assert {"no", "weapon", "shout", "no weapon", "weapon see", "no weapon see"} <= set(vocabulary.terms)
    assert "upset" not in vocabulary.terms, "seen 30 times"
    assert "shout at" not in vocabulary.terms, "a stop word is no part of a pair"


def test_lemmas_join_what_stems_would_keep_apart() -> None:
    texts = ["he broke the plate", "the plate is broken", "breaking plates", "children and a child"] * 40
    vocabulary = learn_vocabulary(texts, more_than=30)
    found = {vocabulary.forms.get(word) for word in ("broken", "breaking")}
    assert found == {"break"}
    assert vocabulary.forms["children"] == vocabulary.forms["child"] == "child"


def test_counts_are_those_of_a_slow_count() -> None:
    vocabulary = learn_vocabulary(TEXTS, more_than=50, most=1000)
    counted: Counter[str] = Counter()
    for text in TEXTS:
        for sentence in stems(text, vocabulary.forms, vocabulary.stop_words):
            for length in (1, 2, 3):
                counted.update(" ".join(sentence[at : at + length]) for at in range(len(sentence) - length + 1))
    assert all(counted[term] > 50 for term in vocabulary.terms)
    assert {word for word in ("no", "weapon", "see", "shout", "plate", "break") if counted[word] > 50} <= set(
        vocabulary.terms
    )


def test_no_more_terms_than_asked_and_words_come_first() -> None:
    some = learn_vocabulary(TEXTS, more_than=20, most=6)
    assert len(some.terms) == 6
    assert all(" " not in term for term in some.terms)


def test_names_are_left_out_however_frequent() -> None:
    assert {"tarvin", "belsa", "marrowgate"} <= names_among(TEXTS)
    assert not {"weapon", "seen", "shouted"} & names_among(TEXTS)
    terms = " ".join(learn_vocabulary(TEXTS, more_than=20).terms)
    for name in ("tarvin", "belsa", "marrowg"):
        assert name not in terms


def test_no_invented_name_or_street_stands_in_the_artefact() -> None:
    """A hundred thousand logs named them half a million times."""
    held = json.loads((ARTEFACT / "vocabulary.json").read_text(encoding="utf-8"))
    words = {part for term in held["terms"] for part in term.split()} | held["forms"].keys()
    names = {(first + last).lower() for first in writer._FIRST for last in writer._LAST}
    ends = ("", "field", "gate", "wood", "combe", "ley")
    places = {(first + last).lower() for first in writer._STREETS for last in ends}
    stemmed = {next(stems(name, {}, frozenset()))[0] for name in names | places}
    assert not words & (names | places | stemmed)
    assert len(names | places) > 400


def test_negations_are_no_stop_words() -> None:
    stop_words = read_stop_words()
    assert (
        not {"no", "nor", "not", "nil", "never", "neither", "nobody", "none", "nothing", "without", "denies"}
        & stop_words
    )
    assert {"the", "and", "was", "her"} <= stop_words
    assert len(stop_words) == pytest.approx(120, abs=25)
