"""Who may harm a labelled victim after day zero, and what is settled of them by then.

Three kinds of people harm a victim in a synthetic force. Nominals whose principal victim they are, one or two of a
company, by their conduct and by what they do to a partner: these are brought to the victim's day zero as the nominals of
`scenes` are to their own. Others who harm no one else: what they do is one process of the victim's own, which goes on from
what had truly been done by then, charges and prison included. Strangers, in single incidents: whoever is harmed so is
never harmed by that stranger again, and is labelled only where it was as a second victim of conduct.

Where the victim is a nominal themselves, they are simulated beside the one who harms them: an incident they take part in
as a companion is not one they are a victim of.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import SetupError
from app.harm.features import Ints
from training.oracle.scenes import NOBODY, NOT_OF_THIS_EXTRACT, SPENT_DELAYS, Roles, Scenes, last_days, staged
from training.synthetic.latents import Latents
from training.synthetic.others import Settled
from training.synthetic.people import People
from training.synthetic.police import NEVER

_LONG_BEFORE = np.iinfo(np.int64).min


@dataclass(frozen=True)
class VictimMoments:
    """Scoring moments of N labelled victims: `day_zero` (N,); `harmers` (N, H) rows of the latents' people who harm them,
    and `index_day` (N, H) the last day conduct of each that stands under day zero truly happened; `nominal` (N,) their own
    row among these people, `exposed` (N,) their row among the victims whom others harm; `NOBODY` where there is none. The
    day looked back from, `as_of`, and the extract's last, `end`."""

    day_zero: Ints
    harmers: Ints
    index_day: Ints
    nominal: Ints
    exposed: Ints
    as_of: int
    end: int

    def take(self, rows: Ints) -> "VictimMoments":
        """The given moments."""
        names = ("day_zero", "harmers", "index_day", "nominal", "exposed")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


class Others(NamedTuple):
    """Those of N victims whom others may harm, `moment` (W,): `people` as that process sees them, and what is `settled`."""

    moment: Ints
    people: People
    settled: Settled


def victim_moments(latents: Latents, person_id: NDArray[np.object_], day_zero: Ints) -> VictimMoments:
    """Find labelled victims in the latents. Raises SetupError where the latents are not those of the extract."""
    end, as_of = last_days(latents)
    whom = _places(person_id, latents.victim_id)
    nominal, exposed = (_places(ids, person_id) for ids in (latents.person_id, latents.exposed_id))
    acts, told = latents.acts, latents.told
    counts = latents.world.is_conduct(acts.kind) & (told <= as_of)
    last = np.full(len(latents.people), _LONG_BEFORE)
    np.maximum.at(last, acts.person[counts], told[counts])
    harmers = _harmers(whom, len(person_id))
    someone = harmers != NOBODY
    latest = np.where(someone, last[harmers], _LONG_BEFORE).max(axis=1, initial=_LONG_BEFORE)
    followed = someone.any(axis=1)
    unknown = ~followed & ((nominal != NOBODY) | ((exposed == NOBODY) & (latents.world.others_rate > 0.0)))
    if (latest != day_zero)[followed].any() or unknown.any() or not followed.any():
        raise SetupError(NOT_OF_THIS_EXTRACT)
    index = counts & (whom[acts.person] != NOBODY)
    index &= told == day_zero[whom[acts.person]]
    happened = np.full(len(latents.people), _LONG_BEFORE)
    np.maximum.at(happened, acts.person[index], acts.day[index])
    return VictimMoments(
        day_zero, harmers, np.where(someone, happened[harmers], _LONG_BEFORE), nominal, exposed, as_of, end
    )


def victim_scenes(latents: Latents, moments: VictimMoments) -> Scenes:
    """One scene a moment: whoever harms the victim, then the victim where they are a nominal; empty where there is nobody."""
    cast = np.column_stack([moments.harmers, moments.nominal])
    moment, place = np.nonzero(cast != NOBODY)
    plays_self = place == cast.shape[1] - 1
    until = moments.day_zero[moment]
    index_day = np.column_stack([moments.index_day, np.full(len(cast), _LONG_BEFORE)])[moment, place]
    roles = Roles(cast[moment, place], moment, plays_self, ~plays_self)
    return staged(latents, roles, until, np.maximum(until, index_day), moments.as_of)


def others_of(latents: Latents, moments: VictimMoments, last: Ints) -> Others:
    """What others had done to each victim by day zero, less what can have no effect any more; up to `last` (N,) it goes on."""
    moment = np.flatnonzero(moments.exposed != NOBODY)
    place = np.full(len(latents.exposed_id), NOBODY)
    place[moments.exposed[moment]] = np.arange(len(moment))
    suffered, until = latents.exposed.suffered, moments.day_zero[moment]
    row = place[suffered.acts.person]
    since = until[row] - suffered.acts.day if len(moment) else np.zeros(len(row), dtype=np.int64)
    released = suffered.casework.released
    recent = since <= SPENT_DELAYS * latents.world.excitement_days
    held = (released < NEVER) & (released - suffered.acts.day > since)
    kept = np.flatnonzero((row != NOBODY) & (since >= 0) & (recent | held))
    past = suffered.take(kept)
    past = replace(past, acts=replace(past.acts, person=row[kept]))
    return Others(moment, latents.exposed.people.take(moments.exposed[moment]), Settled(past, until, last[moment]))


def _places(ids: NDArray[np.object_], wanted: NDArray[np.object_]) -> Ints:
    """Row among `ids` of each of the `wanted`, `NOBODY` where it is not there."""
    places = {name: row for row, name in enumerate(ids.tolist())}
    return np.array([places.get(name, NOBODY) for name in wanted.tolist()], dtype=np.int64)


def _harmers(whom: Ints, count: int) -> Ints:
    """Rows of those who harm each of `count` victims, (count, H), as many columns as the most have, from `whom` each harms."""
    order = np.argsort(whom, kind="stable")
    order = order[whom[order] != NOBODY]
    victim = whom[order]
    place = np.arange(len(victim)) - np.searchsorted(victim, victim)
    harmers = np.full((count, int(place.max(initial=-1)) + 1), NOBODY)
    harmers[victim, place] = order
    return harmers
