"""Dividing labelled nominals into training, calibration and test parts (report, tables 2, 9 and 10; domain.md, "Splits").

Groups need cuts, cuts must not see the test set, and the test set is drawn by group. The circle is resolved as a
fixed point (ours): with everyone's order of drawing settled once by the seed, cuts -> groups -> test set -> cuts is
repeated until the groups stay as they are. The answer is then consistent in itself: the cuts are exactly the
quantiles of everyone outside the test set, and the test set has exactly its counts by those very cuts.

Two things make the repetition settle. How many of the test set's lowest group did no harm at all is fixed first, so
that the ranks at which the cuts lie among positive harms do not move. What is left is a cut flipping between two
neighbouring values, because drawing people with just that harm moves it across them; they are then kept out of the
test set (a handful: only people whose harm equals a cut to the day).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.errors import SetupError
from app.extract.rules import Flags
from app.harm.features import Floats, Ints
from training.labels import Labelled

QUANTILES = (0.5, 0.8, 0.9)
_ROUNDS = 100
Counts = tuple[int, int, int, int]


class Parts(NamedTuple):
    """People of each group, lowest first, in each part of a set of `labelled`; in proportion in any other."""

    labelled: int
    train: Counts
    calibration: Counts
    test: Counts

    def scaled(self, counts: Counts, labelled: int) -> Ints:
        """What `counts` are in a set of so many, (4,)."""
        return np.asarray(np.rint(np.asarray(counts) * labelled / self.labelled), dtype=np.int64)


@dataclass(frozen=True)
class Split:
    """Rows of `Labelled`, each part ascending: `train` (balanced), `calibration`, `test` (table 2's mix) and `rest`,
    who are in none of the three but on the training side. `cuts` float64 (3,) days, the 50th, 80th and 90th percentile
    of positive future harm outside the test set; `groups` int64 (N,) 0..3 by these cuts."""

    train: Ints
    calibration: Ints
    test: Ints
    rest: Ints
    cuts: Floats
    groups: Ints

    @property
    def outside(self) -> Ints:
        """Everyone who is not in the test set, ascending."""
        return np.sort(np.concatenate([self.train, self.calibration, self.rest]))


def split(labelled: Labelled, *, parts: Parts, seed: int, cuts: Floats | None = None) -> Split:
    """Split into `parts` by connected component, stratified by group; deterministic by seed. `cuts` are those of an artefact that
    these people are compared with; None finds their own.

    Nobody outside the test set shares a component with anyone in it, nobody in training with anyone in calibration.
    Where a group has too few people, training gets fewer. Raises SetupError where a part would lack a group.
    """
    rng = np.random.default_rng(seed)
    count = len(labelled.future_harm)
    members = _Members(labelled.component, rng)
    if cuts is None:
        test, cuts, groups = _settle_test(labelled.future_harm, members, parts.scaled(parts.test, count))
    else:
        groups = harm_groups(labelled.future_harm, cuts)
        test = members.draw(groups, parts.scaled(parts.test, count), barred=np.zeros(count, dtype=np.bool_))
    calibration = members.draw(groups, parts.scaled(parts.calibration, count), barred=test)
    free = ~test & ~calibration  # whole components both, so nobody left shares one with either
    train = np.zeros(count, dtype=np.bool_)
    order = rng.permutation(count)
    for group, size in enumerate(parts.scaled(parts.train, count)):
        train[order[(free & (groups == group))[order]][:size]] = True
    for drawn in (train, calibration, test):
        if len(np.unique(groups[drawn])) < len(QUANTILES) + 1:
            raise SetupError("The extract has too few nominals: a part of the split lacks a whole harm group.")
    return Split(
        train=np.flatnonzero(train),
        calibration=np.flatnonzero(calibration),
        test=np.flatnonzero(test),
        rest=np.flatnonzero(~(train | calibration | test)),
        cuts=cuts,
        groups=groups,
    )


def harm_cuts(future_harm: Floats) -> Floats:
    """50th, 80th and 90th percentile of the positive harms, (3,) days. Raises SetupError if nobody did any."""
    positive = future_harm[future_harm > 0]
    if not len(positive):
        raise SetupError(
            "No labelled nominal has any harm in the following year, so there are no harm groups to learn."
        )
    return np.asarray(np.quantile(positive, QUANTILES))


def harm_groups(future_harm: Floats, cuts: Floats) -> Ints:
    """Group 0..3 of each harm: below the first cut, the second, the third, or neither."""
    return np.searchsorted(cuts, future_harm, side="right").astype(np.int64)


def _settle_test(future_harm: Floats, members: "_Members", sizes: Ints) -> tuple[Flags, Floats, Ints]:
    """The test set, and the cuts and groups that agree with it."""
    groups = harm_groups(future_harm, harm_cuts(future_harm))
    harmless = future_harm == 0
    without_harm = round(int(sizes[0]) * harmless.sum() / max((groups == 0).sum(), 1))
    strata_sizes = np.array([without_harm, sizes[0] - without_harm, *sizes[1:]])
    held, seen = np.zeros(len(groups), dtype=np.bool_), set[bytes]()
    for _ in range(_ROUNDS):
        test = members.draw(np.where(harmless, 0, groups + 1), strata_sizes, barred=held)
        cuts = harm_cuts(future_harm[~test])
        settled = harm_groups(future_harm, cuts)
        if np.array_equal(settled, groups):
            return test, cuts, groups
        if settled.tobytes() in seen:
            held |= np.isin(future_harm, future_harm[settled != groups])
        seen.add(settled.tobytes())
        groups = settled
    raise SetupError("Harm groups and test set do not settle on each other. Try another seed or a larger extract.")


class _Members:
    """Components with their members, in an order of drawing settled once."""

    def __init__(self, component: Ints, rng: np.random.Generator) -> None:
        _, self._component = np.unique(component, return_inverse=True)
        self._count = int(self._component.max(initial=-1)) + 1
        self._order = rng.permutation(self._count)

    def draw(self, strata: Ints, sizes: Ints, *, barred: Flags) -> Flags:
        """Whole components in drawing order, each unless it would overfill a stratum or holds someone barred."""
        contents = np.zeros((self._count, len(sizes)), dtype=np.int64)
        np.add.at(contents, (self._component, strata), 1)
        out = np.zeros(self._count, dtype=np.bool_)
        out[self._component[barred]] = True
        room, drawn = sizes.tolist(), np.zeros(self._count, dtype=np.bool_)
        for component, content in zip(self._order.tolist(), contents[self._order].tolist(), strict=True):
            if out[component] or any(need > left for need, left in zip(content, room, strict=True)):
                continue
            drawn[component] = True
            room = [left - need for need, left in zip(content, room, strict=True)]
            if not any(room):
                break
        return np.asarray(drawn[self._component])
