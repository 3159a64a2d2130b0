"""The fairness section of an evaluation: every audit of one bench, suppressed, in plain values.

True harm and suspicion are asked of those who harm only. Who suffered what went unrecorded is not among the latents, and
nobody is accused of having been harmed.
"""

from typing import Any, NamedTuple

import numpy as np

from app.extract.rules import Flags
from app.harm.features import Ints
from app.harm.harm_index import index_in_force
from app.settings import read_settings
from training.evaluation.bench import Bench
from training.evaluation.standing import PUBLISHED, stands_for
from training.fairness.attributes import Attribute, attributes_of, never_charged
from training.fairness.audit import LEVEL, REPLICATES, Divided, Measured, measured, verdicts
from training.fairness.crossfit import CrossFitted, cross_fitted
from training.fairness.ethnicity_from_features import ethnicity_from_features
from training.fairness.rates import Audited, audited, flag_cells, largest_gaps, miss_cells
from training.fairness.suppression import SMALLEST, Shown, hidden, shown
from training.fairness.trial import dealt_anew, fresh_forces
from training.families import STALKING_NOMINAL
from training.harm.fit import Data
from training.harm.measure import round_floats
from training.harm.progress import Stages
from training.split import harm_groups
from training.synthetic.truth import true_future_harm

RECORDED, TRUE = "recorded", "true"
EVERYONE, NEVER_CHARGED = "everyone", "never charged"
_FLAGS = (
    "flag_rate",
    "false_positive_rate",
    "precision",
    "truly_top_two",
    "found_to_expected",
    "flagged_at_equal_harm",
    "auc_top_against_lowest",
)
_FLAG_CELLS = ("lower_unflagged", "lower_flagged", "top_two_unflagged", "top_two_flagged")
_MISS_CELLS = ("seen", "missed")
_TRIED_THERE = (
    "The audit itself was tried on fresh forces once, in the evaluation of stalking nominals: it is the same code."
)
_NOT_TRUE = (
    "Harm that victims suffered and nobody recorded is not known even of invented people, so the audit asks about recorded "
    "harm only, which carries whatever bias recording has."
)
_MISSES = ("false_negative_rate", "top_2_accuracy")


class _Hidden(NamedTuple):
    """Groups (G,) of an attribute that do not stand alone: in tables of flags, and of what is missed."""

    flags: Flags
    misses: Flags


def measure_fairness(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Audits against recorded and, of those who harm in a synthetic force, true harm; for everyone and for suspects never
    charged."""
    data, answers = bench.data, cross_fitted(bench, stages)
    attributes = attributes_of(data)
    accounts = _accounts(bench)
    told: dict[str, Any] = {
        "predictions": "cross-fitted over five folds of connected people, with the artefact's cuts and settings",
        "nominals": len(data.x),
        "smallest_cell": SMALLEST,
        "level": LEVEL,
        "replicates": REPLICATES,
        "audits": audits(data, accounts, answers, bench.seed, stages),
    }
    with stages.stage("Trying the audit", 1):
        told["tried_on_dealt_attributes"] = dealt_anew(
            audited(accounts[-1][1], answers), attributes, data.labelled.component, bench.seed
        )
    if attributes[0].name == "ethnicity":
        with stages.stage("Ethnicity from features", 1):
            told["ethnicity_from_features"] = ethnicity_from_features(data, attributes[0], bench.seed)
    if data.family is not STALKING_NOMINAL:
        told["remarks"] = [_TRIED_THERE, *([_NOT_TRUE] if data.family.subject.perspective == "victim" else [])]
    elif stands_for(bench.name) == PUBLISHED:
        told["tried_on_fresh_forces"] = fresh_forces(bench.jobs, stages)
    rounded: dict[str, Any] = round_floats(told)
    return rounded


def _accounts(bench: Bench) -> list[tuple[str, Ints]]:
    """Harm groups by what was recorded and, where it is known, by what was done; the artefact's cuts for both."""
    data = bench.data
    accounts = [(RECORDED, data.split.groups)]
    if bench.latents is not None and data.family.subject.perspective == "nominal":
        index = index_in_force(read_settings().harm_index)
        harm = true_future_harm(data.extract, data.labelled, bench.latents, index)
        accounts.append((TRUE, harm_groups(harm, data.split.cuts)))
    return accounts


def audits(
    data: Data, accounts: list[tuple[str, Ints]], answers: CrossFitted, seed: int, stages: Stages
) -> list[dict[str, Any]]:
    """Every account of harm for everyone and for suspects never charged, with one set of hidden groups for all; of victims
    for everyone."""
    attributes, uncharged = attributes_of(data), never_charged(data)
    everyone = np.ones(len(uncharged), dtype=np.bool_)
    people = {name: audited(groups, answers) for name, groups in accounts}
    whole = {one.name: _hidden([_cells(who, one) for who in people.values()], None) for one in attributes}
    if data.family.subject.perspective == "victim":
        divisions = [(EVERYONE, everyone, whole)]
    else:
        part = _part(people, attributes, uncharged, whole)
        divisions = [(EVERYONE, everyone, whole), (NEVER_CHARGED, uncharged, part)]
    told = []
    with stages.stage("Fairness audits", len(divisions) * len(people)) as done:
        for name, who in people.items():
            for label, rows, hides in divisions:
                views = {one.name: _views(one.take(rows), hides[one.name]) for one in attributes}
                divided = {key: Divided(flags.attribute, misses.attribute) for key, (flags, misses) in views.items()}
                found = measured(who.take(rows), divided, data.labelled.component[rows], seed=seed)
                told.append(
                    {
                        "harm": name,
                        "people": label,
                        "nominals": int(rows.sum()),
                        "attributes": _told(found, views, divided, who.take(rows)),
                    }
                )
                done()
    return told


def _part(
    people: dict[str, Audited], attributes: list[Attribute], uncharged: Flags, whole: dict[str, _Hidden]
) -> dict[str, _Hidden]:
    """What is hidden of suspects never charged: also what their difference to everyone would show."""
    return {
        one.name: _hidden(
            [_cells(who.take(rows), one.take(rows)) for who in people.values() for rows in (uncharged, ~uncharged)],
            whole[one.name],
        )
        for one in attributes
    }


def _cells(people: Audited, attribute: Attribute) -> tuple[Ints, Ints]:
    return flag_cells(people, attribute), miss_cells(people, attribute)


def _hidden(cells: list[tuple[Ints, Ints]], already: _Hidden | None) -> _Hidden:
    """One answer for every table that shows the attribute, so that two tables never differ by a hidden group."""
    flags = hidden(np.hstack([flags for flags, _ in cells]), already.flags if already else None)
    misses = hidden(np.hstack([misses for _, misses in cells]), already.misses if already else None)
    return _Hidden(flags, misses)


def _views(attribute: Attribute, hides: _Hidden) -> tuple[Shown, Shown]:
    return shown(attribute, hides.flags), shown(attribute, hides.misses)


def _told(
    found: Measured, views: dict[str, tuple[Shown, Shown]], divided: dict[str, Divided], people: Audited
) -> dict[str, Any]:
    """Tables and verdict of each attribute; nothing but the verdict where only one group may be shown."""
    judged = verdicts(found, divided)
    return {
        name: {
            **judged[name],
            "largest_gaps": largest_gaps(people, divided[name].flags),
            "flags": _rows(found, name, views[name][0], flag_cells(people, divided[name].flags), _FLAGS),
            "misses": _rows(found, name, views[name][1], miss_cells(people, divided[name].misses), _MISSES),
        }
        for name in divided
    }


def _rows(found: Measured, name: str, view: Shown, cells: Ints, measures: tuple[str, ...]) -> list[dict[str, Any]]:
    names = _FLAG_CELLS if measures == _FLAGS else _MISS_CELLS
    rows = []
    for place, group in enumerate(view.attribute.groups):
        together = view.together and place == len(view.attribute.groups) - 1
        rows.append(
            {
                "group": group,
                "together": list(view.together) if together else None,
                "counts": dict(zip(names, cells[place].tolist(), strict=True)),
                **{measure: found.told(f"{name}.{group}.{measure}") for measure in measures},
            }
        )
    return rows
