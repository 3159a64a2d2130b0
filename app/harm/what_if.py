"""The nearest change that moves the predicted group: which earlier incidents it hangs on, should they be found wrong.

Asked by whoever challenges a score or hears a challenge. Only earlier incidents are ever left out; nothing is said of age or
gender, and the index incident stays. The search is exact over the records that the incident view has computed anyway: every
subset of the ten most recent earlier incidents, with all older ones or without (ours).
"""

from collections.abc import Sequence

import numpy as np

from app.harm.explanation_answers import IncidentShare, Removal, WhatIf
from app.harm.features import Ints
from app.harm.incidents import Flags, IncidentEffects
from app.harm.model import group_name
from app.harm.shapley import Floats, coalitions
from app.harm.wording import percent, points

SHOWN = 5
NOTHING_EARLIER = "There is no earlier incident on record that could be found wrong."


def what_if(found: IncidentEffects, shares: Sequence[IncidentShare]) -> WhatIf:
    """Which fewest earlier incidents the predicted group hangs on; `shares` of the players of `found`, in their order."""
    values, groups = found.answers
    if groups is None:
        raise ValueError("what is explained here has no groups")
    sizes = np.array([len(player) for player in found.players], dtype=np.int64)

    def removal(row: int) -> Removal:
        # Players are counted from the most recent one; people read from the oldest.
        left_out = [shares[player] for player in reversed(range(len(shares))) if not row >> player & 1]
        return _removal(left_out, float(values[row, 0]), float(values[-1, 0]), int(groups[row]), int(groups[-1]))

    rows = nearest(groups != groups[-1], values[:, 0], sizes)
    lower = nearest(groups < groups[-1], values[:, 0], sizes)[:1]
    removals = [removal(row) for row in rows[:SHOWN]]
    lowering = removal(lower[0]) if lower else None
    return WhatIf(
        predicted_group=group_name(int(groups[-1])),
        incidents=removals[0].incidents if removals else None,
        sets=len(rows),
        removals=removals,
        lowering=lowering,
        statement=_told(int(groups[-1]), removals, len(rows), lowering, sizes),
    )


def nearest(moved: Flags, values: Floats, sizes: Ints) -> list[int]:
    """Records among those `moved` with the fewest incidents left out, the greatest change first.

    `moved` bool, `values` (2**P,) in the order of `coalitions`, the full record last; `sizes` (P,) incidents of each player.
    """
    rows = np.flatnonzero(moved)
    if not len(rows):
        return []
    left_out = (~coalitions(len(sizes)) @ sizes)[rows]
    fewest = rows[left_out == left_out.min()]
    order = np.argsort(-np.abs(values[fewest] - values[-1]), kind="stable")
    return [int(row) for row in fewest[order]]


def _removal(removed: Sequence[IncidentShare], value: float, shown: float, group: int, now: int) -> Removal:
    """One record: what it leaves out, its value and group, and those of the full record."""
    known = [share.evidence.incident_id for share in removed if share.evidence.incident_id is not None]
    incidents = sum(share.evidence.incidents for share in removed)
    direction = "lower" if group < now else "higher"
    return Removal(
        incidents=incidents,
        incident_ids=known,
        older_incidents=incidents - len(known),
        predicted_group=group_name(group),
        value=value,
        difference_points=100 * (value - shown),
        text=(
            f"Were {_listed([_called(share) for share in removed])} found wrong and removed, the predicted group would be "
            f"{group_name(group)}, a {direction} one than {group_name(now)}. The estimate would be {percent(value)} instead of "
            f"{percent(shown)} ({points(value - shown)})."
        ),
    )


def _called(share: IncidentShare) -> str:
    name = share.evidence.incident_id
    return f"the {share.evidence.incidents} older incidents" if name is None else f"{share.name} (incident {name})"


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _told(group: int, removals: Sequence[Removal], sets: int, lowering: Removal | None, sizes: Ints) -> str:
    """The whole in words; with nothing earlier there is nothing to try."""
    if not len(sizes):
        return NOTHING_EARLIER
    together = f" The {sizes[-1]} older incidents were only tried together." if sizes[-1] > 1 else ""
    if not removals:
        stays = f"the predicted group would stay {group_name(group)}"
        return f"Whichever earlier incidents were found wrong and removed, {stays}.{together}"
    first, *_ = removals
    ways = (
        f"There are {sets} ways to move the predicted group by removing {first.incidents} of the earlier incidents, and none by "
        f"removing fewer. The one with the greatest change: "
    )
    return f"{ways if sets > 1 else ''}{first.text}{_lower(group, first, lowering)}{together}"


def _lower(group: int, first: Removal, lowering: Removal | None) -> str:
    """What would lower the group, where that is not what was just told."""
    if group == 0 or lowering == first:
        return ""
    return " No removal would lower it." if lowering is None else f" What would lower it: {lowering.text}"
