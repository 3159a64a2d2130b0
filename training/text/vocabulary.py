"""The vocabulary: words, pairs and triples that occur often enough, without names (report, appendix 8).

Counted on the training part alone (ours), so that nothing of the test set is known when it is judged.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import simplemma
from numpy.typing import NDArray

from app.harm.features import Ints
from app.text.features import Vocabulary, sentences, stems

MORE_THAN = 100
"""A term must have been seen more often than this (report)."""
MOST_TERMS = 2_106
"""As many as the report's (ours): pairs and triples, the most frequent first, fill what words leave."""
LEAST_TOGETHER = 0.25
"""Normalised pointwise mutual information from which words are taken to belong together (ours): 0 chance, 1 always."""
_NAME_SHARE = 0.5
_WITHIN = re.compile(r"(?<=[a-z0-9,] )[A-Za-z][a-z]+\b")

Done = Callable[[], None]


def read_stop_words() -> frozenset[str]:
    """Words that are never counted; negations are not among them (ours)."""
    text = Path(__file__).with_name("stop_words.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def learn_vocabulary(texts: Sequence[str], *, more_than: int = MORE_THAN, most: int = MOST_TERMS) -> Vocabulary:
    """Terms seen more than `more_than` times in `texts`, at most `most` of them."""
    stop_words = read_stop_words()
    counted = Counter(word for text in texts for sentence in sentences(text) for word in sentence)
    common = [word for word, count in counted.items() if count > more_than and word not in stop_words]
    names = names_among(texts)
    seen: dict[str, str] = {}
    forms = {word: _base(word, seen) for word in sorted(common) if word not in names}
    terms = _terms(
        texts, forms, stop_words, {_stem(name, seen) for name in names} - set(forms.values()), more_than, most
    )
    kept = {part for term in terms for part in term.split()}
    return Vocabulary(
        terms=tuple(terms), forms={word: stem for word, stem in forms.items() if stem in kept}, stop_words=stop_words
    )


def names_among(texts: Sequence[str]) -> frozenset[str]:
    """Words that are mostly written with a capital inside sentences of otherwise small letters: names, places, days.

    They are left out however often they occur (ours): a name says nothing of severity and does not belong in a model.
    """
    capital: Counter[str] = Counter()
    either: Counter[str] = Counter()
    for text in texts:
        for word in _WITHIN.findall(text):
            either[word.lower()] += 1
            capital[word.lower()] += word[0].isupper()
    return frozenset(word for word, count in either.items() if capital[word] > _NAME_SHARE * count)


def _base(word: str, seen: dict[str, str]) -> str:
    """Stem of the lemma of a word."""
    lemma = re.sub("[^a-z]", "", simplemma.lemmatize(word, lang="en").lower()) if word.isalpha() else word
    return _stem(lemma or word, seen)


def _stem(word: str, seen: dict[str, str]) -> str:
    """Stem of a word as it stands: what a text's words become that have no form of their own."""
    return next(stems(word, {}, frozenset(), seen))[0]


def _terms(
    texts: Sequence[str],
    forms: dict[str, str],
    stop_words: frozenset[str],
    names: set[str],
    more_than: int,
    most: int,
) -> list[str]:
    """Words by how often they occur, then the pairs and triples that belong together, by how often they do."""
    number: dict[str, int] = {}
    seen: dict[str, str] = {}
    flat: list[int] = []
    for text in texts:
        for sentence in stems(text, forms, stop_words, seen):
            flat += [number.setdefault(stem, len(number)) for stem in sentence]
            flat.append(-1)
    stream = np.array(flat, dtype=np.int64)
    words = np.array(list(number), dtype=object)
    counts = np.bincount(stream[stream >= 0], minlength=len(words))
    usable = (counts > more_than) & ~np.isin(words.astype(str), list(names))
    single = np.flatnonzero(usable)
    single = single[np.lexsort((words[single].astype(str), -counts[single]))][:most]
    joined = _joined(stream, counts, np.isin(np.arange(len(words)), single), more_than)
    ranked = sorted(joined, key=lambda found: (-found[0], found[1]))[: most - len(single)]
    return [*words[single].tolist(), *(" ".join(words[list(parts)]) for _, parts in ranked)]


def _joined(stream: Ints, counts: Ints, usable: NDArray[np.bool_], more_than: int) -> list[tuple[int, tuple[int, ...]]]:
    """Pairs and triples of usable words that belong together, with their counts; a triple as its pair with the third."""
    total = float(counts.sum())
    fine = np.append(usable, False)[stream]  # the end of a sentence is -1, and no word
    pairs = np.flatnonzero(fine[:-1] & fine[1:])
    keys, inverse, pair_counts = _counted(stream[pairs] * len(counts) + stream[pairs + 1])
    first, second = np.divmod(keys, len(counts))
    together = _together(pair_counts, counts[first], counts[second], total)
    good = (pair_counts > more_than) & (together >= LEAST_TOGETHER)
    found = [(int(pair_counts[k]), (int(first[k]), int(second[k]))) for k in np.flatnonzero(good)]

    begins = pairs[good[inverse]]
    place = inverse[good[inverse]]
    longer = (begins + 2 < len(stream)) & fine[np.minimum(begins + 2, len(stream) - 1)]
    begins, place = begins[longer], place[longer]
    keys, _, triple_counts = _counted(place * len(counts) + stream[begins + 2])
    pair, third = np.divmod(keys, len(counts))
    together = _together(triple_counts, pair_counts[pair], counts[third], total)
    good = (triple_counts > more_than) & (together >= LEAST_TOGETHER)
    return found + [
        (int(triple_counts[k]), (int(first[pair[k]]), int(second[pair[k]]), int(third[k])))
        for k in np.flatnonzero(good)
    ]


def _counted(keys: Ints) -> tuple[Ints, Ints, Ints]:
    found, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return found, inverse, counts


def _together(both: Ints, one: Ints, other: Ints, total: float) -> NDArray[np.float64]:
    """Normalised pointwise mutual information."""
    share = both / total
    together: NDArray[np.float64] = np.log(share / (one / total * (other / total))) / -np.log(share)
    return together
