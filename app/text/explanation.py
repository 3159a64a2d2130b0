"""Which terms mattered: the change in mean harm when a term is left out of a text.

A network of six layers has no exact shares as the stack's factors have: two thousand terms would need 2^2000 coalitions. What
is told is exact for what it says, and says less: one term away, everything else as it was. Effects of terms that matter
together do not add up to the whole; a term of two words stays counted when one of its words is left out.
"""

import numpy as np

from app.text.model import Counts, TextModel, expected_harm
from app.text.records import TermEffect

SHOWN = 5
MOST_TRIED = 200
"""Different terms of one text that are tried, the most frequent first: bounds the work on a text of thousands."""
_LEAST = 0.005


def terms_that_mattered(model: TextModel, counts: Counts) -> tuple[TermEffect, ...]:
    """The terms of one text (1, T) whose absence changes the mean harm most, largest change first, at most `SHOWN`."""
    present = np.flatnonzero(counts[0])
    tried = present[np.argsort(-counts[0, present], kind="stable")][:MOST_TRIED]
    rows = np.repeat(counts, len(tried) + 1, axis=0)
    rows[np.arange(1, len(rows)), tried] = 0
    harm = expected_harm(model.probabilities(rows))
    effects = harm[0] - harm[1:]
    order = np.argsort(-np.abs(effects), kind="stable")[:SHOWN]
    terms = model.vocabulary.terms
    found = [TermEffect(terms[tried[place]], float(effects[place])) for place in order]
    return tuple(one for one in found if abs(one.effect) >= _LEAST)
