"""The truths behind an extract, for an oracle and for checks against true harm. Training never reads them.

One Parquet file beside the extract, one row a nominal in the generator's own order (companies stand together): every
column of `People` under its own name, and lists over everything that truly happened to come of that person, recorded
or not. After them stands one row a victim whom others than nominals may harm: what they do to the victim is the same
process turned round, so its columns are the same, and its lists are over what was done to the victim, and by which of
the victim's others. The world it happened in stands in the file's metadata.
"""

import json
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.errors import SetupError
from app.harm.features import Ints
from training.synthetic.offences import KIND, KINDS
from training.synthetic.others import Exposed, Suffered
from training.synthetic.people import People
from training.synthetic.police import NEVER, Casework
from training.synthetic.process import Acts
from training.synthetic.tables import dates
from training.synthetic.world import World

_WORLD = b"world"
_EXPOSED = "exposed"
_NOBODYS_OTHER = -1
_PERSON_DAYS = ("birth", "onset", "career_start")
_TRAITS = tuple(field.name for field in fields(People))
_CASE_DAYS = tuple(field.name for field in fields(Casework))
_UNREADABLE = "The latents file cannot be read. Write it again with `dayzero-train synth --latents`."


@dataclass(frozen=True)
class Latents:
    """C nominals `people` with their `person_id` (C,) in the extract and the day each `stops` (C,); everything that
    happened, `acts` (M,) by person and day, parents unknown, and its `casework` (M,); `told` (M,) the day each stands
    under in the extract, `NEVER` for what was never recorded; `victim_id` (C,) whom each stalks, None where they were never
    named; W victims whom others harm besides, `exposed` (acts by victim and day), their `exposed_id` (W,); the `world`."""

    person_id: NDArray[np.object_]
    people: People
    stops: Ints
    acts: Acts
    casework: Casework
    told: Ints
    victim_id: NDArray[np.object_]
    exposed_id: NDArray[np.object_]
    exposed: Exposed
    world: World


def latents_table(latents: Latents) -> pa.Table:
    """Lay out the truths; acts may stand in any order."""
    suffered, world = latents.exposed.suffered, latents.world
    done = Suffered(latents.acts, np.full(len(latents.acts), _NOBODYS_OTHER), latents.casework, latents.told)
    victims = np.full(len(latents.exposed_id), None)
    end = np.full(len(victims), (world.end - date(1970, 1, 1)).days)
    rows = [
        _rows(latents.person_id, latents.people, done, latents.victim_id, latents.stops),
        _rows(latents.exposed_id, latents.exposed.people, suffered, victims, end),
    ]
    table = pa.concat_tables(
        part.append_column(_EXPOSED, pa.array(np.full(len(part), number == 1))) for number, part in enumerate(rows)
    )
    settings = {**asdict(world), **{name: getattr(world, name).isoformat() for name in _world_dates()}}
    return table.combine_chunks().replace_schema_metadata({_WORLD: json.dumps(settings).encode()})


def _rows(
    ids: NDArray[np.object_], people: People, done: Suffered, victim_id: NDArray[np.object_], stops: Ints
) -> pa.Table:
    """One row a person whose process of acts it is, with the list of everything that happened in it."""
    done = done.take(np.lexsort((done.acts.day, done.acts.person)))
    acts, casework = done.acts, done.casework
    starts = np.searchsorted(acts.person, np.arange(len(people) + 1)).astype(np.int32)
    kinds = pa.array([kind.name for kind in KINDS])
    lists = {
        "act_on": dates(acts.day),
        "act_kind": kinds.take(pa.array(acts.kind)),
        "act_severity": pa.array(acts.severity),
        "act_partner": pa.array(acts.partner),
        "act_as_conduct": pa.array(acts.as_conduct),
        "act_by": pa.array(done.by.astype(np.int8)),
        "act_told": _or_never(done.told),
        **{f"act_{name}": _or_never(getattr(casework, name)) for name in _CASE_DAYS},
    }
    traits = {name: getattr(people, name) for name in _TRAITS}
    traits.update({name: dates(traits[name]) for name in _PERSON_DAYS})
    return pa.table(
        {
            "person_id": pa.array(ids, pa.string()),
            "victim_id": pa.array(victim_id, pa.string()),
            **{f"latent_{name}": values for name, values in traits.items()},
            "stops_on": dates(stops),
            **{name: pa.ListArray.from_arrays(starts, values) for name, values in lists.items()},
        }
    )


def read_latents(path: Path) -> Latents:
    """Read what `latents_table` laid out. Raises SetupError where the file is missing or is no such file."""
    try:
        return latents_of(pq.read_table(path))
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        raise SetupError(_UNREADABLE) from None


def latents_of(table: pa.Table) -> Latents:
    """The same from the table itself."""
    settings = json.loads(table.schema.metadata[_WORLD])
    settings.update({name: date.fromisoformat(settings[name]) for name in _world_dates()})
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    nominals, victims = table.filter(pc.invert(table[_EXPOSED])), table.filter(table[_EXPOSED])
    people, done = _read_rows(nominals.combine_chunks())
    return Latents(
        person_id=nominals["person_id"].to_numpy(),
        people=people,
        stops=_days(nominals["stops_on"]),
        acts=done.acts,
        casework=done.casework,
        told=done.told,
        victim_id=nominals["victim_id"].to_numpy(),
        exposed_id=victims["person_id"].to_numpy(),
        exposed=Exposed(*_read_rows(victims.combine_chunks())),
        world=World(**settings),
    )


def _read_rows(table: pa.Table) -> tuple[People, Suffered]:
    """People whose processes of acts they are, and all that happened in these."""
    lengths = pc.list_value_length(table["act_on"]).to_numpy()
    lists = {name: pc.list_flatten(table[name]) for name in table.column_names if name.startswith("act_")}
    acts = Acts(
        person=np.repeat(np.arange(len(lengths)), lengths),
        day=_days(lists["act_on"]),
        kind=pc.index_in(lists["act_kind"], pa.array(list(KIND))).to_numpy().astype(np.int64),
        severity=lists["act_severity"].to_numpy(),
        partner=lists["act_partner"].to_numpy(),
        parent=np.full(int(lengths.sum()), -1),
        as_conduct=lists["act_as_conduct"].to_numpy(),
    )
    traits = {name: table[f"latent_{name}"] for name in _TRAITS}
    people: dict[str, Any] = {
        name: _days(values) if name in _PERSON_DAYS else values.to_numpy() for name, values in traits.items()
    }
    casework = Casework(**{name: _days(lists[f"act_{name}"]) for name in _CASE_DAYS})
    by = lists["act_by"].to_numpy().astype(np.int64)
    return People(**people), Suffered(acts, by, casework, _days(lists["act_told"]))


def _world_dates() -> tuple[str, ...]:
    return tuple(field.name for field in fields(World) if field.type is date)


def _or_never(days: Ints) -> pa.Array:
    return dates(days, days == NEVER)


def _days(column: pa.ChunkedArray) -> Ints:
    """Days since 1970-01-01, `NEVER` for null."""
    days: Ints = pc.fill_null(column.cast(pa.int32()).cast(pa.int64()), NEVER).to_numpy()
    return days
