"""The truths behind an extract, for an oracle and for checks against true harm. Training never reads them.

One Parquet file beside the extract, one row a nominal in the generator's own order (companies stand together): every
column of `People` under its own name, and lists over everything that truly happened to come of that person, recorded
or not. The world it happened in stands in the file's metadata.
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
from training.synthetic.people import People
from training.synthetic.police import NEVER, Casework
from training.synthetic.process import Acts
from training.synthetic.tables import dates
from training.synthetic.world import World

_WORLD = b"world"
_PERSON_DAYS = ("birth", "onset", "career_start")
_TRAITS = tuple(field.name for field in fields(People))
_CASE_DAYS = tuple(field.name for field in fields(Casework))
_UNREADABLE = "The latents file cannot be read. Write it again with `dayzero-train synth --latents`."


@dataclass(frozen=True)
class Latents:
    """C nominals `people` with their `person_id` (C,) in the extract and the day each `stops` (C,); everything that
    happened, `acts` (M,) by person and day, parents unknown, and its `casework` (M,); `told` (M,) the day each stands
    under in the extract, `NEVER` for what was never recorded; the `world` of it all."""

    person_id: NDArray[np.object_]
    people: People
    stops: Ints
    acts: Acts
    casework: Casework
    told: Ints
    world: World


def latents_table(
    people: People, acts: Acts, casework: Casework, told: Ints, stops: Ints, person_ids: pa.Array, world: World
) -> pa.Table:
    """Lay out the truths of `people` as in `Latents`; `person_ids` may go on beyond the nominals."""
    order = np.lexsort((acts.day, acts.person))
    acts, casework = acts.take(order), casework.take(order)
    starts = np.searchsorted(acts.person, np.arange(len(people) + 1)).astype(np.int32)
    kinds = pa.array([kind.name for kind in KINDS])
    lists = {
        "act_on": dates(acts.day),
        "act_kind": kinds.take(pa.array(acts.kind)),
        "act_severity": pa.array(acts.severity),
        "act_partner": pa.array(acts.partner),
        "act_as_conduct": pa.array(acts.as_conduct),
        "act_told": _or_never(told[order]),
        **{f"act_{name}": _or_never(getattr(casework, name)) for name in _CASE_DAYS},
    }
    traits = {name: getattr(people, name) for name in _TRAITS}
    traits.update({name: dates(traits[name]) for name in _PERSON_DAYS})
    table = pa.table(
        {
            "person_id": person_ids.slice(0, len(people)),
            **{f"latent_{name}": values for name, values in traits.items()},
            "stops_on": dates(stops),
            **{name: pa.ListArray.from_arrays(starts, values) for name, values in lists.items()},
        }
    )
    settings = {**asdict(world), **{name: getattr(world, name).isoformat() for name in _world_dates()}}
    return table.replace_schema_metadata({_WORLD: json.dumps(settings).encode()})


def read_latents(path: Path) -> Latents:
    """Read what `latents_table` laid out. Raises SetupError where the file is missing or is no such file."""
    try:
        return latents_of(pq.read_table(path))
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        raise SetupError(_UNREADABLE) from None


def latents_of(table: pa.Table) -> Latents:
    """The same from the table itself."""
    table = table.combine_chunks()
    settings = json.loads(table.schema.metadata[_WORLD])
    settings.update({name: date.fromisoformat(settings[name]) for name in _world_dates()})
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    lengths = pc.list_value_length(table["act_on"]).to_numpy()
    lists = {name: pc.list_flatten(table[name]) for name in table.column_names if name.startswith("act_")}
    cases = {name: _days(lists[f"act_{name}"]) for name in _CASE_DAYS}
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
    return Latents(
        person_id=table["person_id"].to_numpy(),
        people=People(**people),
        stops=_days(table["stops_on"]),
        acts=acts,
        casework=Casework(**cases),
        told=_days(lists["act_told"]),
        world=World(**settings),
    )


def _world_dates() -> tuple[str, ...]:
    return tuple(field.name for field in fields(World) if field.type is date)


def _or_never(days: Ints) -> pa.Array:
    return dates(days, days == NEVER)


def _days(column: pa.ChunkedArray) -> Ints:
    """Days since 1970-01-01, `NEVER` for null."""
    days: Ints = pc.fill_null(column.cast(pa.int32()).cast(pa.int64()), NEVER).to_numpy()
    return days
