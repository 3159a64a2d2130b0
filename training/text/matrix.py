"""The document-term matrix, and its tf-idf form for the rivals."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from app.harm.features import Floats
from app.text.features import TermCounter, Vocabulary


def term_counts(
    texts: Sequence[str], vocabulary: Vocabulary, on_text: Callable[[int], None] = lambda _: None
) -> csr_array:
    """Counts of each term in each text, (N, T), by the function that serves."""
    counter, seen = TermCounter(vocabulary), dict[str, str]()
    starts, columns, counts = [0], list[int](), list[int]()
    for number, text in enumerate(texts, start=1):
        found = counter.counts(text, seen)
        columns += found.keys()
        counts += found.values()
        starts.append(len(columns))
        on_text(number)
    shape = (len(texts), len(vocabulary.terms))
    return csr_array((np.array(counts, dtype=np.float32), np.array(columns), np.array(starts)), shape=shape)


class TfIdf(NamedTuple):
    """Sublinear counts times inverse document frequency, rows of unit length; `weights` (T,) float32."""

    weights: NDArray[np.float32]

    def __call__(self, x: csr_array) -> csr_array:
        """Weighted rows of counts (N, T)."""
        found = x.astype(np.float64)
        found.data = (1 + np.log(found.data)) * self.weights[found.indices]
        length = np.sqrt(found.multiply(found).sum(axis=1)).clip(1e-12)
        found.data /= np.repeat(length, np.diff(found.indptr))
        return found


def fit_tf_idf(x: csr_array) -> TfIdf:
    """Inverse document frequencies of counts (N, T): ln((1 + N) / (1 + documents with the term)) + 1."""
    documents: Floats = np.bincount(x.indices, minlength=x.shape[1]).astype(np.float64)
    return TfIdf((np.log((1 + x.shape[0]) / (1 + documents)) + 1).astype(np.float32))
