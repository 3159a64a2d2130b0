"""A support vector machine that gives probabilities: published second stage, and one of the first (report, section 3.3.2).

Probabilities come from the margins. `CalibratedClassifierCV(SVC(), ensemble=False)` puts one sigmoid on each class's
number of pairwise *votes*: the result moves in steps, so an explanation sees nothing and then a jump, and a rounding
error can flip a vote. Here one multinomial logistic regression reads all six pairwise margins, learnt in the same way
(margins cross-fitted, then one machine on all rows); out of fold it has the lower log loss and the higher AUC (ours).
"""

from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.svm import SVC

from training.harm.folds import Ints, fold_numbers

Floats = NDArray[np.float64]


class SvmSettings(NamedTuple):
    """`cost` of a point on the wrong side; `gamma`, one over the squared width of the kernel."""

    cost: float
    gamma: float


# Costs stay below 10, where an exported kernel sum begins to lose decimals. Widths: probabilities lie in a small cube,
# and scikit-learn's default width (gamma about 3.6) carves it up: it lost .013 log loss and .02 AUC out of fold (ours).
SETTINGS = tuple(SvmSettings(cost, gamma) for cost, gamma in product((0.1, 1.0), (0.1, 0.3, 1.0)))
# Most rows given are support vectors, and each is a term of every score. Eight probabilities carry a smooth function:
# half of the published training set costs less than .001 log loss (ours).
MOST_ROWS = 2_500
_INNER_FOLDS = 4


@dataclass(frozen=True)
class CalibratedSvm:
    """`machine` one-against-one margins; `link` turns the six margins into four probabilities."""

    machine: SVC
    link: LogisticRegression

    def probabilities(self, stacked: NDArray[np.floating[Any]]) -> Floats:
        """(N, 8) first-stage probabilities -> (N, 4)."""
        return np.asarray(self.link.predict_proba(self.machine.decision_function(stacked)), dtype=np.float64)


def fit_svm(
    stacked: NDArray[np.float32], groups: Ints, component: Ints, settings: SvmSettings, seed: int
) -> CalibratedSvm:
    """Fit on (N, 8) *out-of-fold* probabilities of the first stage; in-sample ones would teach it overconfidence.

    At most `MOST_ROWS` of them, drawn at random, are used.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(groups))[:MOST_ROWS])
    stacked, groups, component = stacked[rows], groups[rows], component[rows]
    machine = SVC(C=settings.cost, kernel="rbf", gamma=settings.gamma, decision_function_shape="ovo")
    folds = PredefinedSplit(fold_numbers(groups, component, seed, _INNER_FOLDS))
    margins = cross_val_predict(machine, stacked, groups, cv=folds, method="decision_function")
    link = LogisticRegression(max_iter=1000).fit(margins, groups)
    return CalibratedSvm(machine.fit(stacked, groups), link)
