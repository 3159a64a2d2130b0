"""Nominals of an extract as bodies of `POST /score`: what is scored in bulk is what a single request would say."""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.extract.people import KnownIncidents, People
from app.harm.features import CLASSES, GENDER_CODES
from app.harm.harm_index import HarmIndex, offence_classes
from app.harm.history import EPOCH
from app.harm.subject import SIDES

GENDERS = {code: name for name, code in GENDER_CODES.items()}
"""The word for each code; `other` and `unknown` are one to the model, and told as `unknown`."""
_NO_TEXTS: Mapping[str, str] = MappingProxyType({})
ROLE_WORDS = {code: word for side in SIDES.values() for word, code in side.roles.items()}
Kind = tuple[str, float, int, bool]
"""What incidents that are alike share: code, harm, classes as `KnownIncidents.bits`, whether it is no crime."""
_CLASS_SETS = [
    frozenset(name for place, name in enumerate(CLASSES) if bits >> place & 1) for bits in range(1 << len(CLASSES))
]


def bodies(
    people: People, index: HarmIndex, texts: Mapping[str, str] = _NO_TEXTS, **asked: str
) -> Iterator[dict[str, Any]]:
    """Each nominal's body, with `asked` added (`explain`, `model`, `purpose`).

    `texts` the logs, by incident id, that harm was read out of: they are sent in its place, so that the answer says so.
    """
    as_of = iso_day(people.as_of)
    incidents, custody = _incidents(people.incidents, index, texts), _iso_days(people.custody_day)
    names = people.nominal_id.to_pylist()
    genders, births, contacts = people.gender.tolist(), people.birth.tolist(), people.contacts.tolist()
    rows = zip(people.incidents.spans.each(), people.custody.each(), strict=True)
    for place, (own, appearances) in enumerate(rows):
        birth, calls = births[place], contacts[place]
        yield {
            "nominal": {
                "nominal_id": names[place],
                "date_of_birth": None if np.isnan(birth) else iso_day(int(birth)),
                "gender": GENDERS[genders[place]],
            },
            "index_victim_contacts": None if np.isnan(calls) else int(calls),
            "custody_dates": custody[appearances],
            "incidents": incidents[own],
            "as_of": as_of,
            **asked,
        }


def offence_fields(
    code: str, harm: float, classes: frozenset[str], index: HarmIndex, *, non_crime: bool
) -> dict[str, Any]:
    """What a request says of an incident's offence so that it gets this harm (days) and these classes, domestic aside.

    The code alone where the index then says the same, else harm and classes outright beside it.
    """
    offence = index.lookup(code) if code and not non_crime else None
    partner = offence is not None and "stalking" in classes and "stalking" not in offence.classes
    if offence and offence.harm == harm and offence_classes(offence.classes, intimate_partner=partner) == classes:
        return {"offence_code": code, "intimate_partner": partner}
    told = {"offence_code": code} if offence else {}
    return {**told, "harm_score": harm, "offence_class": sorted(classes)}


def iso_day(day: int) -> str:
    """YYYY-MM-DD of a day since 1970-01-01."""
    return date.fromordinal(day + EPOCH).isoformat()


def _incidents(known: KnownIncidents, index: HarmIndex, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each incident's body; what is said of an offence is worked out once for all that are alike."""
    told: dict[Kind, dict[str, Any]] = {}
    codes = known.offences[known.code].tolist()
    alike = zip(codes, known.harm.tolist(), known.bits.tolist(), known.non_crime.tolist(), strict=True)
    ids, assumed = known.incident_id.tolist(), known.assumed.tolist()
    each = zip(ids, _iso_days(known.day), known.role.tolist(), alike, assumed, strict=True)
    return [
        {
            "incident_id": name,
            "occurred_on": day,
            "role": ROLE_WORDS[role],
            **(told.get(kind) or told.setdefault(kind, offence_of(kind, index))),
            **({"harm_score": None, "log_text": texts[name]} if name in texts else {}),
            **({"harm_assumed": True} if unscored else {}),
        }
        for name, day, role, kind, unscored in each
    ]


def offence_of(kind: Kind, index: HarmIndex) -> dict[str, Any]:
    """What a request says of every incident of one kind."""
    code, harm, bits, non_crime = kind
    classes = _CLASS_SETS[bits]
    told = offence_fields(code, harm, classes - {"domestic"}, index, non_crime=non_crime)
    return {"is_non_crime": non_crime, "is_domestic": "domestic" in classes, **told}


def _iso_days(days: NDArray[np.integer[Any]]) -> list[str]:
    found: list[str] = np.datetime_as_string(days.astype("datetime64[D]")).tolist() if len(days) else []
    return found
