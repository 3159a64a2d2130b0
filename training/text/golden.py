"""Golden cases: texts nobody wrote, with the answers this artefact must give on any machine before it may serve.

Real logs never leave the extract: the words come from the vocabulary, their order from chance.
"""

import json
from collections.abc import Callable, Sequence

import numpy as np

from app.errors import SetupError
from app.text.features import Vocabulary
from app.text.model import Counts, Floats, TextModel

CASES = 50
_CANDIDATES = 600
_STEADY = 2e-7
"""Between float32 here and double precision: another machine's float32 is about as far off, the tolerance five times that."""
_MARKS = (". ", ", ", " ", " ", " ", " ")


def golden_texts(vocabulary: Vocabulary, seed: int, count: int = _CANDIDATES) -> list[str]:
    """Texts of 1 to 60 known terms, with words no vocabulary has, numbers and stop words between them."""
    rng = np.random.default_rng(seed)
    written = {stem: word for word, stem in sorted(vocabulary.forms.items())}
    strange = ["qwyx", "1205hrs", "07700900123", *sorted(vocabulary.stop_words)[:20]]
    texts = []
    for _ in range(count):
        size = 1 + int(60 * rng.random() ** 2)
        terms = [str(rng.choice(vocabulary.terms)) for _ in range(size)]
        words = [" ".join(written.get(part, part) for part in term.split()) for term in terms]
        extra = [str(rng.choice(strange)) for _ in range(size // 3)]
        mixed = [str(word) for word in rng.permutation([*words, *extra])]
        texts.append(
            "".join(word + _MARKS[int(rng.integers(len(_MARKS)))] for word in mixed).strip().capitalize() + "."
        )
    return texts


def golden_lines(model: TextModel, exact: Callable[[Counts], Floats], seed: int) -> bytes:
    """JSON lines of texts and answers, as many of each named score as can be had; `exact` counts -> probabilities.

    Raises SetupError where the graph is nowhere steady, so that no answer could be held to.
    """
    texts = golden_texts(model.vocabulary, seed)
    counts = model.counts(texts)
    answers = model.probabilities(counts)
    off = np.abs(answers - exact(counts)).max(axis=1)
    chosen = _varied(answers.argmax(axis=1).tolist(), (off <= _STEADY) & counts.any(axis=1))
    if len(chosen) < CASES:
        raise SetupError("The graph's answers move with the last bits of its arithmetic. Do not use this artefact.")
    lines = [{"text": texts[row], "probabilities": answers[row].tolist()} for row in chosen]
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


def _varied(named: Sequence[int], usable: Sequence[bool]) -> list[int]:
    """Rows in turns by the score they name."""
    by_score: dict[int, list[int]] = {}
    for row, (score, fine) in enumerate(zip(named, usable, strict=True)):
        if fine:
            by_score.setdefault(score, []).append(row)
    turns = [(turn, row) for rows in by_score.values() for turn, row in enumerate(rows)]
    return [row for _, row in sorted(turns)[:CASES]]
