"""The vectorised features against a slow independent oracle, and the worked example."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.harm import features as code
from tests.app.harm.feature_oracle import PlainIncident, PlainNominal, known_history, oracle_features
from tests.app.harm.histories import FIRST, nominals, random_nominal

UNKNOWN_AGE = 33.5


def day(value: date) -> int:
    return (value - date(1970, 1, 1)).days


def columns(people: list[PlainNominal]) -> tuple[code.Incidents, code.Nominals]:
    rows = [
        (who, day(one.on), rank, one)
        for who, person in enumerate(people)
        for rank, one in enumerate(sorted(person.incidents, key=lambda one: one.incident_id.encode()))
        if one.role != "suspect_eliminated"
    ]
    incidents = code.Incidents(
        nominal=np.array([row[0] for row in rows], dtype=np.int64),
        day=np.array([row[1] for row in rows], dtype=np.int64),
        id_rank=np.array([row[2] for row in rows], dtype=np.int64),
        harm=np.array([row[3].harm for row in rows], dtype=np.float64),
        classes=np.array([[name in row[3].classes for name in code.CLASSES] for row in rows], dtype=bool).reshape(
            -1, 5
        ),
        role=np.array([1 if row[3].role == "offender" else 2 for row in rows], dtype=np.int8),
    )
    custody = [(who, day(on)) for who, person in enumerate(people) for on in person.custody]
    table = code.Nominals(
        birth_day=np.array([np.nan if one.born is None else day(one.born) for one in people]),
        gender=np.array([code.GENDER_CODES[one.gender] for one in people], dtype=np.int8),
        victim_contacts=np.array([one.contacts for one in people], dtype=np.float64),
        custody_nominal=np.array([who for who, _ in custody], dtype=np.int64),
        custody_day=np.array([on for _, on in custody], dtype=np.int64),
    )
    return incidents, table


def compute(people: list[PlainNominal], as_of: date) -> np.ndarray:
    incidents, table = columns(people)
    histories = code.day_zero_histories(incidents, len(people), day(as_of))
    return code.features(histories, table, unknown_age=UNKNOWN_AGE)


def assert_matches(people: list[PlainNominal], as_of: date) -> None:
    expected = np.array([oracle_features(person, as_of, UNKNOWN_AGE) for person in people])
    np.testing.assert_allclose(compute(people, as_of), expected, rtol=2e-6, atol=1e-9)


@settings(max_examples=1000, deadline=None)
@given(st.lists(nominals(), min_size=1, max_size=5), st.integers(0, 9100))
def test_equal_to_the_oracle_on_random_histories(people: list[PlainNominal], offset: int) -> None:
    assert_matches(people, FIRST + timedelta(days=offset))


@pytest.mark.parametrize("length", [1, 2, 19, 20, 21, 100, 500])
def test_equal_to_the_oracle_at_every_length(length: int) -> None:
    draw = np.random.default_rng(length)
    for _ in range(3):
        incidents = [
            PlainIncident(
                incident_id=f"i{number}",
                on=FIRST + timedelta(days=int(draw.integers(0, 3 * length + 1))),
                harm=float(draw.choice([0, 1, 2.5, 10, 365, 5475])),
                classes=set(np.array(code.CLASSES)[draw.random(5) < 0.3]) | ({"stalking"} if number == 0 else set()),
                role=str(draw.choice(["offender", "suspect", "suspect_eliminated"])) if number else "suspect",
            )
            for number in range(length)
        ]
        person = PlainNominal(date(1980, 2, 29), "male", 4, [FIRST, FIRST + timedelta(days=40)], incidents)
        assert_matches([person], FIRST + timedelta(days=3 * length + 1))


def test_the_worked_example() -> None:
    person = PlainNominal(
        born=date(1990, 1, 1),
        gender="male",
        contacts=3,
        custody=[date(2020, 3, 10)],
        incidents=[
            PlainIncident("A", date(2020, 1, 1), 10, {"violent", "domestic"}, "suspect"),
            PlainIncident("B", date(2020, 3, 11), 1, {"domestic"}, "suspect"),
            PlainIncident("C", date(2020, 3, 11), 182, {"stalking"}, "offender"),
        ],
    )
    got = compute([person], date(2020, 3, 12))[0]
    assert not got[:17].any()
    expected = {
        17: {"age_at_offence": 29.9986, "days_to_day_zero": 70, "cumulative_harm": 10, "days_since_previous": 0,
             "harm_rate": 0.0518135, "harm_momentum": 0, "cumulative_harm_decayed": 10, "custody_count": 0},
        18: {"days_since_previous": 70, "harm_rate": 0.0051813, "harm_momentum": 0.0000740,
             "cumulative_harm_decayed": 7.6897, "custody_count": 1},
        19: {"days_since_previous": 0, "harm_rate": 0.9430052, "harm_momentum": 0.9430052,
             "cumulative_harm_decayed": 189.6897, "days_to_day_zero": 0, "is_stalking": 1, "is_offender": 1,
             "is_suspect": 0, "victim_contacts": 3, "gender": 1},
    }  # fmt: skip
    for row, named in expected.items():
        for name, value in named.items():
            assert got[row, code.COLUMN[name]] == pytest.approx(value, abs=1e-4), (row, name)


def test_a_nominal_is_the_same_to_the_bit_in_any_company(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(5)
    people = []
    for who in range(40):
        incidents = [
            PlainIncident(f"{who}-{i}", FIRST + timedelta(days=int(draw.integers(0, 4000))), draw.random() * 100,
                          {"stalking"} if draw.random() < 0.2 or i == 0 else {"violent"}, "suspect")
            for i in range(int(draw.integers(1, 60)))
        ]  # fmt: skip
        people.append(PlainNominal(None, "female", 1, [], incidents))
    as_of = FIRST + timedelta(days=4000)
    together = compute(people, as_of)
    alone = np.concatenate([compute([person], as_of) for person in people])
    monkeypatch.setattr(code, "_PAIRS_A_BLOCK", 50)
    in_blocks = compute(people, as_of)
    assert together.tobytes() == alone.tobytes() == in_blocks.tobytes()


@settings(max_examples=100, deadline=None)
@given(nominals())
def test_nothing_after_day_zero_is_an_input(person: PlainNominal) -> None:
    as_of = FIRST + timedelta(days=9001)
    history = known_history(person, as_of)
    if not history:
        return
    before = compute([person], as_of)
    later = PlainIncident("zz-later", history[-1].on + timedelta(days=1), 5475, {"violent"}, "offender")
    changed = PlainNominal(person.born, person.gender, person.contacts, person.custody, [*person.incidents, later])
    assert compute([changed], as_of).tobytes() == before.tobytes()


def test_decay_table_is_the_formula() -> None:
    at = np.array([0, 1, 29, 30, 31, 32, 400, 20_000, 74_000, 75_000, 3_000_000])
    np.testing.assert_allclose(code.decay(at), 0.99 ** np.maximum(0.0, at - 30.0), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("seed", range(60))
def test_equal_to_the_oracle_up_to_five_hundred_incidents(seed: int) -> None:
    assert_matches([random_nominal(9_000_000 + seed, 500)], FIRST + timedelta(days=9001))
