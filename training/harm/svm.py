"""Second stage: a support vector machine on the eight probabilities of the first (report, section 3.3.2, figure 13).

Probabilities come from the margins. `CalibratedClassifierCV(SVC(), ensemble=False)` puts one sigmoid on each class's
number of pairwise *votes*: the result moves in steps, so an explanation sees nothing and then a jump, and a rounding
error can flip a vote. Here one multinomial logistic regression reads all six pairwise margins, learnt in the same way
(margins cross-fitted, then one machine on all rows); out of fold it has the lower log loss and the higher AUC (ours).
"""

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.svm import SVC

from training.harm.folds import Ints, fold_numbers, fold_rows
from training.harm.parallel import run

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


def cross_fit(stacked: NDArray[np.float32], groups: Ints, component: Ints, settings: SvmSettings, seed: int) -> Floats:
    """Out-of-fold probabilities of the second stage, (N, 4): what decision weights are chosen on."""
    out = np.empty((len(groups), 4))
    for learn, held_out in fold_rows(fold_numbers(groups, component, seed)):
        svm = fit_svm(stacked[learn], groups[learn], component[learn], settings, seed)
        out[held_out] = svm.probabilities(stacked[held_out])
    return out


def choose_settings(
    stacked: NDArray[np.float32],
    groups: Ints,
    component: Ints,
    seed: int,
    jobs: int,
    tries: tuple[SvmSettings, ...] = SETTINGS,
) -> tuple[SvmSettings, Floats]:
    """Of `tries` the settings with the lowest out-of-fold log loss, and their out-of-fold probabilities (N, 4)."""
    tried = run([partial(cross_fit, stacked, groups, component, settings, seed) for settings in tries], jobs=jobs)
    losses = [log_loss(groups, probabilities) for probabilities in tried]
    best = int(np.argmin(losses))
    return tries[best], tried[best]
