"""How far an extract shows the report's published figures: one row a figure, with its tolerance.

Every figure is measured on the loaded extract, as a force's own would be, never on the generator's inside.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.errors import SetupError
from app.harm.features import CLASSES, DAYS_A_YEAR, GENDER_CODES, OFFENDER, Ints
from training.extract import Extract
from training.extract_rules import Flags, placeholders
from training.labels import HORIZON_DAYS, Labelled, roles_known
from training.split import PUBLISHED_NOMINALS, split
from training.synthetic.people import ETHNICITIES

_STALKING, _HARASSMENT = CLASSES.index("stalking"), CLASSES.index("harassment")
_RAPE, _MURDER = "019", "001"
_AGE_BAND = 5.0


@dataclass(frozen=True)
class Row:
    """One figure: what the report (or, marked ours, the design) gives, the tolerance either way, and what was found.

    `tolerance` in the figure's own unit; NaN where the figure is only shown."""

    name: str
    published: float
    tolerance: float
    measured: float

    @property
    def passes(self) -> bool:
        """Within the tolerance; figures that are only shown always pass."""
        return math.isnan(self.tolerance) or abs(self.measured - self.published) <= self.tolerance


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


def fidelity(extract: Extract, labelled: Labelled) -> list[Row]:
    """Rows of the fidelity table that need no model, in the order of the report. Group rows need a few hundred
    nominals; without them they are left out."""
    place = np.full(len(extract.person_id), -1)
    place[labelled.person] = np.arange(len(labelled.person))
    view = _View(extract, labelled, roles_known(extract, extract.end).astype(np.int64), place)
    rows = [*_volumes(view), *_people(view), *_harm(view), *_contacts(view)]
    try:
        groups = split(labelled, seed=0).groups
    except SetupError:
        return rows
    return [*rows, *_groups(view, groups)]


def _volumes(view: _View) -> Iterator[Row]:
    extract, labelled = view.extract, view.labelled
    nominals = len(labelled.person)
    scale = nominals / PUBLISHED_NOMINALS
    yield Row("stalking incidents (2.1)", *_within(37_108 * scale, 0.03), labelled.counts["stalking-incidents"])
    yield Row("their other incidents (2.1)", *_within(420_901 * scale, 0.05), labelled.counts["other-incidents"])
    theirs = np.unique(extract.incident[view.theirs])
    stalking = theirs[extract.classes[theirs, _STALKING]]
    reclassified = extract.classes[stalking, _HARASSMENT].mean()
    yield Row("share reclassified harassment (2.1)", 13_203 / 28_300, 0.02, float(reclassified))
    charged = (view.final == OFFENDER) & extract.classes[extract.incident, _STALKING]
    charged &= (view.place[extract.person] >= 0) & (extract.occurred[extract.incident] <= extract.end - HORIZON_DAYS)
    share = len(np.unique(extract.person[charged])) / nominals
    yield Row("charged incidents only (app. 9)", 4_501 / PUBLISHED_NOMINALS, 0.02, share)
    yield from _times(extract, np.unique(extract.incident[view.final > 0]), scale)
    days, starts = labelled.histories.incidents.day, labelled.histories.starts
    same_day = np.diff(days) == 0
    same_day[starts[1:-1] - 1] = False
    yield Row("incidents on the day of the one before", math.nan, math.nan, float(same_day.mean()))


def _times(extract: Extract, suspected: Ints, scale: float) -> Iterator[Row]:
    """Weekly volume, growth and 1 January, over everyone in the extract."""
    days = extract.occurred[suspected[extract.classes[suspected, _STALKING]]]
    ago = extract.end - days
    weekly = (ago < HORIZON_DAYS).sum() / (HORIZON_DAYS / 7)
    yield Row("new stalking crimes a week (6)", *_within(147 * scale, 0.10), float(weekly))
    five = 5 * DAYS_A_YEAR
    growth = (ago < five).sum() / max(((ago >= five) & (ago < 2 * five)).sum(), 1)
    yield Row("stalking, last five years to five before", math.nan, math.nan, float(growth))
    january = placeholders(extract.occurred[suspected]).mean() * DAYS_A_YEAR
    yield Row("1 January to an average day", math.nan, math.nan, float(january))


def _people(view: _View) -> Iterator[Row]:
    labelled = view.labelled
    gender, day_zero = labelled.nominals.gender, labelled.histories.day_zero
    yield Row("male share (1.2)", 0.79, 0.03, float((gender == GENDER_CODES["male"]).mean()))
    ages = (day_zero - labelled.nominals.birth_day) / DAYS_A_YEAR
    counts, edges = np.histogram(ages[~np.isnan(ages)], bins=np.arange(10.0, 90.0, _AGE_BAND))
    peak = float(edges[np.argmax(counts)] + _AGE_BAND / 2)
    yield Row("commonest age (2.2)", 30.0, 10.0, peak)
    if view.extract.ethnicity is not None:
        recorded = view.extract.ethnicity[labelled.person].astype(str)
        published = np.array(list(ETHNICITIES.values())) / sum(ETHNICITIES.values())
        found = np.array([(recorded == name).mean() for name in ETHNICITIES])
        yield Row("largest gap in ethnicity (table 5)", 0.0, 0.01, float(np.abs(found - published).max()))


def _harm(view: _View) -> Iterator[Row]:
    harm, lengths = view.labelled.future_harm, view.labelled.histories.lengths
    yield Row("no harm in the 12 months (3.3.1)", 15_174 / PUBLISHED_NOMINALS, 0.015, float((harm == 0).mean()))
    yield Row("index-only histories (ours)", 0.30, 0.04, float((lengths == 1).mean()))
    middle, high = np.quantile(harm, (0.75, 0.98))
    yield Row("harm, 98th percentile to 75th (2.5)", *_within(129.0, 0.30), float(high / max(middle, 1.0)))


def _contacts(view: _View) -> Iterator[Row]:
    harm, contacts = view.labelled.future_harm, view.labelled.nominals.victim_contacts
    share = float((contacts == 0).mean())
    yield Row("no linked victim contact (2.4)", 7_348 / PUBLISHED_NOMINALS, 0.02, share)
    top = harm >= np.quantile(harm, 0.8)
    ratio = float(contacts[top].mean() / max(contacts[~top].mean(), 1e-9))
    yield Row("contacts, top 20 % to the rest (2.4)", 2.0, 0.3, ratio)


def _groups(view: _View, groups: Ints) -> Iterator[Row]:
    published = np.array([21_595, 3_932, 1_310, 1_442]) / PUBLISHED_NOMINALS
    found = np.bincount(groups, minlength=4) / len(groups)
    for name, share, tolerance, measured in zip(
        ("0-50", "50-80", "80-90", "90-100"), published, (0.02, 0.02, 0.005, 0.005), found, strict=True
    ):
        yield Row(f"group {name} (table 2)", float(share), tolerance, float(measured))
    top = groups == groups.max()
    yield Row("top group with a rape (4.2)", 50 / 283, 0.04, float(_did(view, _RAPE)[top].mean()))
    yield Row("top group with a murder (4.2)", 2 / 283, 0.007, float(_did(view, _MURDER)[top].mean()))


def _did(view: _View, class_code: str) -> Flags:
    """Labelled nominals with an offence of the class within a year after day zero, (N,)."""
    extract = view.extract
    rows = np.flatnonzero(view.theirs)
    nominal = view.place[extract.person[rows]]
    after = extract.occurred[extract.incident[rows]] - view.labelled.histories.day_zero[nominal]
    of_class = np.char.startswith(extract.code[extract.incident[rows]].astype(str), class_code)
    did = np.zeros(len(view.labelled.person), dtype=np.bool_)
    did[nominal[of_class & (after > 0) & (after <= HORIZON_DAYS)]] = True
    return did


def _within(published: float, share: float) -> tuple[float, float]:
    return published, published * share
