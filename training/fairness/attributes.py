"""The groups an audit compares: recorded ethnicity, gender, and age at the index incident."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.extract.rules import Flags
from app.harm.features import GENDER_CODES, OFFENDER, Ints
from training.harm.fit import Data
from training.harm.reference import index_ages

UNKNOWN = "unknown"
AGE_BANDS = ("under 25", "25-34", "35-44", "45-54", "55 and over")
_EDGES = (25, 35, 45, 55)


class Attribute(NamedTuple):
    """One way to divide people: names of the groups, and the group of each nominal (N,) by place in `groups`."""

    name: str
    groups: tuple[str, ...]
    member: Ints

    def take(self, rows: Ints | Flags) -> "Attribute":
        """The given people."""
        return self._replace(member=self.member[rows])


def attributes_of(data: Data) -> list[Attribute]:
    """Ethnicity where the extract has it, gender, age band; unknown is a group of its own."""
    person = data.labelled.person
    gender = np.full(len(person), UNKNOWN, dtype=object)
    for word in ("male", "female"):
        gender[data.labelled.nominals.gender == GENDER_CODES[word]] = word
    age = index_ages(data.labelled.histories, data.labelled.nominals)
    band = np.array([*AGE_BANDS, UNKNOWN], dtype=object)[
        np.where(np.isnan(age), len(AGE_BANDS), np.searchsorted(_EDGES, age, side="right"))
    ]
    divided = {"gender": gender, "age": band}
    if data.extract.ethnicity is not None:
        ethnicity = data.extract.ethnicity[person]
        divided = {"ethnicity": np.where(ethnicity == "", UNKNOWN, ethnicity), **divided}
    return [attribute(name, labels) for name, labels in divided.items()]


def attribute(name: str, labels: NDArray[np.object_]) -> Attribute:
    """From a word for each nominal (N,); the largest group first."""
    words, member, counts = np.unique(labels.astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Attribute(name, tuple(words[order].tolist()), place[member])


def never_charged(data: Data) -> Flags:
    """Nominals with nothing but suspicion in their known history, roles as they stood, (N,)."""
    known = data.labelled.histories.incidents
    charged = np.bincount(known.nominal[known.role == OFFENDER], minlength=len(data.x))
    return np.asarray(charged == 0)
