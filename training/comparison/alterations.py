"""An extract with something left out or told too early, for ablations (report, appendices 9 and 10).

What each takes away from the histories is said in its docstring; who the people are and what they went on to do stays as
it was, except where only charged incidents count at all.
"""

from dataclasses import replace

import numpy as np

from app.extract.known import roles_known
from app.extract.load import Extract
from app.extract.rules import ELIMINATED_ROLE, OFFENDER_ROLE, SUSPECT_ROLE, VICTIM_ROLE, Flags
from app.harm.features import CLASSES, COLUMN, NO_DAY, OFFENDER, Features, Ints, features
from training.harm.fit import Data
from training.labels import Labelled

_DOMESTIC = CLASSES.index("domestic")


def only_charged(extract: Extract) -> Extract:
    """Incidents in which nobody was ultimately charged are not held against anyone (appendix 9): involvements are
    offenders' and victims' only, and count as charged from the start, as the report's final roles do."""
    kept = (roles_known(extract, extract.end) == OFFENDER) | (extract.role == VICTIM_ROLE)
    fewer = _involvements(extract, kept)
    role = np.where(fewer.role == VICTIM_ROLE, VICTIM_ROLE, OFFENDER_ROLE)
    return _with_settled_roles(fewer, role)


def without_domestic_non_crimes(extract: Extract) -> Extract:
    """Without incidents recorded as domestic and not as a crime (appendix 10)."""
    gone = extract.non_crime & extract.classes[:, _DOMESTIC]
    return _involvements(extract, ~gone[extract.incident])


def with_final_roles(extract: Extract, labelled: Labelled) -> Extract:
    """Roles as they stood in the end, known from the start: charges and eliminations of the future leak into histories.

    An index incident from which the nominal was eliminated later stays, so that the people are the same.
    """
    index_of = np.full(len(extract.person_id), -1)
    index_of[labelled.person] = labelled.index_incident
    is_index = index_of[extract.person] == extract.incident
    final = roles_known(extract, extract.end)
    role = np.select(
        [extract.role == VICTIM_ROLE, final == OFFENDER, (final > 0) | is_index],
        [VICTIM_ROLE, OFFENDER_ROLE, SUSPECT_ROLE],
        ELIMINATED_ROLE,
    )
    return _with_settled_roles(extract, role)


def without_gender(x: Features) -> Features:
    """Everyone's gender unknown."""
    changed = x.copy()
    changed[:, :, COLUMN["gender"]] = 0
    return changed


def histories_of(altered: Extract, data: Data) -> Features:
    """Features of the same people at the same day zero from an altered extract, (N, 20, 19)."""
    other = data.family.label(altered)
    if not np.array_equal(other.index_incident, data.labelled.index_incident):
        raise ValueError("an alteration moved a day zero")
    return features(other.histories, other.nominals, unknown_age=data.unknown_age)


def _with_settled_roles(extract: Extract, role: Ints) -> Extract:
    """These roles on every day: no dates of charge or elimination."""
    never = np.full(len(role), NO_DAY)
    return replace(extract, role=role.astype(np.int8), charged=never, eliminated=never)


def _involvements(extract: Extract, kept: Flags) -> Extract:
    """The extract with some involvements only; its incidents and persons stay."""
    names = ("incident", "person", "role", "charged", "eliminated")
    return replace(extract, **{name: getattr(extract, name)[kept] for name in names})
