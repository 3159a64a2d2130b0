"""Labelled nominals turned back into bodies of `POST /score`, without anything that names them.

Ids become neutral, and every date of a nominal moves by the same number of days, so that day zero is one fixed day:
the features stay what they were to the bit, the calendar of a person's life does not leave the extract.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.extract.load import Extract
from app.extract.requests import GENDERS, ROLE_WORDS, iso_day, offence_fields
from app.harm.features import CLASSES, ROWS
from app.harm.harm_index import HarmIndex
from training.labels import Labelled

DAY_ZERO = date(2024, 6, 12)
_MOST_INCIDENTS = 300


def varied(labelled: Labelled, rows: NDArray[np.int64], count: int, seed: int) -> list[int]:
    """`count` of `rows` that differ: index only, short, long, several incidents on a day, birth unknown, no contacts."""
    lengths = labelled.histories.lengths
    usable = np.random.default_rng(seed).permutation(rows[lengths[rows] <= _MOST_INCIDENTS])
    of = lengths[usable]
    kinds = [
        of == 1,
        (of > 1) & (of < 6),
        (of >= 6) & (of < ROWS),
        of == ROWS,
        (of > ROWS) & (of <= 60),
        of > 60,
        np.array([_repeats_a_day(labelled, row) for row in usable], dtype=np.bool_),
        np.isnan(labelled.nominals.birth_day[usable]),
        labelled.nominals.victim_contacts[usable] == 0,
    ]
    chosen: dict[int, None] = {}
    for place in range(len(usable)):
        for kind in kinds:
            matching = usable[kind]
            if place < len(matching) and len(chosen) < count:
                chosen[int(matching[place])] = None
    return list(chosen)


def request_body(
    extract: Extract, labelled: Labelled, row: int, index: HarmIndex, *, family: str, name: str
) -> dict[str, Any]:
    """The request by which `family` scores labelled person `row` with the features they were labelled with; known as
    `name`."""
    nominals = labelled.nominals
    shift = (DAY_ZERO - date(1970, 1, 1)).days - int(labelled.histories.day_zero[row])
    birth, contacts = nominals.birth_day[row], int(nominals.victim_contacts[row])
    custody = np.sort(nominals.custody_day[nominals.custody_nominal == row])
    return {
        "nominal": {
            "nominal_id": name,
            "date_of_birth": None if np.isnan(birth) else iso_day(int(birth) + shift),
            "gender": GENDERS[int(nominals.gender[row])],
        },
        "index_victim_contacts": contacts or None,
        "custody_dates": [iso_day(int(day) + shift) for day in custody if day <= labelled.histories.day_zero[row]],
        "incidents": _incident_bodies(extract, labelled, row, index, shift),
        "model": family,
        "explain": "none",
        "as_of": DAY_ZERO.isoformat(),
    }


def _incident_bodies(
    extract: Extract, labelled: Labelled, row: int, index: HarmIndex, shift: int
) -> list[dict[str, Any]]:
    """Incidents in history order, their ids in that order too, so that ties within a day fall the same way."""
    known, starts = labelled.histories.incidents, labelled.histories.starts
    bodies = []
    for number, at in enumerate(range(int(starts[row]), int(starts[row + 1])), start=1):
        # The loader ranks incident ids by their row in the extract.
        incident = int(known.id_rank[at])
        classes = frozenset(np.array(CLASSES)[known.classes[at]].tolist())
        bodies.append(
            {
                "incident_id": f"I-{number:04d}",
                "occurred_on": iso_day(int(known.day[at]) + shift),
                "is_non_crime": bool(extract.non_crime[incident]),
                "is_domestic": "domestic" in classes,
                "role": ROLE_WORDS[int(known.role[at])],
                **offence_fields(
                    str(extract.code[incident]),
                    float(known.harm[at]),
                    classes - {"domestic"},
                    index,
                    non_crime=bool(extract.non_crime[incident]),
                ),
            }
        )
    return bodies


def _repeats_a_day(labelled: Labelled, row: int) -> bool:
    starts = labelled.histories.starts
    days: Sequence[int] = labelled.histories.incidents.day[starts[row] : starts[row + 1]].tolist()
    return len(set(days)) < len(days)
