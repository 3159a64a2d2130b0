"""Sets of groups that hold the true one at a promised rate, group by group.

Class-conditional (Mondrian) split conformal prediction (Vovk, Gammerman and Shafer 2005): of people who truly belong to
a group, at least the promised share have it in their set, as long as they are like those the thresholds come from. The
scores must not have seen the calibration part; the population probabilities have (a regression was fitted there), so the
stack's own probabilities are brought to the population mix by the odds of group shares instead (ours).
Nothing is drawn at random, and no set is empty: the predicted group has nonconformity 0, for calibration nominals as for
everyone, so it is always in the set and the promise stays exact. (Adding the most probable group afterwards would put
0-50 into the sets of 98 in 100 of those who belong there.)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.harm.answers import ConformalAnswer
from app.harm.features import Floats, Ints
from app.harm.robustness import Conformal


def nonconformity(probabilities: Floats, predicted: Ints, odds: Sequence[float] | Floats) -> Floats:
    """How badly each group goes with each nominal, (N, 4) in [0, 1]: one minus its probability at the population mix, and
    0 for the group `predicted` (N,). `probabilities` (N, 4) of the stack, `odds` (4,) as in the manifest."""
    moved = probabilities * np.asarray(odds)
    found = 1 - moved / moved.sum(axis=1, keepdims=True)
    found[np.arange(len(found)), predicted] = 0
    return np.asarray(found.clip(0, 1), dtype=np.float64)


def conformal_sets(scores: Floats, thresholds: Sequence[float] | Floats) -> NDArray[np.bool_]:
    """Which groups belong to each nominal's set, (N, 4); a higher level has higher thresholds and so larger sets."""
    return np.asarray(scores <= np.asarray(thresholds))


def conformal_answer(told: Conformal, groups: Sequence[str]) -> ConformalAnswer:
    """What a set of groups promises, in words."""
    *most, last = groups
    listed = f"{', '.join(most)} and {last}" if most else last
    every = "none of the four groups is ruled out" if len(groups) == len(told.odds) else f"not ruled out: {listed}"
    among = f"about {100 * told.level:.0f} in 100"
    text = (
        f"By this record {every}. Of the people who belong to a group, whichever it is, {among} have it in such a list, if "
        f"they are like those the model learnt from. Lists name {told.mean_set_size:.1f} of 4 groups on average: a long one "
        "means that the record says little."
    )
    return ConformalAnswer(level=told.level, mean_size=told.mean_set_size, text=text)
