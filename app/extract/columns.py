"""Nominals of an extract as a model's columns, without a request for each: what a request would come to, all at once."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.errors import InvalidInput
from app.extract.people import KnownIncidents, People
from app.extract.requests import ROLE_WORDS, Kind, offence_of
from app.extract.rules import Flags, placeholders
from app.forms import IDENTIFIER
from app.harm.columns import Known
from app.harm.features import CLASSES, Floats, Incidents, Nominals, day_zero_histories
from app.harm.harm_index import HarmIndex
from app.harm.history import LATEST_SCORING_DAYS, Valued, value_of
from app.harm.records import MAX_CONTACTS, MAX_CUSTODY, MAX_INCIDENTS, parse_incident
from app.harm.subject import Subject, begins_case


class Kinds(NamedTuple):
    """Each incident's kind, `of` (M,), and what a request's incident of each of K kinds comes to; `refused` (K,) where it is
    none that a request can hold."""

    of: NDArray[np.int64]
    harm: Floats
    classes: Flags
    approximate: Flags
    harassing: Flags
    refused: Flags


class Read(NamedTuple):
    """Nominals as columns, and which of them (N,) may be such as no request can hold, or none that can be scored."""

    known: Known
    doubtful: Flags


def read_columns(people: People, index: HarmIndex, subject: Subject) -> Read:
    """The histories of N people to a model of this subject; those of doubtful ones mean nothing."""
    incidents, owner = people.incidents, people.incidents.spans.owner
    kinds = _kinds(incidents, index)
    approximate = kinds.approximate[kinds.of]
    columns = Incidents(
        owner,
        incidents.day.astype(np.int64),
        incidents.incident.astype(np.int64),
        kinds.harm[kinds.of],
        kinds.classes[kinds.of],
        incidents.role,
    )
    begins = begins_case(columns.classes, kinds.harassing[kinds.of], subject.day_zero)
    histories = day_zero_histories(columns, len(people), people.as_of, begins=begins)
    doubtful = _oversized(people) | (histories.day_zero < people.as_of - LATEST_SCORING_DAYS)  # NO_DAY is long ago
    doubtful[owner[(kinds.refused[kinds.of]) | _misnamed(incidents.names)[incidents.incident]]] = True
    known = Known(
        as_of=people.as_of,
        histories=histories,
        nominals=_nominals(people),
        received=incidents.spans.lengths,
        inferred=incidents.inferred[histories.source],
        approximate=approximate[histories.source],
        assumed=incidents.assumed[histories.source],
        placeholder=placeholders(histories.incidents.day),
        contacts_unknown=np.isnan(people.contacts),
    )
    return Read(known, doubtful)


def _oversized(people: People) -> Flags:
    """Who has a name or a number of something that the form of a request does not take, (N,)."""
    found: Flags = _misnamed(people.nominal_id) | (people.contacts > MAX_CONTACTS)
    return found | (people.incidents.spans.lengths > MAX_INCIDENTS) | (people.custody.lengths > MAX_CUSTODY)


def _misnamed(names: pa.StringArray) -> Flags:
    return ~np.asarray(pc.match_substring_regex(names, IDENTIFIER), dtype=np.bool_)


def _nominals(people: People) -> Nominals:
    return Nominals(
        birth_day=people.birth,
        gender=people.gender,
        victim_contacts=np.nan_to_num(people.contacts, nan=0.0),
        custody_nominal=people.custody.owner,
        custody_day=people.custody_day,
    )


def _kinds(incidents: KnownIncidents, index: HarmIndex) -> Kinds:
    """Incidents that are alike are read once, by the rules for those of requests."""
    harms, which = np.unique(incidents.harm, return_inverse=True)
    key = incidents.code.astype(np.int64) * len(harms) + which
    key = (key << len(CLASSES) | incidents.bits) << 1 | incidents.non_crime
    _, first, of = np.unique(key, return_index=True, return_inverse=True)
    codes = incidents.offences[incidents.code[first]].tolist()
    alike = zip(
        codes,
        incidents.harm[first].tolist(),
        incidents.bits[first].tolist(),
        incidents.non_crime[first].tolist(),
        strict=True,
    )
    read = [_read(kind, index) for kind in alike]
    return Kinds(
        of=of,
        harm=np.array([0.0 if one is None else one.harm for one in read]),
        classes=np.array([_NO_CLASSES if one is None else one.classes for one in read], dtype=np.bool_).reshape(
            -1, len(CLASSES)
        ),
        approximate=np.array([one is not None and one.approximate for one in read], dtype=np.bool_),
        harassing=np.array([one is not None and one.harassing for one in read], dtype=np.bool_),
        refused=np.array([one is None for one in read], dtype=np.bool_),
    )


_NO_CLASSES = (False,) * len(CLASSES)
_SOME = {"incident_id": "A", "occurred_on": "2000-01-01", "role": next(iter(ROLE_WORDS.values()))}
"""What the value of an incident does not hang on."""


def _read(kind: Kind, index: HarmIndex) -> Valued | None:
    try:
        return value_of(0, parse_incident(_SOME | offence_of(kind, index)), index, {})
    except InvalidInput:
        return None
