"""The order in which a clinic takes up its nominals (report, appendix 7). Pure: no HTTP, no database.

The nominal's own group of future harm comes first, whatever is known of a victim. Among nominals of one group the highest
group of their victims comes next, then how soon a curve falls, so that whoever needs the police soonest is seen soonest.
A victim's score can lift a nominal among their equals and never lower one: where none is sent it counts as the lowest
there is, and of several curves the one that falls soonest counts (ours).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from app.artifacts import GROUPS
from app.harm.survival import Curve

RULE = (
    "The nominal's own group of future harm comes first. Among nominals of one group the highest group among their "
    "victims' scores comes next, and then the curve that falls soonest, the nominal's or a victim's. A victim's score never "
    "lowers a nominal: a low one counts as if none had been sent."
)
LIMIT = (
    "An order of work proposed to people, not a measure of danger: a later place does not mean that anyone is safe, and "
    "people decide."
)


class Known(NamedTuple):
    """What is compared of one score: group 0..3, and of the 365 days after day zero how many its curve expects to be free
    of a further incident."""

    group: int
    days_free: int


@dataclass(frozen=True)
class Candidate:
    """A nominal's score and those of the victims; `index_only` where nothing but the index incident is known."""

    score_id: str
    nominal: Known
    victims: tuple[Known, ...] = ()
    index_only: bool = False

    @property
    def victim_group(self) -> int:
        """The highest group among the victims' scores, the lowest there is where none was sent."""
        return max((victim.group for victim in self.victims), default=0)

    @property
    def days_free(self) -> int:
        """Days free of a further incident by the curve that falls soonest."""
        return min(known.days_free for known in (self.nominal, *self.victims))

    @property
    def key(self) -> tuple[int, int, int]:
        """What decides, the smallest first."""
        return (-self.nominal.group, -self.victim_group, self.days_free)


class Position(NamedTuple):
    """A place in the order, from 1, and how many share it, themselves included; `reason` in words."""

    position: int
    candidate: Candidate
    shared_by: int
    reason: str


def days_free(curve: Curve) -> int:
    """Expected days without a further incident within the year, of a curve (366,): its sum over days 1 to 365."""
    return int(np.rint(curve[1:].sum()))


def in_order(candidates: Sequence[Candidate]) -> list[Position]:
    """Everyone in the order of the module, ties by score id; the order sent makes no difference."""
    found: list[Position] = []
    above = None
    for _, alike in groupby(sorted(candidates, key=lambda one: (one.key, one.score_id)), key=lambda one: one.key):
        tied, place = list(alike), len(found) + 1
        found += [Position(place, one, len(tied), _reason(one, above, tied=len(tied) > 1)) for one in tied]
        above = tied[0]
    return found


def _reason(one: Candidate, above: Candidate | None, *, tied: bool) -> str:
    said = [f"Own group {GROUPS[one.nominal.group]}; {_victims(one)}; {_curve(one)}.", _against(one, above)]
    if tied:
        said.append(
            "Others are the same in all three: they share this position and stand in the order of their score ids."
        )
    if one.index_only:
        said.append("Only the index incident is known of this nominal, which is no sign of low risk.")
    return " ".join(said)


def _victims(one: Candidate) -> str:
    if not one.victims:
        return "no victim's score was sent"
    return f"highest group among victims' scores {GROUPS[one.victim_group]}"


def _curve(one: Candidate) -> str:
    whose = "nominal" if one.nominal.days_free == one.days_free else "victim"
    return f"the curve that falls soonest is the {whose}'s, with {one.days_free} of 365 days expected free of a further incident"


def _against(one: Candidate, above: Candidate | None) -> str:
    """What sets it apart from whoever stands next above."""
    if above is None:
        return "Nobody here stands higher in what is compared."
    if above.nominal.group > one.nominal.group:
        return "Whoever stands above is of a higher group."
    if above.victim_group > one.victim_group:
        return "Next above is a nominal of the same group with a victim of a higher group."
    return "Next above is a nominal of the same group, equal in the victims' groups, whose curve falls sooner."
