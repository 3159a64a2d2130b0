"""A quick model in place of the stack, so that the audit itself can be tried on many forces.

Multinomial regression on totals of the history, cross-fitted over everyone, with the stack's decision rule. What it gets
wrong is not what the stack gets wrong; how often the audit cries wolf hardly depends on that.
"""

import numpy as np

from training.comparison.aggregates import totals
from training.comparison.baselines import fit_regression
from training.fairness.crossfit import CrossFitted
from training.harm.decision import choose_weights
from training.harm.fit import Data
from training.harm.folds import fold_numbers, fold_rows
from training.harm.population import mix_weights, shares


def stand_in(data: Data, seed: int) -> CrossFitted:
    """Answers for every labelled nominal by models that never saw them or anyone they share incidents with."""
    groups, component = data.split.groups, data.labelled.component
    inputs = totals(data.labelled.histories, data.x)
    found = np.empty((len(groups), 4))
    for learn, held in fold_rows(fold_numbers(groups, component, seed)):
        found[held] = fit_regression(inputs[learn], groups[learn], component[learn], seed)(inputs[held])
    weights = choose_weights(found, groups, mix_weights(groups, shares(groups[data.split.test])))
    return CrossFitted(found, np.argmax(found * weights, axis=1).astype(np.int64))
