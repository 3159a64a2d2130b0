"""How far an extract of stalking nominals shows the report's published figures, as far as that needs no model.

Every figure is measured on the loaded extract, as a force's own would be, never on the generator's inside.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.errors import SetupError
from app.extract.known import roles_known
from app.extract.load import Extract
from app.extract.rules import Flags, placeholders
from app.harm.features import CLASSES, DAYS_A_YEAR, GENDER_CODES, OFFENDER, Ints
from training.families import PUBLISHED_NOMINALS, STALKING_NOMINAL
from training.labels import HORIZON_DAYS, Labelled
from training.split import split
from training.synthetic.fidelity_rows import EXACT, OURS, SHOWN, Row, counted
from training.synthetic.people import ETHNICITIES

RAPE, MURDER = "019", "001"
"""Offence classes, the first three digits of a code."""
WEEKLY = 147
GROUPS = {"0-50": (21_595, 0.02), "50-80": (3_932, 0.02), "80-90": (1_310, 0.005), "90-100": (1_442, 0.005)}
"""Nominals by future harm (report, table 2), and by how much the share may differ."""
_STALKING, _HARASSMENT = CLASSES.index("stalking"), CLASSES.index("harassment")
_AGE_BAND = 5.0


@dataclass(frozen=True)
class _View:
    extract: Extract
    labelled: Labelled
    final: Ints
    place: Ints

    @property
    def theirs(self) -> Flags:
        """Involvements of labelled nominals by final roles."""
        return np.asarray((self.final > 0) & (self.place[self.extract.person] >= 0))


def _view(extract: Extract, labelled: Labelled) -> _View:
    place = np.full(len(extract.person_id), -1)
    place[labelled.person] = np.arange(len(labelled.person))
    return _View(extract, labelled, roles_known(extract, extract.end).astype(np.int64), place)


def fidelity(extract: Extract, labelled: Labelled, *, nominals: int | None = None) -> list[Row]:
    """Rows of the fidelity table that need no model, in the order of the report. Group rows need a few hundred
    nominals; without them they are left out. `nominals`: how many there should be (default: those there are)."""
    view = _view(extract, labelled)
    rows = [
        counted("labelled nominals", "table 2", nominals or len(labelled.person), EXACT, len(labelled.person)),
        *_volumes(view),
        *_people(view),
        *_harm(view),
        *_contacts(view),
    ]
    try:
        groups = split(labelled, parts=STALKING_NOMINAL.parts, seed=0).groups
    except SetupError:
        return rows
    return [*rows, *_groups(view, groups)]


def did(extract: Extract, labelled: Labelled, offence_class: str) -> Flags:
    """Labelled nominals with an offence of the class (three digits) within a year after day zero, (N,)."""
    view = _view(extract, labelled)
    rows = np.flatnonzero(view.theirs)
    nominal = view.place[extract.person[rows]]
    after = extract.occurred[extract.incident[rows]] - labelled.histories.day_zero[nominal]
    of_class = np.char.startswith(extract.code[extract.incident[rows]].astype(str), offence_class)
    found = np.zeros(len(labelled.person), dtype=np.bool_)
    found[nominal[of_class & (after > 0) & (after <= HORIZON_DAYS)]] = True
    return found


def _volumes(view: _View) -> Iterator[Row]:
    extract, labelled = view.extract, view.labelled
    nominals = len(labelled.person)
    scale = nominals / PUBLISHED_NOMINALS
    yield counted("stalking incidents", "2.1", 37_108 * scale, 0.03, labelled.counts["stalking-incidents"])
    yield counted("their other incidents", "2.1", 420_901 * scale, 0.05, labelled.counts["other-incidents"])
    theirs = np.unique(extract.incident[view.theirs])
    stalking = theirs[extract.classes[theirs, _STALKING]]
    reclassified = extract.classes[stalking, _HARASSMENT].mean()
    yield Row("share reclassified harassment", "2.1", 13_203 / 28_300, 0.02, float(reclassified))
    charged = (view.final == OFFENDER) & extract.classes[extract.incident, _STALKING]
    charged &= (view.place[extract.person] >= 0) & (extract.occurred[extract.incident] <= extract.end - HORIZON_DAYS)
    share = len(np.unique(extract.person[charged])) / nominals
    yield Row("charged incidents only", "app. 9", 4_501 / PUBLISHED_NOMINALS, 0.02, share)
    yield from _times(extract, np.unique(extract.incident[view.final > 0]), scale)
    days, starts = labelled.histories.incidents.day, labelled.histories.starts
    same_day = np.diff(days) == 0
    same_day[starts[1:-1] - 1] = False
    yield Row("incidents on the day of the one before", "2.1", math.nan, SHOWN, float(same_day.mean()))


def _times(extract: Extract, suspected: Ints, scale: float) -> Iterator[Row]:
    """Weekly volume, growth and 1 January, over everyone in the extract."""
    days = extract.occurred[suspected[extract.classes[suspected, _STALKING]]]
    ago = extract.end - days
    weekly = (ago < HORIZON_DAYS).sum() / (HORIZON_DAYS / 7)
    yield counted("new stalking crimes a week", "6", WEEKLY * scale, 0.10, float(weekly))
    five = 5 * DAYS_A_YEAR
    growth = (ago < five).sum() / max(((ago >= five) & (ago < 2 * five)).sum(), 1)
    yield Row("stalking, last five years to five before", "2.1", math.nan, SHOWN, float(growth), "times")
    january = placeholders(extract.occurred[suspected]).mean() * DAYS_A_YEAR
    yield Row("1 January to an average day", "2.1", math.nan, SHOWN, float(january), "times")


def _people(view: _View) -> Iterator[Row]:
    labelled = view.labelled
    gender, day_zero = labelled.nominals.gender, labelled.histories.day_zero
    yield Row("male share", "1.2", 0.79, 0.03, float((gender == GENDER_CODES["male"]).mean()))
    ages = (day_zero - labelled.nominals.birth_day) / DAYS_A_YEAR
    counts, edges = np.histogram(ages[~np.isnan(ages)], bins=np.arange(10.0, 90.0, _AGE_BAND))
    peak = float(edges[np.argmax(counts)] + _AGE_BAND / 2)
    yield Row("commonest age", "2.2", 30.0, 10.0, peak, "years")
    if view.extract.ethnicity is not None:
        recorded = view.extract.ethnicity[labelled.person].astype(str)
        for name, share in ethnicity_shares().items():
            yield Row(f"ethnicity: {name}", "table 5", share, 0.01, float((recorded == name).mean()))


def ethnicity_shares() -> dict[str, float]:
    """Published share of each ethnicity among stalkers (table 5)."""
    total = sum(ETHNICITIES.values())
    return {name: count / total for name, count in ETHNICITIES.items()}


def _harm(view: _View) -> Iterator[Row]:
    harm, lengths = view.labelled.future_harm, view.labelled.histories.lengths
    yield Row("no harm in the 12 months", "3.3.1", 15_174 / PUBLISHED_NOMINALS, 0.015, float((harm == 0).mean()))
    yield Row("index-only histories", OURS, 0.30, 0.04, float((lengths == 1).mean()))
    middle, high = np.quantile(harm, (0.75, 0.98))
    ratio = float(high / max(middle, 1.0))
    yield Row("harm, 98th percentile to 75th", "2.5", 129.0, 0.3 * 129.0, ratio, "times")


def _contacts(view: _View) -> Iterator[Row]:
    harm, contacts = view.labelled.future_harm, view.labelled.nominals.victim_contacts
    share = float((contacts == 0).mean())
    yield Row("no linked victim contact", "2.4", 7_348 / PUBLISHED_NOMINALS, 0.02, share)
    top = harm >= np.quantile(harm, 0.8)
    ratio = float(contacts[top].mean() / max(contacts[~top].mean(), 1e-9))
    yield Row("contacts, top 20 % to the rest", "2.4", 2.0, 0.3, ratio, "times")


def _groups(view: _View, groups: Ints) -> Iterator[Row]:
    found = np.bincount(groups, minlength=len(GROUPS)) / len(groups)
    for (name, (published, tolerance)), measured in zip(GROUPS.items(), found, strict=True):
        yield Row(f"group {name}", "table 2", published / PUBLISHED_NOMINALS, tolerance, float(measured))
    top = groups == groups.max()
    for name, offence_class, published, tolerance in (("rape", RAPE, 50, 0.04), ("murder", MURDER, 2, 0.007)):
        share = float(did(view.extract, view.labelled, offence_class)[top].mean())
        yield Row(f"top group with a {name}", "4.2", published / 283, tolerance, share)
