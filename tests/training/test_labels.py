"""Labels against a slow oracle, and the promise that nothing later than day zero reaches a feature."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import SetupError
from app.extract.load import Extract, load_extract
from app.extract.rules import OFFENDER_ROLE, SUSPECT_ROLE
from app.harm.features import COLUMN, FEATURES, NO_DAY, OFFENDER, SUSPECT, VICTIM, features
from app.harm.harm_index import load_harm_index
from tests.training.label_oracle import AS_OF, END, Incident, Involvement, Small, companies, oracle, small_extracts
from training.families import FAMILIES, STALKING_VICTIM, Family
from training.labels import Labelled, label
from training.synthetic.folder import write
from training.synthetic.force import generate


def told(labelled: Labelled, extract: Extract) -> dict[str, dict[str, object]]:
    """What `label` found, in the oracle's words."""
    histories = labelled.histories
    found: dict[str, dict[str, object]] = {}
    for number, person in enumerate(labelled.person_id):
        rows = slice(histories.starts[number], histories.starts[number + 1])
        names = extract.incident_id[histories.incidents.id_rank[rows]]
        words = {OFFENDER: "offender", SUSPECT: "suspect", VICTIM: "victim"}
        roles = [words[int(role)] for role in histories.incidents.role[rows]]
        first, worst = labelled.first_event_day[number], labelled.worst_event_day[number]
        found[person] = {
            "history": list(zip(names, roles, strict=True)),
            "day_zero": histories.day_zero[number],
            "future_harm": labelled.future_harm[number],
            "first": None if np.isnan(first) else first,
            "worst": None if np.isnan(worst) else worst,
            "contacts": labelled.nominals.victim_contacts[number],
        }
    return found


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_extracts(), st.sampled_from(list(FAMILIES.values())))
def test_labels_equal_the_oracle(small: Small, family: Family) -> None:
    known, extract = oracle(small, family.subject), small.extract()
    if not known:
        with pytest.raises(SetupError, match=f"no {family.subject.perspective} with a stalking"):
            family.label(extract)
        return
    labelled = family.label(extract)
    assert told(labelled, extract) == known
    sets = companies(small)
    for one, mine in zip(labelled.person_id, labelled.component, strict=True):
        for other, theirs in zip(labelled.person_id, labelled.component, strict=True):
            assert (mine == theirs) == any({one, other} <= members for members in sets)


def one_nominal(*incidents: Incident, involvements: list[Involvement] | None = None) -> Small:
    involved = [Involvement(place, 0, "suspect", None, None) for place in range(len(incidents))]
    return Small(1, list(incidents), involved if involvements is None else involvements, [])


def test_stalking_after_the_as_of_date_is_future_harm_not_day_zero() -> None:
    small = one_nominal(
        Incident("A", AS_OF, AS_OF, 10.0, stalking=True), Incident("B", AS_OF + 1, AS_OF + 1, 10.0, stalking=True)
    )
    labelled = label(small.extract())
    assert labelled.histories.day_zero.tolist() == [AS_OF]
    assert labelled.future_harm.tolist() == [10.0]


@pytest.mark.parametrize(("after", "harm"), [(0, 0.0), (1, 7.0), (365, 7.0), (366, 0.0)])
def test_the_year_after_is_open_at_day_zero_and_closed_at_its_end(after: int, harm: float) -> None:
    day_zero = AS_OF - 5
    small = one_nominal(
        Incident("A", day_zero, day_zero, 10.0, stalking=True),
        Incident("B", day_zero + after, day_zero + after, 7.0, stalking=False),
    )
    assert label(small.extract()).future_harm.tolist() == [harm]


def test_a_charge_the_day_the_index_is_recorded_is_known_and_a_day_later_is_not() -> None:
    for charged, known in ((AS_OF + 2, "offender"), (AS_OF + 3, "suspect")):
        small = one_nominal(
            Incident("A", AS_OF, AS_OF + 2, 10.0, stalking=True),
            involvements=[Involvement(0, 0, "offender", charged, None)],
        )
        extract = small.extract()
        assert told(label(extract), extract)["P0"]["history"] == [("A", known)]


def test_as_of_may_be_earlier_but_not_later() -> None:
    small = one_nominal(
        Incident("A", AS_OF - 50, AS_OF - 50, 10.0, stalking=True), Incident("B", AS_OF, AS_OF, 10.0, stalking=True)
    )
    earlier = date.fromordinal(date(1970, 1, 1).toordinal() + AS_OF - 10)
    assert label(small.extract(), as_of=earlier).histories.day_zero.tolist() == [AS_OF - 50]
    with pytest.raises(SetupError, match="365 days"):
        label(small.extract(), as_of=date.fromordinal(date(1970, 1, 1).toordinal() + END - 364))


@pytest.fixture(scope="module")
def force(tmp_path_factory: pytest.TempPathFactory) -> Extract:
    folder = tmp_path_factory.mktemp("force") / "extract"
    write(generate(150, seed=11), folder, world="published", seed=11, nominals=150)
    return load_extract(folder, load_harm_index())


def feature_bytes(extract: Extract, person: str) -> bytes:
    labelled = label(extract)
    place = int(np.flatnonzero(labelled.person_id == person)[0])
    return features(labelled.histories, labelled.nominals, unknown_age=30.0)[place].tobytes()


def what_came_later(extract: Extract, labelled: Labelled, place: int) -> tuple[np.ndarray, int, int]:
    """Involvements of one nominal that were not known at day zero, day zero, and the day up to which all was known."""
    day_zero = int(labelled.histories.day_zero[place])
    known_on = int(extract.recorded[labelled.index_incident[place]])
    mine = extract.person == labelled.person[place]
    later = (extract.occurred[extract.incident] > day_zero) | (extract.recorded[extract.incident] > known_on)
    return mine & later, day_zero, known_on


def without(extract: Extract, gone: np.ndarray) -> Extract:
    names = ("incident", "person", "role", "charged", "eliminated")
    return replace(extract, **{name: getattr(extract, name)[~gone] for name in names})


def test_nothing_later_than_day_zero_changes_a_feature(force: Extract) -> None:
    labelled = label(force)
    touched = 0
    for place in range(0, len(labelled.person), 3):
        person, number = labelled.person_id[place], labelled.person[place]
        later, day_zero, known_on = what_came_later(force, labelled, place)
        before = feature_bytes(force, person)
        assert feature_bytes(without(force, later), person) == before

        mine = force.person == number
        charged_later = mine & (force.charged > known_on)
        eliminated_later = mine & (force.eliminated > known_on)
        role = np.where(eliminated_later, np.where(force.charged != NO_DAY, OFFENDER_ROLE, SUSPECT_ROLE), force.role)
        harm = force.harm.copy()
        harm[force.incident[later & (force.occurred[force.incident] > day_zero)]] += 1000.0
        changed = replace(
            force,
            harm=harm,
            role=np.where(charged_later, SUSPECT_ROLE, role).astype(np.int8),
            charged=np.where(charged_later, NO_DAY, force.charged),
            eliminated=np.where(eliminated_later, NO_DAY, force.eliminated),
            contact_day=np.where(force.contact_day >= day_zero, force.contact_day + 77, force.contact_day),
            custody_day=np.where(force.custody_day > day_zero, force.custody_day + 77, force.custody_day),
        )
        assert feature_bytes(changed, person) == before
        touched += int(later.sum()) + int(charged_later.sum()) + int(eliminated_later.sum())
    assert touched > 200  # the promise was put to the test


def test_what_was_known_does_change_features(force: Extract) -> None:
    labelled = label(force)
    place = int(np.argmax(labelled.histories.lengths))
    later, day_zero, _ = what_came_later(force, labelled, place)
    mine = force.person == labelled.person[place]
    known = mine & ~later & (force.occurred[force.incident] < day_zero)
    assert feature_bytes(without(force, known), labelled.person_id[place]) != feature_bytes(
        force, labelled.person_id[place]
    )


def test_counts_describe_the_labelled(force: Extract) -> None:
    counts = label(force).counts
    assert counts["labelled-nominals"] == 150
    assert 0.5 < counts["share-of-harm-from-medians"] < 1.0
    assert counts["other-incidents"] > counts["stalking-incidents"] >= 150


def test_custody_of_a_victim_is_nobody_s_feature(force: Extract) -> None:
    """The person may be a nominal elsewhere; what they did and were held for there says nothing of what is done to them."""
    everyone = np.arange(len(force.person_id))
    held = replace(force, custody_person=everyone, custody_day=np.full(len(everyone), 5000))
    labelled = STALKING_VICTIM.label(held)
    x = features(labelled.histories, labelled.nominals, unknown_age=30.0)
    read = STALKING_VICTIM.subject.side.features
    assert set(FEATURES) - set(read) == {"custody_count", "is_offender", "is_suspect"}
    for name, column in COLUMN.items():
        assert bool(x[:, :, column].any()) == (name in read), name
