"""Can ethnicity be told from what the model sees? A multinomial regression of it on the features (report, section 3.2).

The report trained one and found no substantial coefficient; age came out most important, at 28 %. Here the regression is
judged on people it has not seen: where it cannot tell ethnicity better than the shares of each, nothing is hidden in
the features. Only this audit reads ethnicity; nothing learnt here leaves it.
"""

from functools import partial
from typing import Any

import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from app.harm.features import FEATURES, Floats, Ints
from training.evaluation.intervals import bootstrap
from training.evaluation.ranking import auc, ranked
from training.fairness.attributes import Attribute
from training.families import STALKING_NOMINAL
from training.harm.fit import Data
from training.harm.folds import fold_numbers
from training.harm.measure import round_floats
from training.harm.scaling import LOG_MULTIPLIERS

PUBLISHED = {"most_important": "age_at_offence", "share": 0.28, "source": "section 3.2"}
_REPEATS = 5


def ethnicity_from_features(data: Data, ethnicity: Attribute, seed: int) -> dict[str, Any]:
    """Learn on four fifths of the people, judge on the fifth that shares no component with them.

    Macro one-against-rest AUC with its interval (.5 = cannot be told), log loss beside that of the bare shares, and each
    feature's permutation importance: the log loss it costs to shuffle it, and its share of all that is above zero.
    """
    inputs = index_rows(data)
    held = fold_numbers(ethnicity.member, data.labelled.component, seed) == 0
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(inputs[~held], ethnicity.member[~held])
    told = {
        "people": int(held.sum()),
        "groups": len(ethnicity.groups),
        "macro_auc": bootstrap(
            partial(_macro_auc, model.predict_proba(inputs[held]), ethnicity.member[held]),
            data.labelled.component[held],
            seed=seed,
        )["macro_auc"],
        **_log_losses(model, inputs[held], ethnicity.member, held),
        "largest_coefficient": float(np.abs(model[-1].coef_).max()),
        "importance": _importance(model, inputs[held], ethnicity.member[held], seed),
        "published": PUBLISHED if data.family is STALKING_NOMINAL else None,
    }
    rounded: dict[str, Any] = round_floats(told)
    return rounded


def index_rows(data: Data) -> Floats:
    """The 19 features of the index incident, skewed ones as logarithms, (N, 19)."""
    x = data.x[:, -1].astype(np.float64)
    for column, name in enumerate(FEATURES):
        if name in LOG_MULTIPLIERS:
            x[:, column] = np.log1p(LOG_MULTIPLIERS[name] * x[:, column])
    return x


def _macro_auc(probabilities: Floats, member: Ints, weights: Floats) -> dict[str, Floats]:
    """Mean over groups of the AUC of each against the rest, for weights (R, N)."""
    present = [group for group in range(probabilities.shape[1]) if (member == group).any()]
    areas = [auc(ranked(probabilities[:, group]), member == group, weights) for group in present]
    return {"macro_auc": np.nanmean(areas, axis=0)}


def _log_losses(
    model: Pipeline, inputs: Floats, member: Ints, held: np.ndarray[Any, np.dtype[np.bool_]]
) -> dict[str, float]:
    chance = np.bincount(member[~held], minlength=len(model.classes_)) / (~held).sum()
    own = model.predict_proba(inputs)[np.arange(len(inputs)), member[held]]
    return {"log_loss": float(-np.log(own).mean()), "log_loss_of_shares": float(-np.log(chance[member[held]]).mean())}


def _importance(model: Pipeline, inputs: Floats, member: Ints, seed: int) -> list[dict[str, Any]]:
    """Most important first."""
    found = permutation_importance(
        model, inputs, member, scoring="neg_log_loss", n_repeats=_REPEATS, random_state=seed
    ).importances_mean
    above = np.maximum(found, 0).sum()
    rows = [
        {"feature": name, "log_loss": float(loss), "share": float(max(loss, 0) / above) if above > 0 else 0.0}
        for name, loss in zip(FEATURES, found, strict=True)
    ]
    return sorted(rows, key=lambda row: -row["log_loss"])
