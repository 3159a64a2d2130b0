"""Everyone who can be scored, against a slow reading of one person at a time; and each as a request."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import SetupError
from app.extract.known import incident_columns, roles_known, victim_contacts
from app.extract.load import load_extract
from app.extract.people import load_people, people_on
from app.extract.requests import bodies, offence_fields
from app.harm.features import NO_DAY, Nominals, day_zero_histories, features
from app.harm.harm_index import load_harm_index, offence_classes
from app.harm.history import build_case
from app.harm.records import parse_request
from tests.app.extract.folders import write_csv
from tests.training.label_oracle import Small, role_on, small_extracts
from training.families import FAMILIES, Family
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.world import find_world, of_population

INDEX = load_harm_index()
TODAY = date(2022, 7, 1)
EPOCH = date(1970, 1, 1).toordinal()


def oracle(small: Small, as_of: int) -> dict[str, Any]:
    """By person id: incidents known by then with their roles, and the contacts of the index incident's victims."""
    found = {}
    for person in range(small.people):
        mine = [(small.incidents[row.incident], row) for row in small.involvements if row.person == person]
        known = [(one, role_on(row, as_of)) for one, row in mine if one.recorded <= as_of and role_on(row, as_of)]
        begins = [one for one, _ in known if one.stalking and one.occurred <= as_of]
        if not begins:
            continue
        index = max(begins, key=lambda one: (one.occurred, one.name.encode()))
        if as_of - index.occurred > 365:
            continue
        at = small.incidents.index(index)
        victims = {row.person for row in small.involvements if row.incident == at and row.role == "victim"}
        calls = [sum(who == victim and day < index.occurred for who, day in small.contacts) for victim in victims]
        ordered = sorted(known, key=lambda pair: (pair[0].occurred, pair[0].name.encode()))
        found[f"P{person}"] = ([(one.name, one.occurred, role) for one, role in ordered], max(calls, default=None))
    return found


@given(small=small_extracts(), shift=st.integers(-10, 400))
@settings(max_examples=150, deadline=None)
def test_people_are_those_a_slow_reading_finds(small: Small, shift: int) -> None:
    as_of = small.extract().end - 365 + shift
    people = people_on(small.extract(), as_of)
    found = {}
    for body in bodies(people, INDEX):
        days = [
            (one["incident_id"], date.fromisoformat(one["occurred_on"]).toordinal() - EPOCH, one["role"])
            for one in body["incidents"]
        ]
        found[body["nominal"]["nominal_id"]] = (days, body["index_victim_contacts"])
    assert found == oracle(small, as_of)
    assert list(found) == sorted(found)


@given(small=small_extracts())
@settings(max_examples=60, deadline=None)
def test_a_part_is_what_it_was_in_the_whole(small: Small) -> None:
    people = people_on(small.extract(), small.extract().end - 365)
    whole = list(bodies(people, INDEX))
    parts = [people.part(first, min(first + 2, len(people))) for first in range(0, len(people), 2)]
    assert [body for part in parts for body in bodies(part, INDEX)] == whole


def incident(name: str, day: str, recorded: str = "", code: str = "", **more: str) -> dict[str, str]:
    return {"incident_id": name, "occurred_on": day, "recorded_on": recorded or day, "offence_code": code, **more}


def involved(person: str, names: str, role: str = "suspect", **more: str) -> list[dict[str, str]]:
    return [{"incident_id": name, "person_id": person, "role": role, **more} for name in names]


FORCE: dict[str, list[dict[str, Any]]] = {
    "persons": [
        {"person_id": "N-1", "date_of_birth": "1990-01-01"},
        {"person_id": "N-2", "gender": "female"},
        *({"person_id": name, "date_of_birth": "1980-05-05", "gender": "other"} for name in ("N-3", "N-4", "N 5")),
        {"person_id": "V-1"},
        {"person_id": "V-2"},
    ],
    "incidents": [
        incident("A", "2022-05-01", "2022-05-02", "008/65"),
        incident("B", "2022-04-01", code="00806", is_domestic="true"),
        incident("C", "2022-03-01", code="99999", harm_score="12"),
        incident("D", "2022-02-01", is_non_crime="true", is_domestic="true"),
        incident("E", "2022-01-01", "2022-02-03", is_non_crime="true"),
        incident("F", "2022-05-20", "2022-06-01", "10501"),
        incident("G", "2022-05-10", code="00865", harm_score="99"),
        incident("H", "2020-05-10", code="00865"),
        incident("I", "1975-01-01", "2021-05-10", "00806"),
        incident("J", "2022-05-12", code="00806", intimate_partner="1", is_non_crime="1"),
    ],
    "involvements": [
        *involved("N-1", "ABCDEF"),
        *involved("V-1", "A", "victim"),
        *involved("V-2", "A", "victim"),
        *involved("N-2", "G", charged_on="2022-05-15"),
        *involved("N-2", "B", eliminated_on="2022-04-15"),
        *involved("N-3", "H", "offender"),
        *involved("N-4", "G", eliminated_on="2022-05-20"),
        *involved("N 5", "GIJ", "offender"),
    ],
    "custody": [{"person_id": "N-1", "arrived_on": day} for day in ("2022-04-02", "2022-06-02", "1989-12-31")],
    "contacts": [
        {"person_id": "V-1", "contacted_on": "2022-04-30"},
        *({"person_id": "V-2", "contacted_on": day} for day in ("2022-04-30", "2022-04-29", "2022-05-01")),
    ],
}


def test_a_small_force(tmp_path: Path) -> None:
    people = load_people(write_csv(tmp_path, FORCE), INDEX, TODAY)
    assert date.fromordinal(people.as_of + EPOCH) == date(2022, 6, 1), "the extract's last day"
    found = {body["nominal"]["nominal_id"]: body for body in bodies(people, INDEX, explain="none")}
    assert list(found) == ["N 5", "N-1", "N-2"], "not N-3, long ago, nor N-4, cleared"
    first = parse_request(found["N-1"])
    case = build_case(first, INDEX, TODAY)
    assert [first.incidents[place].incident_id for place in case.order] == ["E", "D", "C", "B", "A"]
    assert case.ignored == [("F", "after-day-zero")]
    assert case.histories.incidents.harm[:3].tolist() == [0, 3, 12], "rules for dirt hold here as in training"
    assert (first.index_victim_contacts, len(first.custody_dates)) == (2, 1), (
        "two calls before day zero; in the extract by then"
    )
    second = parse_request(found["N-2"])
    assert [(one.incident_id, one.role, one.harm_score) for one in second.incidents] == [("G", "offender", 99)]
    assert (second.index_victim_contacts, second.nominal.gender) == (None, "female"), (
        "no victim on record: unknown, not none"
    )
    assert [one["incident_id"] for one in found["N 5"]["incidents"]] == ["G", "J"], "nothing from before birth"


def test_another_day(tmp_path: Path) -> None:
    folder = write_csv(tmp_path, FORCE)
    earlier = load_people(folder, INDEX, TODAY, date(2022, 5, 10))
    found = {body["nominal"]["nominal_id"]: body for body in bodies(earlier, INDEX)}
    assert [one["role"] for one in found["N-2"]["incidents"]] == ["suspect"], "not yet charged"
    assert "N-4" in found, "not yet cleared"
    assert len(load_people(folder, INDEX, TODAY, date(2010, 1, 1))) == 0
    with pytest.raises(SetupError, match="ends before"):
        load_people(folder, INDEX, TODAY, date(2022, 6, 2))


@given(
    code=st.sampled_from([*sorted(offence.code for offence in INDEX)[::40], "99999", ""]),
    harm=st.one_of(st.none(), st.floats(0, 5475)),
    partner=st.booleans(),
    non_crime=st.booleans(),
    domestic=st.booleans(),
)
def test_a_request_gets_the_harm_and_classes_of_the_extract(
    code: str, harm: float | None, partner: bool, non_crime: bool, domestic: bool
) -> None:
    """Whatever the extract's rules made of an offence, the service makes the same of what it is sent."""
    offence = INDEX.lookup(code)
    days = harm if harm is not None else offence.harm if offence else 3.0
    classes = offence_classes(offence.classes if offence else frozenset(), intimate_partner=partner)
    told = offence_fields(code, days, classes, INDEX, non_crime=non_crime)
    index = {"incident_id": "S", "occurred_on": "2022-01-02", "offence_code": "00865", "role": "suspect"}
    own = {
        "incident_id": "A",
        "occurred_on": "2022-01-01",
        "role": "suspect",
        "is_non_crime": non_crime,
        "is_domestic": domestic,
    }
    request = parse_request({"nominal": {"nominal_id": "N"}, "incidents": [own | told, index], "as_of": "2022-01-02"})
    known = build_case(request, INDEX, TODAY).histories.incidents
    flags = [name in classes for name in ("harassment", "violent", "sexual", "stalking")]
    assert (known.harm[0], known.classes[0].tolist()) == (days, [*flags, domestic])


@pytest.mark.slow
def test_features_by_requests_are_those_of_the_columns(tmp_path: Path) -> None:
    """A synthetic force with all its dirt: one way through requests, the other straight from the clean columns."""
    write(generate(400, seed=5), tmp_path / "x", world="published", seed=5, nominals=400)
    extract = load_extract(tmp_path / "x", INDEX)
    as_of = extract.end
    role = roles_known(extract, as_of)
    rows = np.flatnonzero((role > 0) & (extract.recorded[extract.incident] <= as_of))
    columns = incident_columns(extract, rows, extract.person[rows], role)
    histories = day_zero_histories(columns, len(extract.person_id), as_of)
    index = np.full(len(extract.person_id), 0)
    known = np.flatnonzero(histories.day_zero != NO_DAY)
    index[known] = extract.incident[rows[histories.source[histories.starts[known + 1] - 1]]]
    nominals = Nominals(extract.birth, extract.gender, victim_contacts(extract, index, histories.day_zero),
                        extract.custody_person, extract.custody_day)  # fmt: skip
    straight = features(histories, nominals, unknown_age=33.0)
    place = {name: number for number, name in enumerate(extract.person_id.tolist())}
    count = 0
    for body in bodies(people_on(extract, as_of), INDEX):
        case = build_case(parse_request(body), INDEX, date.today())
        found = features(case.histories, case.nominals, unknown_age=33.0)
        np.testing.assert_array_equal(found[0], straight[place[body["nominal"]["nominal_id"]]])
        count += 1
    assert count > 50


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_everyone_of_a_family_has_the_features_they_were_labelled_with(tmp_path: Path, family: Family) -> None:
    """Where index incidents were recorded by the day one scores for, bulk reads what training read, for any subject."""
    population = "sh" if family.subject.day_zero != "stalking" else "stalking"
    write(
        generate(120, 5, of_population(find_world("published"), population)),
        tmp_path / "x",
        world="w",
        seed=5,
        nominals=120,
    )
    extract = load_extract(tmp_path / "x", INDEX)
    day = extract.end - 365
    recorded = replace(extract, recorded=np.where(extract.occurred <= day, extract.occurred, extract.recorded))
    as_then = replace(
        recorded, charged=np.full_like(extract.charged, NO_DAY), eliminated=np.full_like(extract.charged, NO_DAY)
    )
    labelled = family.label(as_then)
    expected = features(labelled.histories, labelled.nominals, unknown_age=33.0)
    place = {name: row for row, name in enumerate(labelled.person_id.tolist())}
    compared = 0
    for body in bodies(people_on(as_then, day, family.subject), INDEX, model=family.name):
        case = build_case(parse_request(body), INDEX, TODAY.replace(year=2100), family.subject)
        got = features(case.histories, case.nominals, unknown_age=33.0)[0]
        np.testing.assert_array_equal(got, expected[place[body["nominal"]["nominal_id"]]])
        compared += 1
    assert compared > 20


def test_incidents_left_out_are_never_left_out_silently(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_people(write_csv(tmp_path / "clean", FORCE), INDEX, TODAY)
    assert not caplog.messages
    unknown = incident("K", "2022-05-03", code="99999")  # no harm of its own: nothing to count it by
    extract = FORCE | {
        "incidents": [*FORCE["incidents"], unknown],
        "involvements": [*FORCE["involvements"], *involved("N-1", "K")],
    }
    load_people(write_csv(tmp_path / "other", extract), INDEX, TODAY)
    assert caplog.messages == ["extract: incidents left out (docs/training.md says why): unknown-code 1"]
