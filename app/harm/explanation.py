"""How an estimate came about: up to ten factors, their exact share in it, in numbers and in words.

Each factor is a set of features over all incidents. It is compared with a reference record: as many incidents as the
nominal has, each at the population's median for its position, the nominal's own gender.
Words live in `wording.py` and `factor_words.py`.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from app.harm.explanation_answers import FactorExplanation, FactorShare
from app.harm.factor_words import fact, standing
from app.harm.features import COLUMN, FEATURES, ROWS, Features
from app.harm.model import HarmModel
from app.harm.perspective_words import WORDS
from app.harm.shapley import Floats, explain
from app.harm.targets import TARGETS, Of, Target
from app.harm.view import second, whole_view
from app.harm.wording import moves

FACTORS: dict[str, tuple[str, ...]] = {
    "age": ("age_at_offence",),
    "harm severity": ("harm_score", "cumulative_harm", "cumulative_harm_decayed"),
    "harm pattern": ("harm_rate", "harm_momentum", "harm_momentum_decayed"),
    "timing": ("days_to_day_zero", "days_since_previous"),
    "offence types": ("is_harassment", "is_violent", "is_sexual"),
    "stalking pattern": ("is_stalking",),
    "domestic context": ("is_domestic",),
    "role": ("is_offender", "is_suspect"),
    "custody": ("custody_count",),
    "victim contacts": ("victim_contacts",),
}
_REFERENCE = (
    "A record with as many incidents as this one, each at the middle value of all {people} for its place in the record, and "
    "the {person}'s own gender."
)
_AGAINST = "a typical record of the same length"
_NOTHING = "No single factor moves it by half a point or more."
_HEADLINE = {
    "age": "age_at_offence",
    "harm severity": "cumulative_harm",
    "harm pattern": "harm_rate",
    "timing": "days_since_previous",
    "custody": "custody_count",
    "victim contacts": "victim_contacts",
}


def factors_of(model: HarmModel) -> dict[str, tuple[str, ...]]:
    """The factors of which a model reads anything: the others are no players and are never told of."""
    read = model.bundle.manifest.features
    return {name: members for name, members in FACTORS.items() if set(members) & set(read)}


class Effects(NamedTuple):
    """Contributions (P, K) of each factor to each number of a target, and both ends (2, K): reference, then value."""

    contributions: Floats
    ends: Floats


def factor_effects(model: HarmModel, features: Features, rows: int, target: Target = TARGETS["harm"]) -> Effects:
    """Exact Shapley values of the model's factors for one nominal, float32 (1, 20, 19), `rows` of them real.

    Factors that equal the reference, or that the target does not see, drop out before the one call of the model. The
    grand coalition takes the value `/score` gives, so that the contributions add up to the number shown.
    """
    own = features[0]
    reference = _reference(model.bundle.reference, own, rows)
    members = np.array([[name in names for name in FEATURES] for names in factors_of(model).values()])
    seen = np.isin(FEATURES, target.seen)
    active = members @ (seen & (own != reference).any(axis=0))
    shown = target.values(model, features)

    def value_of(subsets: np.ndarray) -> Floats:
        columns = subsets @ members
        values = target.values(model, np.where(columns[:, None, :], own, reference))
        values[-1] = shown[0]
        return values

    return Effects(*explain(active, value_of))


def explain_factors(
    model: HarmModel, features: Features, rows: int, unknown: Collection[str] = (), of: Of = "harm"
) -> FactorExplanation:
    """The factor view of one nominal's score (see the module), contributions largest first.

    `unknown` names factors whose figure was not given: what stands in for it is never told as a fact. `of` says which
    number of the answer is explained.
    """
    target, words = TARGETS[of], WORDS[model.bundle.manifest.subject.perspective]
    effects, ends = factor_effects(model, features, rows, target)
    names = list(factors_of(model))
    order = sorted(range(len(names)), key=lambda factor: -abs(effects[factor, 0]))
    record = features[0, -rows:]
    contributions = [
        _contribution(model, record, names[factor], effects[factor], target, known=names[factor] not in unknown)
        for factor in order
    ]
    return whole_view(
        FactorExplanation,
        "factors",
        target,
        model,
        ends,
        contributions,
        reference=_REFERENCE.format(people=words.people, person=words.person),
        against=_AGAINST,
        otherwise=_NOTHING,
        limits=target.limits(model.bundle.manifest, rows),
    )


def _reference(medians: Features, own: Features, rows: int) -> Features:
    """The record compared with, float32 (20, 19): medians where the nominal has incidents, own gender, own padding."""
    reference = np.zeros_like(own)
    reference[ROWS - rows :] = medians[ROWS - rows :]
    reference[:, COLUMN["gender"]] = own[:, COLUMN["gender"]]
    return reference


def _contribution(
    model: HarmModel, record: Features, name: str, effects: Floats, target: Target, *, known: bool
) -> FactorShare:
    evidence = _evidence(record, name)
    if not known:
        evidence = dict.fromkeys(evidence, None) | {"incidents": evidence["incidents"]}
    place = None
    headline = _HEADLINE.get(name)
    alone = len(record) == 1 and name in {"timing", "harm pattern"}
    if headline is not None and known and not alone:
        scale = model.bundle.manifest.population_percentiles[headline]
        place = standing(scale, float(record[-1, COLUMN[headline]]))
        evidence["population_percentile"] = place.percentile
    unseen = not set(FACTORS[name]) & set(target.seen)
    with_it = target.unseen if unseen else moves(float(effects[0]), target.called)
    return FactorShare(
        name=name,
        effect=float(effects[0]),
        effect_top_two=second(effects),
        evidence=evidence,
        text=f"{fact(name, evidence, place, WORDS[model.bundle.manifest.subject.perspective], known=known)}. {with_it}.",
    )


def _evidence(record: Features, name: str) -> dict[str, float | None]:
    """The nominal's own figures behind a factor; `record` real rows only, (rows, 19), oldest first."""
    index = {feature: round(float(record[-1, column]), 4) for feature, column in COLUMN.items()}
    count = {feature: float(record[:, COLUMN[feature]].sum()) for feature in FEATURES if feature.startswith("is_")}
    incidents = float(len(record))
    figures: dict[str, dict[str, float | None]] = {
        "age": {"age_at_index": index["age_at_offence"]},
        "harm severity": {
            "cumulative_harm": index["cumulative_harm"],
            "highest_harm": float(record[:, COLUMN["harm_score"]].max()),
            "index_harm": index["harm_score"],
        },
        "harm pattern": {
            "index_harm_rate": index["harm_rate"],
            "harm_momentum_decayed": index["harm_momentum_decayed"],
        },
        "timing": {
            "days_since_previous": index["days_since_previous"] if incidents > 1 else None,
            "days_covered": float(record[0, COLUMN["days_to_day_zero"]]),
        },
        "offence types": {key: count[f"is_{key}"] for key in ("harassment", "violent", "sexual")},
        "stalking pattern": {"stalking": count["is_stalking"]},
        "domestic context": {"domestic": count["is_domestic"]},
        "role": {"offender": count["is_offender"], "suspect": count["is_suspect"]},
        "custody": {"custody_appearances": index["custody_count"]},
        "victim contacts": {"victim_contacts": index["victim_contacts"]},
    }
    return {"incidents": incidents, **figures[name]}
