"""Words, stems and terms: the same for whoever asks, whatever is sent."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.text.features import LONGEST_TERM, TermCounter, Vocabulary, sentences, stems
from tests import toy_text

TOY = Vocabulary.model_validate(toy_text.vocabulary())

WORDS = {
    "No weapon seen.": [["no", "weapon", "seen"], []],
    "He didn't. She DID!": [["he", "didnt"], ["she", "did"], []],
    "w/o injury, o/a nil trace; s/t M": [["w/o", "injury", "o/a", "nil", "trace"], ["s/t", "m"]],
    "hers/his": [["hers", "his"]],
    "at 1205hrs on 01/02/2020 rang 07700 900123 3x": [["at", "on", "rang"]],
    "pun\u200bched \u00adher": [["punched", "her"]],
    "\uff28\uff49\uff54 her": [["hit", "her"]],
    "line one\nline two": [["line", "one"], ["line", "two"]],
    "قال 😢 Ωmega": [["mega"]],
}


@pytest.mark.parametrize(("text", "words"), WORDS.items())
def test_words_of_a_text(text: str, words: list[list[str]]) -> None:
    assert list(sentences(text)) == words


def test_stems_come_from_the_forms_first() -> None:
    found = list(stems("Threatened with knives, threatening", TOY.forms, TOY.stop_words))
    assert found == [["threaten", "knife", "threaten"]]
    assert list(stems("knives", {}, TOY.stop_words)) == [["knive"]], "the stem alone is another word"


def test_a_negation_is_a_term_of_its_own_and_never_reaches_over_a_full_stop() -> None:
    counter = TermCounter(TOY)
    named = lambda text: {TOY.terms[column] for column in counter.counts(text)}  # noqa: E731
    assert named("No punch") == {"no", "punch", "no punch"}
    assert named("Said no. Punch followed.") == {"no", "punch"}
    assert named("no 12 punch") == {"no", "punch", "no punch"}, "a number says nothing, also not that words stand apart"


def brute_force(text: str) -> dict[int, int]:
    """Every run of stems, written out and looked for one by one."""
    found: dict[int, int] = {}
    for column, term in enumerate(TOY.terms):
        for sentence in stems(text, TOY.forms, TOY.stop_words):
            padded = " " + "  ".join(sentence) + " "
            count = len(re.findall(f"(?={re.escape(' ' + term.replace(' ', '  ') + ' ')})", padded))
            found[column] = found.get(column, 0) + count
    return {column: count for column, count in found.items() if count}


WORD_BY_WORD = ("no", "punch", "knife", "knives", "seen", "calm", "he", "was", ".", "12", "shouted", "\n", "no punch")
pieces = st.sampled_from([*WORD_BY_WORD, "no knife seen"])


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces, max_size=25).map(" ".join))
def test_counts_are_those_of_a_slow_reader(text: str) -> None:
    assert TermCounter(TOY).counts(text) == brute_force(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_counted(text: str) -> None:
    counts = TermCounter(TOY).counts(text)
    assert all(0 <= column < len(TOY.terms) and count > 0 for column, count in counts.items())


def test_readers_side_by_side_do_not_mix_their_words() -> None:
    texts = [f"{word} punching threatening shouting {word}s arguments" for word in ("knives", "calmly", "left")] * 60
    counter = TermCounter(TOY)
    alone = [counter.counts(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(counter.counts, texts)) == alone


@pytest.mark.parametrize(
    "wrong", [{"terms": ["no", "no"]}, {"terms": []}, {"terms": ["a b c d"]}, {"terms": ["No"]}, {"forms": {"a1": "b"}}]
)
def test_a_vocabulary_of_another_shape_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Vocabulary.model_validate(toy_text.vocabulary() | wrong)


def test_terms_are_at_most_three_words() -> None:
    assert max(term.count(" ") for term in TOY.terms) == LONGEST_TERM - 1
