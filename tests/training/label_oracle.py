"""The label rules of domain.md once more, in slow plain Python over one person at a time; and small random extracts."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from app.extract.load import Extract
from app.extract.rules import ROLES
from app.harm.features import NO_DAY
from app.harm.subject import Subject

END = date(2022, 6, 30).toordinal() - date(1970, 1, 1).toordinal()
AS_OF = END - 365
IDS = ["A", "B", "a", "b10", "b9", "z", "é", "漢", "😀", "0", "10", "9"]
"""Their order by UTF-8 bytes is neither numeric nor alphabetic."""


@dataclass(frozen=True)
class Incident:
    name: str
    occurred: int
    recorded: int
    harm: float
    stalking: bool
    harassing: bool = False

    def begins(self, day_zero: str) -> bool:
        return self.stalking or (self.harassing and day_zero == "stalking-and-harassment")


@dataclass(frozen=True)
class Involvement:
    incident: int
    person: int
    role: str
    charged: int | None
    eliminated: int | None


@dataclass(frozen=True)
class Small:
    """A small extract: `people` of them, incidents in any order."""

    people: int
    incidents: list[Incident]
    involvements: list[Involvement]
    contacts: list[tuple[int, int]]

    def extract(self) -> Extract:
        """The same as clean columns."""
        order = sorted(range(len(self.incidents)), key=lambda place: self.incidents[place].name.encode())
        incidents = [self.incidents[place] for place in order]
        new_place = {old: new for new, old in enumerate(order)}
        count, involved = len(incidents), self.involvements
        classes = np.zeros((count, 5), dtype=np.bool_)
        classes[:, 3] = [incident.stalking for incident in incidents]
        return Extract(
            persons=pa.array([f"P{number}" for number in range(self.people)], pa.string()),
            birth=np.full(self.people, 5000.0),
            gender=np.ones(self.people, dtype=np.int8),
            ethnicity=None,
            incidents=pa.array([incident.name for incident in incidents], pa.string()),
            occurred=_days([incident.occurred for incident in incidents]),
            recorded=_days([incident.recorded for incident in incidents]),
            harm=np.array([incident.harm for incident in incidents], dtype=np.float64),
            classes=classes,
            harassing=np.array([incident.harassing for incident in incidents], dtype=np.bool_),
            approximate=np.zeros(count, dtype=np.bool_),
            inferred=np.zeros(count, dtype=np.bool_),
            assumed=np.zeros(count, dtype=np.bool_),
            non_crime=np.zeros(count, dtype=np.bool_),
            offences=np.array(["00865"]),
            codes=_days([0] * count),
            incident=_days([new_place[row.incident] for row in involved]),
            person=_days([row.person for row in involved]),
            role=np.array([ROLES[row.role] for row in involved], dtype=np.int8),
            charged=_days([NO_DAY if row.charged is None else row.charged for row in involved]),
            eliminated=_days([NO_DAY if row.eliminated is None else row.eliminated for row in involved]),
            custody_person=_days([]),
            custody_day=_days([]),
            contact_person=_days([person for person, _ in self.contacts]),
            contact_day=_days([day for _, day in self.contacts]),
            end=END,
            source="test",
            counts={},
        )


def _days(values: list[int]) -> Any:
    return np.array(values, dtype=np.int64)


@st.composite
def small_extracts(draw: st.DrawFn) -> Small:
    """Two to five people, up to twelve incidents within a few weeks of the as-of date, so that everything collides."""
    people = draw(st.integers(2, 5))
    names = draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1, max_size=len(IDS)))
    around = st.one_of(st.integers(AS_OF - 8, AS_OF + 8), st.sampled_from([AS_OF + 364, AS_OF + 365, AS_OF - 400]))
    incidents, involvements = [], []
    for place, name in enumerate(names):
        occurred = draw(around)
        recorded = min(occurred + draw(st.sampled_from([0, 0, 1, 4, 30])), END)
        harm = draw(st.sampled_from([0.0, 1.0, 10.0, 10.0, 365.0]))
        kind = draw(st.integers(0, 3))
        incidents.append(Incident(name, occurred, recorded, harm, stalking=kind > 1, harassing=kind in (1, 3)))
        for person in sorted(draw(st.sets(st.integers(0, people - 1), min_size=1, max_size=3))):
            later = st.one_of(st.none(), st.integers(recorded - 1, recorded + 6))
            role = draw(st.sampled_from(sorted(ROLES)))
            involvements.append(Involvement(place, person, role, draw(later), draw(later)))
    calls = draw(st.lists(st.tuples(st.integers(0, people - 1), around), max_size=8))
    return Small(people, incidents, involvements, calls)


def role_on(row: Involvement, day: int) -> str | None:
    """Role as known on a day: suspect until charged, gone once eliminated."""
    if row.role == "victim" or (row.eliminated is not None and row.eliminated <= day):
        return None
    if row.role == "suspect_eliminated" and row.eliminated is None:
        return None
    if row.charged is not None:
        return "offender" if row.charged <= day else "suspect"
    return "offender" if row.role == "offender" else "suspect"


def part_on(row: Involvement, day: int, perspective: str) -> str | None:
    """What a person is in an incident, seen from a side: victims are victims whatever becomes of the suspect."""
    if perspective == "victim":
        return "victim" if row.role == "victim" else None
    return role_on(row, day)


def oracle(small: Small, subject: Subject) -> dict[str, dict[str, Any]]:
    """What `label` must say about every labelled person, by person id."""
    told = {f"P{person}": _moment(small, person, subject) for person in range(small.people)}
    return {name: moment for name, moment in told.items() if moment is not None}


def _moment(small: Small, person: int, subject: Subject) -> dict[str, Any] | None:
    def role_on(row: Involvement, day: int) -> str | None:
        return part_on(row, day, subject.perspective)

    mine = [(small.incidents[row.incident], row) for row in small.involvements if row.person == person]
    moments = [
        incident
        for incident, row in mine
        if incident.begins(subject.day_zero) and incident.occurred <= AS_OF and role_on(row, incident.recorded)
    ]
    if not moments:
        return None
    index = max(moments, key=lambda incident: (incident.occurred, incident.name.encode()))
    known = [
        (incident, role_on(row, index.recorded))
        for incident, row in mine
        if incident.occurred <= index.occurred and incident.recorded <= index.recorded and role_on(row, index.recorded)
    ]
    known.sort(key=lambda pair: (pair[0].occurred, pair[0] is index, pair[0].name.encode()))
    after = [
        (incident.occurred - index.occurred, incident.harm)
        for incident, row in mine
        if role_on(row, END) and 0 < incident.occurred - index.occurred <= 365
    ]
    victims = {
        row.person for row in small.involvements if row.role == "victim" and small.incidents[row.incident] is index
    }
    victims = {person} if subject.perspective == "victim" else victims
    calls = [sum(caller == victim and day < index.occurred for caller, day in small.contacts) for victim in victims]
    return {
        "history": [(incident.name, role) for incident, role in known],
        "day_zero": index.occurred,
        "future_harm": sum(harm for _, harm in after),
        "first": min((day for day, _ in after), default=None),
        "worst": min(after, key=lambda pair: (-pair[1], pair[0]))[0] if after else None,
        "contacts": max(calls, default=0),
    }


def companies(small: Small) -> list[set[str]]:
    """People chained by shared incidents, by merging sets until nothing changes."""
    sets = [{f"P{person}"} for person in range(small.people)]
    for place in range(len(small.incidents)):
        together = {f"P{row.person}" for row in small.involvements if row.incident == place}
        touched = [members for members in sets if members & together]
        sets = [members for members in sets if not members & together] + [set().union(*touched)]
    return [members for members in sets if members]
