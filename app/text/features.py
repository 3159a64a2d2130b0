"""From the text of a log to counts of known terms: the only text code there is, for training and serving alike.

cleaning -> sentences -> words -> stop words out -> lemma and stem -> terms of one to three words (report, appendix 8).
A term is counted where the vocabulary has it; everything else in a text leaves no trace.

Readings of our own: negations are no stop words ("no weapon seen" must not become "weapon seen"); whatever holds a digit
(dates, times, telephone and house numbers) is dropped; terms never reach over the end of a sentence; shorthand such as
w/o and o/a is a word.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from snowballstemmer.english_stemmer import EnglishStemmer

LONGEST_TERM = 3
_SENTENCE_END = re.compile(r"[.!?;:\n\r]+")
_DIGITS = re.compile(r"\S*[0-9]\S*")
_WORD = re.compile(r"[a-z]{1,2}(?:/[a-z]{1,2})+(?![a-z])|[a-z]+")
_APOSTROPHES = str.maketrans("", "", "'’‘`´")

Word = Annotated[str, Field(pattern=r"^[a-z]+(/[a-z]+)*$", max_length=40)]
Term = Annotated[str, Field(pattern=r"^[a-z/]+( [a-z/]+){0,2}$", max_length=120)]


class Vocabulary(BaseModel):
    """What a model has words for: `terms` in the order of its inputs; `forms` the stem of a word's lemma, by word, for
    words common in what it learnt from (any other word is stemmed as it stands); `stop_words` never counted."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    terms: Annotated[tuple[Term, ...], Field(min_length=1, max_length=20_000)]
    forms: dict[Word, Word]
    stop_words: frozenset[Word]

    @model_validator(mode="after")
    def _distinct(self) -> "Vocabulary":
        if len(set(self.terms)) != len(self.terms):
            raise ValueError("a term stands twice")
        return self


def sentences(text: str) -> Iterator[list[str]]:
    """Words of each sentence, in small letters; compatibility forms folded, invisible characters and digits gone."""
    for sentence in _SENTENCE_END.split(_plain(text).lower().translate(_APOSTROPHES)):
        yield _WORD.findall(_DIGITS.sub(" ", sentence))


def _plain(text: str) -> str:
    if text.isascii():
        return text
    return "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")


def stems(
    text: str, forms: Mapping[str, str], stop_words: frozenset[str], seen: dict[str, str] | None = None
) -> Iterator[list[str]]:
    """Stems of each sentence, stop words out. `seen` speeds up whoever reads many texts; serving keeps no words."""
    stemmer: Any = EnglishStemmer()  # holds the word it works on, so each reading has its own
    seen = {} if seen is None else seen
    for words in sentences(text):
        found = []
        for word in words:
            if word in stop_words:
                continue
            stem = forms.get(word) or seen.get(word)
            if stem is None:
                stem = seen[word] = str(stemmer.stemWord(word))
            found.append(stem)
        yield found


class TermCounter:
    """Counts the terms of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._forms, self._stop_words = vocabulary.forms, vocabulary.stop_words
        self._column = {term: column for column, term in enumerate(vocabulary.terms)}

    def counts(self, text: str, seen: dict[str, str] | None = None) -> dict[int, int]:
        """How often each known term occurs in a text, by its place in the vocabulary."""
        found: dict[int, int] = {}
        for sentence in stems(text, self._forms, self._stop_words, seen):
            for length in range(1, LONGEST_TERM + 1):
                for first in range(len(sentence) - length + 1):
                    column = self._column.get(" ".join(sentence[first : first + length]))
                    if column is not None:
                        found[column] = found.get(column, 0) + 1
        return found
