"""Error rates of groups and how they differ from everyone else's, for one set of weights or thousands.

The report's own errors: a false positive is flagged (predicted 90-100) and truly in the lower two groups, a false
negative truly 90-100 and predicted in the lower two. Beside them two measures that differing base rates move in the same
direction, and a score that leans on a group in opposite ones (`training.fairness.audit` says why):

- `flagged_at_equal_harm`: share flagged, less everyone else's, with both brought to the same mix of true groups;
- `found_to_expected`: true top-two members per one that the score lets expect, the expectation being everyone's at that
  score (isotonic), so that 1 is what the group's scores promise.
"""

from typing import NamedTuple

import numpy as np
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate
from scipy.sparse import csr_array
from sklearn.isotonic import IsotonicRegression

from app.extract.rules import Flags
from app.harm.features import Floats, Ints
from training.evaluation.ranking import auc, ranked
from training.fairness.attributes import Attribute
from training.fairness.crossfit import CrossFitted
from training.metrics import GROUP_COUNT, LOWEST, SECOND, THIRD, TOP

CONTRASTS = ("flag_rate", "false_positive_rate", "false_negative_rate")


class Audited(NamedTuple):
    """N people: `true` group 0..3 by some account of what they did, `predicted` group, `top_score` the probability of
    the top one, `expected` (N,) the chance of the top two at this score."""

    true: Ints
    predicted: Ints
    top_score: Floats
    expected: Floats

    def take(self, rows: Flags) -> "Audited":
        """The given people."""
        return Audited(self.true[rows], self.predicted[rows], self.top_score[rows], self.expected[rows])


def audited(true: Ints, answers: CrossFitted) -> Audited:
    """People with what their scores let expect of the outcome `true`, fitted over all of them alike."""
    score = answers.population[:, THIRD:].sum(axis=1)
    found = (true >= THIRD).astype(np.float64)
    expected = IsotonicRegression(out_of_bounds="clip").fit(score, found).predict(score)
    return Audited(true, answers.predicted, answers.population[:, TOP], np.asarray(expected, dtype=np.float64))


def largest_gaps(people: Audited, attribute: Attribute) -> dict[str, dict[str, float]]:
    """Largest difference and smallest ratio of rates between any two groups, as fairlearn defines them; no intervals."""
    group = np.array(attribute.groups, dtype=object)[attribute.member]
    frame = MetricFrame(
        metrics={"flag_rate": selection_rate, "false_positive_rate": false_positive_rate},
        y_true=people.true >= THIRD,
        y_pred=people.predicted == TOP,
        sensitive_features=group,
    )
    apart, ratio = frame.difference(), frame.ratio()
    return {name: {"difference": float(apart[name]), "ratio": float(ratio[name])} for name in apart.index}


def flag_cells(people: Audited, attribute: Attribute) -> Ints:
    """Counts (G, 4) behind flag rate, false positive rate and precision: flagged or not, by truly lower or top two."""
    return _cells(2 * (people.true >= THIRD) + (people.predicted == TOP), attribute, 4)


def miss_cells(people: Audited, attribute: Attribute) -> Ints:
    """Counts (G, 2) of the truly highest group: seen, missed."""
    top = people.true == TOP
    return _cells((people.predicted[top] <= SECOND).astype(np.int64), attribute.take(top), 2)


def flag_rates(people: Audited, attribute: Attribute, weights: Floats) -> dict[str, Floats]:
    """`group.measure` -> (R,) for weights (R, N): everything about flags, each group and its difference to the rest."""
    count = len(attribute.groups)
    tables = _tables(people, attribute, weights)
    expected = _sums(attribute.member, people.expected[None] * weights, count)
    told: dict[str, Floats] = {}
    for place, name in enumerate(attribute.groups):
        own, rest = tables[:, place], tables.sum(axis=1) - tables[:, place]
        promised = expected[:, place], expected.sum(axis=1) - expected[:, place]
        rates, others = _flags(own, promised[0]), _flags(rest, promised[1])
        told |= {f"{name}.{measure}": value for measure, value in rates.items()}
        told |= {f"{name}.{measure}_to_rest": rates[measure] - others[measure] for measure in CONTRASTS[:2]}
        told[f"{name}.flagged_at_equal_harm"] = _at_equal_harm(own, rest)
        told[f"{name}.found_to_expected_to_rest"] = np.log(rates["found_to_expected"] / others["found_to_expected"])
        theirs = (attribute.member == place) & np.isin(people.true, (LOWEST, TOP))
        order = ranked(people.top_score[theirs])
        told[f"{name}.auc_top_against_lowest"] = auc(order, people.true[theirs] == TOP, weights[:, theirs])
    return told


def miss_rates(people: Audited, attribute: Attribute, weights: Floats) -> dict[str, Floats]:
    """`group.measure` -> (R,): what is missed of the highest group, and the difference to the rest."""
    tables = _tables(people, attribute, weights)
    told = {}
    for place, name in enumerate(attribute.groups):
        missed, others = _missed(tables[:, place]), _missed(tables.sum(axis=1) - tables[:, place])
        told[f"{name}.false_negative_rate"], told[f"{name}.top_2_accuracy"] = missed, 1 - missed
        told[f"{name}.false_negative_rate_to_rest"] = missed - others
    return told


def _flags(table: Floats, expected: Floats) -> dict[str, Floats]:
    """Rates of one group's tables (R, 4, 4)."""
    everyone, flagged = table.sum(axis=(1, 2)), table[:, :, TOP].sum(axis=1)
    harmful = table[:, THIRD:].sum(axis=(1, 2))
    return {
        "flag_rate": _share(flagged, everyone),
        "false_positive_rate": _share(table[:, :THIRD, TOP].sum(axis=1), table[:, :THIRD].sum(axis=(1, 2))),
        "precision": _share(table[:, THIRD:, TOP].sum(axis=1), flagged),
        "truly_top_two": _share(harmful, everyone),
        "found_to_expected": _share(harmful, expected),
    }


def _at_equal_harm(own: Floats, rest: Floats) -> Floats:
    """Difference in flag rates, each true group weighted by its share of everyone; (R, 4, 4) twice -> (R,)."""
    rates = [_share(table[:, :, TOP], table.sum(axis=2)) for table in (own, rest)]
    mix = (own + rest).sum(axis=2)
    gap = np.where(np.isnan(rates[0] - rates[1]), 0.0, rates[0] - rates[1])
    return np.asarray((gap * mix).sum(axis=1) / mix.sum(axis=1))


def _missed(table: Floats) -> Floats:
    return _share(table[:, TOP, :THIRD].sum(axis=1), table[:, TOP].sum(axis=1))


def _tables(people: Audited, attribute: Attribute, weights: Floats) -> Floats:
    """Confusion matrices by group, (R, G, 4, 4)."""
    cell = (attribute.member * GROUP_COUNT + people.true) * GROUP_COUNT + people.predicted
    count = len(attribute.groups)
    return _sums(cell, weights, count * GROUP_COUNT**2).reshape(-1, count, GROUP_COUNT, GROUP_COUNT)


def _cells(cell: Ints, attribute: Attribute, size: int) -> Ints:
    count = len(attribute.groups)
    cells: Ints = np.bincount(attribute.member * size + cell, minlength=count * size).reshape(count, size)
    return cells


def _sums(place: Ints, values: Floats, count: int) -> Floats:
    """Sums of row values (R, N) by place, (R, count)."""
    members = csr_array((np.ones(len(place)), (np.arange(len(place)), place)), shape=(len(place), count))
    return np.asarray((members.T @ values.T).T)


def _share(part: Floats, whole: Floats) -> Floats:
    """Shares, NaN where there is nothing to take one of: such a replicate says nothing."""
    shares: Floats = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
    return shares
