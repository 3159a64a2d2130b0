"""What followed in the year after day zero, incident by incident: what nominals did by final roles, or victims suffered."""

from dataclasses import dataclass

import numpy as np

from app.extract.known import ROLES
from app.extract.load import Extract
from app.extract.rules import VICTIM_ROLE, Flags
from app.harm.features import Floats, Ints
from app.harm.harm_index import HarmIndex
from app.harm.subject import Perspective
from training.labels import HORIZON_DAYS, Labelled

RAPE, MURDER, ATTEMPTED_MURDER = "rape", "murder", "attempted murder"
NON_CRIME, UNLISTED = "non-crime", "offence not in the harm index"
_CLASSES = {"019": RAPE, "001": MURDER, "002": ATTEMPTED_MURDER}
"""Home Office classes the report names (section 4.2); every other offence goes by its recorded-crime subgroup."""


@dataclass(frozen=True)
class Following:
    """Columns over involvements: `nominal` row of the labelled, `incident` row of the extract, `harm` days."""

    nominal: Ints
    incident: Ints
    harm: Floats


def following(extract: Extract, labelled: Labelled, perspective: Perspective = "nominal") -> Following:
    """Everything counted into future harm: within (t0, t0 + 365], the role not taken back."""
    roles = ROLES[perspective]
    place = np.full(len(extract.person_id), -1)
    place[labelled.person] = np.arange(len(labelled.person))
    nominal = place[extract.person]
    after = extract.occurred[extract.incident] - labelled.histories.day_zero[nominal]
    counted = (nominal >= 0) & (roles(extract, extract.end) > 0) & (after > 0) & (after <= HORIZON_DAYS)
    incident = extract.incident[counted]
    return Following(nominal[counted], incident, extract.harm[incident])


def offence_names(extract: Extract, incidents: Ints, index: HarmIndex) -> list[str]:
    """A word for each incident: rape, murder, attempted murder, else the subgroup of the harm index."""
    return [
        NON_CRIME if non_crime else _name(code, index)
        for code, non_crime in zip(extract.code[incidents], extract.non_crime[incidents], strict=True)
    ]


def worst(happened: Following, count: int) -> tuple[Ints, Floats]:
    """Of each nominal the incident with most harm and that harm; -1 and 0 where nothing followed; (count,) each."""
    incident, harm = np.full(count, -1), np.zeros(count)
    order = np.lexsort((happened.harm, happened.nominal))
    last = order[np.flatnonzero(np.diff(happened.nominal[order], append=-1))]
    incident[happened.nominal[last]], harm[happened.nominal[last]] = happened.incident[last], happened.harm[last]
    return incident, harm


def same_victim(extract: Extract, index_incident: Ints, incident: Ints) -> tuple[Flags, Flags]:
    """Pairs (M,) of an index incident and a later one: whether both have a known victim, whether they share one."""
    victims = extract.role == VICTIM_ROLE
    of: dict[int, set[int]] = {}
    for row, person in zip(extract.incident[victims].tolist(), extract.person[victims].tolist(), strict=True):
        of.setdefault(row, set()).add(person)
    pairs = [
        (of.get(one, set()), of.get(other, set()))
        for one, other in zip(index_incident.tolist(), incident.tolist(), strict=True)
    ]
    known = np.array([bool(one and other) for one, other in pairs], dtype=np.bool_)
    return known, np.array([bool(one & other) for one, other in pairs], dtype=np.bool_)


def _name(code: str, index: HarmIndex) -> str:
    offence = index.lookup(code)
    return _CLASSES.get(code[:3]) or (offence.subgroup if offence else UNLISTED)
