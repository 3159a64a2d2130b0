"""Futures of victims under the exact rule of the labels, simulated with the generator's own code.

What nominals go on to do to a victim is simulated as for the oracle of nominals, and thrown away where it holds another
day zero: conduct against that victim, on record by the as-of date. What others do to the victim has nothing to do with
that, given what is settled, so it is simulated once for every future that was kept, and added.

An incident counts for a victim whatever becomes of whoever was suspected of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from app.harm.features import Ints
from app.harm.harm_index import HarmIndex
from training.labels import HORIZON_DAYS
from training.oracle.futures import FUTURES, Futures, Task, in_parts, kept, on_record, summed
from training.oracle.scenes import Scenes
from training.oracle.victims import Others, VictimMoments, others_of, victim_scenes
from training.synthetic.casefile import companions, harms_principal, names_victim
from training.synthetic.latents import Latents
from training.synthetic.others import Settled, suffer
from training.synthetic.world import World

_A_YEAR_AT_MOST = 366
"""An incident may stand under 1 January of its year."""


@dataclass(frozen=True)
class _Stage:
    """What is settled of some victims: `scenes` of those who harm them, what `others` do."""

    moments: VictimMoments
    scenes: Scenes
    others: Others
    world: World


def simulate_victims(
    latents: Latents,
    moments: VictimMoments,
    index: HarmIndex,
    *,
    seed: int,
    futures: int = FUTURES,
    jobs: int = 1,
    done: Callable[[], None] = lambda: None,
) -> Futures:
    """Simulate `futures` futures of every moment; as `training.oracle.futures.simulate` otherwise."""

    def task(rows: Ints, child: np.random.SeedSequence) -> Task:
        part = moments.take(rows)
        last = np.minimum(part.end, part.day_zero + HORIZON_DAYS + _A_YEAR_AT_MOST)
        stage = _Stage(part, victim_scenes(latents, part), others_of(latents, part, last), latents.world)
        return partial(_futures, stage, index, futures, child)

    return in_parts(task, len(moments.day_zero), seed=seed, jobs=jobs, done=done)


def _futures(stage: _Stage, index: HarmIndex, futures: int, seed: np.random.SeedSequence) -> Futures:
    rng = np.random.default_rng(seed)
    known = kept(lambda times: _by_nominals(rng, stage, times, index), len(stage.moments.day_zero), futures)
    more = _by_others(rng, stage, index, futures)
    return Futures(known.harm + more.harm, np.minimum(known.first_day, more.first_day))


def _by_nominals(
    rng: np.random.Generator, stage: _Stage, times: Ints, index: HarmIndex
) -> tuple[NDArray[np.bool_], Futures]:
    """One future of each scene, `times` (N,) of each moment: whether it meets the condition, harm and first day."""
    cast, moments = stage.scenes.repeated(times), stage.moments
    day_zero = np.repeat(moments.day_zero, times)
    incidents, casework = on_record(rng, cast, stage.world, moments.end)
    whose = cast.people.company[incidents.owner]
    theirs = harms_principal(incidents) & names_victim(rng, incidents) & ~cast.plays_self[incidents.owner]

    again = theirs & incidents.conduct & (incidents.day > day_zero[whose]) & (incidents.day <= moments.as_of)
    meets = np.ones(len(day_zero), dtype=np.bool_)
    meets[whose[again]] = False

    together = companions(rng, cast.people, incidents, casework, stage.world)
    theirs[together.incident[cast.plays_self[together.person]]] = False
    counted = np.flatnonzero(theirs)
    return meets, summed(rng, incidents.take(counted), whose[counted], day_zero, stage.world, index)


def _by_others(rng: np.random.Generator, stage: _Stage, index: HarmIndex, futures: int) -> Futures:
    """Harm and first day by others in every future, (N, F) each."""
    moment, people, settled = stage.others
    shape = (len(stage.moments.day_zero), futures)
    size, acts = len(moment), settled.suffered.acts
    if not size:
        return Futures(np.zeros(shape), np.full(shape, HORIZON_DAYS + 1))
    people = people.take(np.tile(np.arange(size), futures))
    past = settled.suffered.take(np.tile(np.arange(len(acts)), futures))
    person = past.acts.person + np.repeat(np.arange(futures) * size, len(acts))
    past = replace(past, acts=replace(past.acts, person=person))
    over = Settled(past, np.tile(settled.until, futures), np.tile(settled.last, futures))
    _, incidents, _ = suffer(rng, people, stage.world, stage.moments.end, over)
    scene = np.tile(moment, futures) * futures + np.repeat(np.arange(futures), size)
    day_zero = np.repeat(stage.moments.day_zero, futures)
    found = summed(rng, incidents, scene[incidents.owner], day_zero, stage.world, index)
    return Futures(found.harm.reshape(shape), found.first_day.reshape(shape))
