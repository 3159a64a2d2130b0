"""Both detectors are silent where nothing leaks, and see what is planted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.extract.known import roles_known
from app.extract.load import Extract
from app.harm.features import COLUMN, Features
from app.harm.harm_index import load_harm_index
from training.evaluation.bench import Bench
from training.harm.progress import Stages
from training.labels import Labelled, label
from training.oracle.oracle import Oracle, open_oracle
from training.validation import leak
from training.validation.changes import CHANGES, INCIDENT_COLUMNS, INVOLVEMENT_COLUMNS, after_day_zero
from training.validation.leak import above_oracle, changed_bytes, harm_after, honest, measure_leak, peeking


@pytest.fixture(scope="module")
def oracle(bench: Bench) -> Oracle:
    return open_oracle(bench, load_harm_index(), Stages(), futures=40)


def final_roles(extract: Extract, labelled: Labelled, x: Features) -> Features:
    """Planted: whether the index incident ended in a charge, however much later."""
    final = roles_known(extract, extract.end)
    charged = np.zeros(len(extract.occurred))
    np.maximum.at(charged, extract.incident, (final == 1).astype(float))
    peeked = x.copy()
    peeked[:, -1, COLUMN["is_offender"]] = charged[labelled.index_incident]
    return peeked


def later_custody(extract: Extract, labelled: Labelled, x: Features) -> Features:
    """Planted: all custody appearances, whenever they were."""
    peeked = x.copy()
    peeked[:, -1, COLUMN["custody_count"]] = np.bincount(extract.custody_person, minlength=len(extract.person_id))[
        labelled.person
    ]
    return peeked


def later_calls(extract: Extract, labelled: Labelled, x: Features) -> Features:
    """Planted: every call of anyone who was a victim of the index incident, whenever made."""
    calls = np.bincount(extract.contact_person, minlength=len(extract.person_id))
    of_incident = np.zeros(len(extract.occurred))
    victims = extract.role == 4
    np.add.at(of_incident, extract.incident[victims], calls[extract.person[victims]])
    peeked = x.copy()
    peeked[:, :, COLUMN["victim_contacts"]] = of_incident[labelled.index_incident][:, None]
    return peeked


def day_later(extract: Extract, labelled: Labelled, x: Features) -> Features:
    return peeking(extract, labelled, x, days=1)


PLANTED = {"final_roles": final_roles, "later_custody": later_custody, "later_calls": later_calls, "a_day": day_later}


@pytest.fixture(scope="module")
def changed(bench: Bench) -> dict[str, dict[str, int]]:
    return changed_bytes(bench.data, {"honest": honest, **PLANTED}, seed=1)


def test_no_change_after_day_zero_reaches_a_byte(changed: dict[str, dict[str, int]]) -> None:
    assert changed["honest"] == dict.fromkeys(CHANGES, 0)


@pytest.mark.parametrize(
    ("planted", "change"),
    [
        ("final_roles", "later_roles"),
        ("later_custody", "custody_and_contacts"),
        ("later_calls", "custody_and_contacts"),
        ("a_day", "values"),
        ("a_day", "deleted"),
        ("a_day", "added"),
    ],
)
def test_planted_leaks_change_bytes(changed: dict[str, dict[str, int]], planted: str, change: str) -> None:
    assert changed[planted][change] > 0


@pytest.mark.parametrize("name", CHANGES)
def test_changes_leave_histories_alone_and_change_much_else(bench: Bench, name: str) -> None:
    """Nothing known at day zero differs; what lies after it does."""
    extract, labelled = bench.data.extract, bench.data.labelled
    changed = CHANGES[name](extract, after_day_zero(extract, labelled), np.random.default_rng(2))
    again = label(changed)
    assert np.array_equal(again.person_id, labelled.person_id)
    for known in ("day", "harm", "classes", "role"):
        assert np.array_equal(
            getattr(again.histories.incidents, known), getattr(labelled.histories.incidents, known)
        ), known
    assert np.array_equal(again.nominals.victim_contacts, labelled.nominals.victim_contacts)
    if name == "custody_and_contacts":
        assert len(changed.contact_day) > len(extract.contact_day)
        assert len(changed.custody_day) != len(extract.custody_day)
    else:
        assert (again.future_harm != labelled.future_harm).mean() > (0.02 if name == "later_roles" else 0.2)


def test_columns_of_an_extract_are_all_known(bench: Bench) -> None:
    """A column that a change or a cut forgot would no longer fit its incidents."""
    extract = bench.data.extract
    for columns, count in ((INCIDENT_COLUMNS, len(extract.occurred)), (INVOLVEMENT_COLUMNS, len(extract.incident))):
        found = {name for name, value in vars(extract).items() if isinstance(value, np.ndarray) and len(value) == count}
        assert found == set(columns)


def test_harm_after_a_year_is_the_label(bench: Bench) -> None:
    extract, labelled = bench.data.extract, bench.data.labelled
    np.testing.assert_allclose(harm_after(extract, labelled, 365), labelled.future_harm, rtol=1e-6)
    month = harm_after(extract, labelled, 30)
    assert (month <= harm_after(extract, labelled, 365)).all()
    assert 0 < (month > 0).mean() < (labelled.future_harm > 0).mean()


def test_above_the_oracle_only_what_has_seen_the_labels(bench: Bench, oracle: Oracle) -> None:
    known = oracle.population[bench.data.split.test]
    assert not above_oracle(bench, oracle, known)["caught"]
    assert not above_oracle(bench, oracle, bench.scored.population)["caught"]
    told = np.eye(4)[bench.groups] * 0.7 + 0.3 * known
    found = above_oracle(bench, oracle, told)
    assert found["caught"]
    assert found["macro"]["difference"] > 0.05
    assert found["macro"]["standard_error"] > 0


def test_a_column_that_peeks_at_the_label_is_caught_through_a_model(bench: Bench, oracle: Oracle) -> None:
    x = bench.data.x.copy()
    x[:, -1, COLUMN["gender"]] = bench.data.split.groups
    assert above_oracle(bench, oracle, leak._quick_model(bench, x))["caught"]
    assert not above_oracle(bench, oracle, leak._quick_model(bench, bench.data.x))["caught"]


def test_section_tells_the_artefact_from_the_planted(
    bench: Bench, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leak, "section_oracle", lambda *_: oracle)
    found: dict[str, Any] = measure_leak(bench, Stages())
    assert not found["artefact"]["caught_by_changed_bytes"]
    assert not found["artefact"]["above_oracle"]["caught"]
    for days in leak.PEEKED_DAYS:
        assert found[f"planted_{days}_days"]["caught_by_changed_bytes"]
    assert found["planted_365_days"]["above_oracle"]["caught"]
    without = measure_leak(replace(bench, latents=None), Stages())
    assert "above_oracle" not in without["artefact"]
