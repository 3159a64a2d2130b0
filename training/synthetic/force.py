"""A whole synthetic force as the five tables of an extract, cut to an exact number of labelled nominals."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from app.errors import SetupError
from app.harm.features import Ints
from training.synthetic.casefile import NOMINAL_ROW, Incidents, Involvements, contact, involve, record
from training.synthetic.dirt import soil
from training.synthetic.latents import Latents, latents_table
from training.synthetic.others import Books, Exposed, harm_by_others
from training.synthetic.people import People, draw_people
from training.synthetic.police import NEVER, Casework, drop_acts_in_prison, work
from training.synthetic.process import Acts, joined, live
from training.synthetic.register import Register, keep_custody, register_persons
from training.synthetic.tables import to_tables
from training.synthetic.world import World, find_world

LOOK_BACK_DAYS = 365
STAGES = ("people", "incidents", "casework", "victims and contacts", "custody", "dirty rows", "tables")
_CANDIDATES_A_NOMINAL = 1.30
_SPARE_CANDIDATES = 100
_STREAMS = len(STAGES) + 1
"""One random stream a stage, and the last for what others do, so that it changes nothing else."""


@dataclass(frozen=True)
class Force:
    """`tables` as extract.md has them; `latents` the truths behind them, which never lie inside an extract."""

    tables: dict[str, pa.Table]
    latents: pa.Table


@dataclass(frozen=True)
class _Truth:
    people: People
    acts: Acts
    casework: Casework
    unrecorded: Acts
    stops: Ints

    def up_to(self, last: int) -> "_Truth":
        """The truth about the nominals up to number `last`."""
        rows, others = (np.flatnonzero(acts.person <= last) for acts in (self.acts, self.unrecorded))
        people = self.people.take(np.arange(last + 1))
        acts, casework = self.acts.take(rows), self.casework.take(rows)
        return _Truth(people, acts, casework, self.unrecorded.take(others), self.stops[: last + 1])


def generate(
    nominals: int,
    seed: int,
    world: str | World = "published",
    *,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Force:
    """Generate an extract with exactly `nominals` labelled nominals (ours, after the report's section 2).

    Labelled: with a stalking incident on or before the last day less 365 that they were not already eliminated from
    when it was recorded. Same arguments, same tables. Raises SetupError for an unknown world or a size below 1.
    """
    if nominals < 1:
        raise SetupError("A synthetic force needs at least one nominal.")
    settings = find_world(world) if isinstance(world, str) else world
    end = (settings.end - date(1970, 1, 1)).days
    candidates = int(nominals * _CANDIDATES_A_NOMINAL) + _SPARE_CANDIDATES
    while True:
        streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(_STREAMS)]
        truth = _simulate(streams, candidates, settings, end, on_stage)
        incidents = record(streams[3], truth.acts, truth.casework, settings)
        last = _cut(incidents, truth.casework, candidates, nominals, end - LOOK_BACK_DAYS)
        if last is not None:
            return _write_up(streams, truth, incidents, last, settings, end, on_stage)
        candidates *= 2


def _simulate(
    streams: list[np.random.Generator], count: int, world: World, end: int, on_stage: Callable[[str], None]
) -> _Truth:
    """What happened and what was recorded of it."""
    on_stage(STAGES[0])
    people = draw_people(streams[0], count, world, end)
    on_stage(STAGES[1])
    acts, stops = live(streams[1], people, world, end)
    on_stage(STAGES[2])
    casework = work(streams[2], people, acts, world, end)
    happens = drop_acts_in_prison(acts, casework)
    recorded = np.flatnonzero(happens & (casework.recorded < NEVER))
    unrecorded = np.flatnonzero(happens & (casework.recorded == NEVER))
    return _Truth(people, acts.take(recorded), casework.take(recorded), acts.take(unrecorded), stops)


def _cut(incidents: Incidents, casework: Casework, count: int, nominals: int, as_of: int) -> int | None:
    """Number of the last nominal to keep for exactly `nominals` labelled ones; None if there are too few."""
    counts = incidents.conduct & (incidents.day <= as_of) & (casework.eliminated > casework.recorded)
    labelled = np.zeros(count, dtype=np.bool_)
    labelled[incidents.owner[counts]] = True
    places = np.flatnonzero(labelled)
    return int(places[nominals - 1]) if len(places) >= nominals else None


def _write_up(
    streams: list[np.random.Generator],
    truth: _Truth,
    incidents: Incidents,
    last: int,
    world: World,
    end: int,
    on_stage: Callable[[str], None],
) -> Force:
    """Keep nominals up to `last`, write down who was involved, soil it and make tables of it."""
    on_stage(STAGES[3])
    truth, rows = truth.up_to(last), np.flatnonzero(incidents.owner <= last)
    people, casework = truth.people, truth.casework
    incidents = _recorded_to_the_end(incidents.take(rows), casework, end)
    involvements, principal, persons = involve(streams[3], people, incidents, casework, world)
    books = Books(incidents, casework, involvements)
    books, others, harmed, exposed = harm_by_others(streams[-1], books, len(people), persons, world, end)
    contacts = contact(streams[3], people, books.incidents, books.involvements, world, end)
    on_stage(STAGES[4])
    victims = persons - len(people)
    register = Register(
        persons=register_persons(streams[4], people, victims, others, books.incidents, books.involvements),
        incidents=_incident_frame(books.incidents),
        involvements=_involvement_frame(books.involvements),
        custody=keep_custody(streams[4], books.incidents, books.casework, world, end),
        contacts=pd.DataFrame({"person": contacts[0], "day": contacts[1]}),
    )
    on_stage(STAGES[5])
    soiled = soil(streams[5], register, world.dirt, end)
    on_stage(STAGES[6])
    tables, person_ids = to_tables(streams[6], soiled)
    ids = np.append(person_ids.to_numpy(zero_copy_only=False), np.full(persons, None))  # nobody named has none
    known = {"person_id": ids[: len(people)], "victim_id": ids[principal], "exposed_id": ids[harmed]}
    return Force(tables, _latents(truth, incidents, known, exposed, world))


def _latents(
    truth: _Truth, incidents: Incidents, ids: dict[str, np.ndarray], exposed: Exposed, world: World
) -> pa.Table:
    """Everything that happened, recorded or not."""
    never = np.full(len(truth.unrecorded), NEVER)
    casework = joined(
        [replace(truth.casework, recorded=incidents.recorded), Casework(never, never, never, never, never)]
    )
    acts, told = joined([truth.acts, truth.unrecorded]), np.append(incidents.day, never)
    return latents_table(
        Latents(
            people=truth.people,
            stops=truth.stops,
            acts=acts,
            casework=casework,
            told=told,
            world=world,
            exposed=exposed,
            **ids,
        )
    )


def _recorded_to_the_end(incidents: Incidents, casework: Casework, end: int) -> Incidents:
    """The newest record is of the last day, so that the end of the extract can be read from the extract itself."""
    recorded = incidents.recorded.copy()
    free = np.flatnonzero(casework.eliminated == NEVER)
    recorded[free[np.argmax(recorded[free])]] = end
    return Incidents(
        **{name: getattr(incidents, name) for name in incidents.__dataclass_fields__ if name != "recorded"},
        recorded=recorded,
    )


def _incident_frame(incidents: Incidents) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "incident": np.arange(len(incidents.owner)),
            "day": incidents.day,
            "recorded": incidents.recorded,
            "code": incidents.code,
            "non_crime": incidents.non_crime,
            "domestic": incidents.domestic,
            "partner": incidents.partner,
            "harm": incidents.harm,
            "spared": incidents.conduct,
        }
    )


def _involvement_frame(involvements: Involvements) -> pd.DataFrame:
    """Final roles: eliminated, else charged (offender), else suspect."""
    nominal = involvements.side == NOMINAL_ROW
    role = np.where(involvements.charged < NEVER, "offender", "suspect")
    role = np.where(involvements.eliminated < NEVER, "suspect_eliminated", role)
    return pd.DataFrame(
        {
            "incident": involvements.incident,
            "person": involvements.person,
            "role": np.where(nominal, role, "victim"),
            "charged": involvements.charged,
            "eliminated": involvements.eliminated,
        }
    )
