"""Futures of nominals under the exact rule of the labels, simulated with the generator's own code.

Day zero is the last incident on record that begins a case up to the as-of date, so a future with another on record between
them is not a future of that day zero: it is thrown away and another is drawn (rejection). That is exact, since the real
future was kept by the same rule. For a day zero long past this throws away about as many as it keeps.

The label counts what is on record at the end of the extract: an incident must have happened (nobody offends from
prison), been recorded by then, not ended in elimination, and stand under a day of the year after day zero.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.errors import SetupError
from app.extract.rules import UNSCORED_DOMESTIC_HARM
from app.harm.features import Floats, Ints
from app.harm.harm_index import HarmIndex
from training.harm.parallel import run
from training.labels import HORIZON_DAYS
from training.oracle.scenes import Moments, Scenes, scenes
from training.synthetic.casefile import Incidents, companions, record
from training.synthetic.dirt import lost, unscored
from training.synthetic.latents import Latents
from training.synthetic.police import NEVER, Casework, drop_acts_in_prison, work
from training.synthetic.process import joined, live
from training.synthetic.world import World

FUTURES, LARGE_FUTURES = 200, 100
_CHUNK = 100
_SPARE = 1.25
_ROUNDS = 60
_LATE_SPARE, _LATE_ROUNDS = 25.0, 20
"""For the few whose conditions hardly any future meets: more draws a round, once the usual rounds did not do."""
_LONG_AGO = -1_000_000


@dataclass(frozen=True)
class Futures:
    """Of N nominals and F futures: `harm` (N, F) days on record in the year after day zero; `first_day` (N, F) days to
    the first further incident on record, 366 for none within 365."""

    harm: Floats
    first_day: Ints


Task = Callable[[], Futures]


def simulate(
    latents: Latents,
    moments: Moments,
    index: HarmIndex,
    *,
    seed: int,
    futures: int = FUTURES,
    jobs: int = 1,
    done: Callable[[], None] = lambda: None,
) -> Futures:
    """Simulate `futures` futures of every moment. `done` is called `chunks(N)` times; `jobs` changes no number.

    Raises SetupError where someone's conditions are met by too few futures to go on.
    """

    def task(rows: Ints, child: np.random.SeedSequence) -> Task:
        part = moments.take(rows)
        return partial(_kept_futures, scenes(latents, part), part, latents.world, index, futures, child)

    return in_parts(task, len(moments.person), seed=seed, jobs=jobs, done=done)


def in_parts(
    task: Callable[[Ints, np.random.SeedSequence], Task],
    count: int,
    *,
    seed: int,
    jobs: int,
    done: Callable[[], None],
) -> Futures:
    """Futures of `count` moments, simulated in pieces: `task` of rows and a seed of their own gives each."""
    places = np.array_split(np.arange(count), chunks(count))
    seeds = np.random.SeedSequence(seed).spawn(len(places))
    found = run([task(*piece) for piece in zip(places, seeds, strict=True)], jobs=jobs, done=done)
    return Futures(*(np.concatenate([getattr(part, name) for part in found]) for name in ("harm", "first_day")))


def chunks(count: int) -> int:
    """Into how many pieces of work `count` moments fall."""
    return max(1, -(-count // _CHUNK))


def _kept_futures(
    stage: Scenes, moments: Moments, world: World, index: HarmIndex, futures: int, seed: np.random.SeedSequence
) -> Futures:
    rng = np.random.default_rng(seed)
    return kept(lambda times: _draw(rng, stage.repeated(times), moments, world, index), len(moments.person), futures)


def kept(draw: Callable[[Ints], tuple[NDArray[np.bool_], Futures]], count: int, futures: int) -> Futures:
    """Draw futures until everyone has enough that meet the condition; the first ones drawn are taken.

    `draw` takes how many to draw of each moment, (N,), and gives which meet the condition, and the futures. Raises
    SetupError where too few do.
    """
    harm, first_day = np.empty((count, futures)), np.empty((count, futures), dtype=np.int64)
    have = np.zeros(count, dtype=np.int64)
    for spare in [_SPARE] * _ROUNDS + [_LATE_SPARE] * _LATE_ROUNDS:
        times = np.where(have < futures, np.ceil(spare * (futures - have)).astype(np.int64) + 1, 0)
        scene = np.repeat(np.arange(count), times)
        meets, drawn = draw(times)
        reached = np.append(0, np.cumsum(meets))
        place = (have - reached[np.cumsum(times) - times])[scene] + reached[:-1]
        rows = np.flatnonzero(meets & (place < futures))
        harm[scene[rows], place[rows]] = drawn.harm[rows]
        first_day[scene[rows], place[rows]] = drawn.first_day[rows]
        have += np.bincount(scene[rows], minlength=count)
        if (have == futures).all():
            return Futures(harm, first_day)
    raise SetupError("Too few futures meet the conditions of a day zero. Take an extract that ends sooner after it.")


def _draw(
    rng: np.random.Generator, cast: Scenes, moments: Moments, world: World, index: HarmIndex
) -> tuple[NDArray[np.bool_], Futures]:
    """One future of each scene: whether it meets the condition, its harm and first day, each (scenes,)."""
    incidents, casework = on_record(rng, cast, world, moments.end)
    scene = cast.people.company
    day_zero = np.full(scene.max() + 1, 0)
    day_zero[scene] = moments.day_zero[cast.moment]

    cleared_at_once = casework.eliminated <= incidents.recorded
    again = incidents.conduct & ~cleared_at_once & cast.plays_self[incidents.owner]
    again &= (incidents.day > day_zero[scene[incidents.owner]]) & (incidents.day <= moments.as_of)
    meets = np.ones(len(day_zero), dtype=np.bool_)
    meets[scene[incidents.owner[again]]] = False

    own = np.flatnonzero(cast.plays_self[incidents.owner] & (casework.eliminated == NEVER))
    shared = companions(rng, cast.people, incidents, casework, world)
    counted = np.concatenate([own, shared.incident[cast.plays_self[shared.person]]])
    return meets, summed(rng, incidents.take(counted), scene[incidents.owner[counted]], day_zero, world, index)


def summed(
    rng: np.random.Generator, incidents: Incidents, whose: Ints, day_zero: Ints, world: World, index: HarmIndex
) -> Futures:
    """Harm and first day, (S,) each, of S scenes with `day_zero` (S,), from the incidents that fall on scene `whose`, (M,)."""
    after = incidents.day - day_zero[whose]
    within = np.flatnonzero((after > 0) & (after <= HORIZON_DAYS))
    whose, after = whose[within], after[within]
    days, known = _harm(rng, incidents.take(within), world, index)
    first = np.full(len(day_zero), HORIZON_DAYS + 1)
    np.minimum.at(first, whose[known], after[known])
    total = np.zeros(len(day_zero))
    np.add.at(total, whose[known], days[known])
    return Futures(total, first)


def on_record(rng: np.random.Generator, cast: Scenes, world: World, end: int) -> tuple[Incidents, Casework]:
    """What comes on record after the past; past spells in prison, which companions heed too, stand before all windows."""
    acts, _ = live(rng, cast.people, world, end, cast.past)
    settled = len(cast.past.acts)
    new = work(rng, cast.people, acts.take(np.arange(settled, len(acts))), world, end)
    casework = joined([cast.casework, new])
    is_new = np.arange(len(acts)) >= settled
    seen = drop_acts_in_prison(acts, casework) & (casework.recorded < NEVER)
    rows = np.flatnonzero(seen & (is_new | (casework.imprisoned < NEVER)))
    casework = casework.take(rows)
    incidents = record(rng, acts.take(rows), casework, world)
    return replace(incidents, day=np.where(is_new[rows], incidents.day, _LONG_AGO)), casework


def _harm(
    rng: np.random.Generator, incidents: Incidents, world: World, index: HarmIndex
) -> tuple[Floats, NDArray[np.bool_]]:
    """Harm of incidents in days as the extract's loading rules give it, (M,), and which survive the dirt at all."""
    places, codes = pd.factorize(incidents.code)
    offences = [index.lookup(code) for code in codes]
    by_code = np.array([*(offence.harm if offence else np.nan for offence in offences), 0.0])[places]
    scored = np.where(unscored(rng, len(places), world.dirt), UNSCORED_DOMESTIC_HARM, incidents.harm)
    days = np.where(np.isnan(incidents.harm), by_code, scored)
    known = ~np.isnan(days) & (incidents.conduct | ~lost(rng, places >= 0, world.dirt))
    return days, known
