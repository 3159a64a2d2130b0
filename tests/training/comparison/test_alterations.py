"""What an ablation takes away, on an extract of one person told incident by incident."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from app.extract.load import Extract, load_extract
from app.harm.features import COLUMN, OFFENDER, SUSPECT
from app.harm.harm_index import load_harm_index
from tests.app.extract.folders import write_csv
from training.comparison.alterations import only_charged, with_final_roles, without_domestic_non_crimes, without_gender
from training.comparison.following import following, offence_names, same_victim, worst
from training.labels import Labelled, label

ZERO = date(2020, 3, 1)
STALKING, ASSAULT, RAPE = "00865", "00806", "01908"


def on(days: int) -> str:
    return (ZERO + timedelta(days=days)).isoformat()


@pytest.fixture
def extract(tmp_path: Path) -> Extract:
    """Nominal N with five incidents before day zero, victim V; two incidents after it; B only ends the extract."""
    incidents = {
        # id: days from day zero, code, domestic non-crime, role, charged, eliminated, victim
        "1-charged": (-500, ASSAULT, False, "offender", -490, None, "V"),
        "2-non-crime": (-400, "", True, "suspect", None, None, "V"),
        "3-charged-late": (-30, ASSAULT, False, "offender", 90, None, "V"),
        "4-eliminated-late": (-20, ASSAULT, False, "suspect_eliminated", None, 40, "V"),
        "5-charged-stalking": (-300, STALKING, False, "offender", -290, None, "V"),
        "6-index": (0, STALKING, False, "suspect_eliminated", None, 60, "V"),
        "7-rape": (100, RAPE, False, "suspect", None, None, "W"),
        "8-assault": (200, ASSAULT, False, "offender", 210, None, "V"),
    }
    rows = {
        "persons": [{"person_id": one, "date_of_birth": "1990-01-01"} for one in "NVWB"],
        "incidents": [
            {
                "incident_id": name,
                "occurred_on": on(days),
                "offence_code": code,
                "is_non_crime": str(non_crime).lower(),
                "is_domestic": str(non_crime).lower(),
                "recorded_on": on(days),
            }
            for name, (days, code, non_crime, *_) in incidents.items()
        ]
        + [{"incident_id": "9-end", "occurred_on": on(400), "offence_code": ASSAULT, "recorded_on": on(400)}],
        "involvements": [
            {
                "incident_id": name,
                "person_id": "N",
                "role": role,
                "charged_on": "" if charged is None else on(charged),
                "eliminated_on": "" if gone is None else on(gone),
            }
            for name, (_, _, _, role, charged, gone, _) in incidents.items()
        ]
        + [{"incident_id": name, "person_id": row[-1], "role": "victim"} for name, row in incidents.items()]
        + [{"incident_id": "9-end", "person_id": "B", "role": "suspect"}],
        "custody": [],
        "contacts": [],
    }
    return load_extract(write_csv(tmp_path / "extract", rows), load_harm_index(), today=date(2026, 1, 1))


def history(extract: Extract, labelled: Labelled) -> list[tuple[str, int]]:
    known = labelled.histories.incidents
    names = extract.incident_id[known.id_rank]
    return [(str(name)[0], int(role)) for name, role in zip(names, known.role, strict=True)]


def test_as_they_stood(extract: Extract) -> None:
    assert history(extract, label(extract)) == [
        ("1", OFFENDER), ("2", SUSPECT), ("5", OFFENDER), ("3", SUSPECT), ("4", SUSPECT), ("6", SUSPECT)
    ]  # fmt: skip


def test_only_what_was_charged_in_the_end(extract: Extract) -> None:
    charged = only_charged(extract)
    labelled = label(charged)
    assert history(charged, labelled) == [("1", OFFENDER), ("5", OFFENDER)], "an earlier stalking is day zero now"
    assert labelled.future_harm[0] == 10.0, "of what followed, only the assault of day -30 was charged"


def test_without_domestic_non_crimes(extract: Extract) -> None:
    altered = without_domestic_non_crimes(extract)
    assert [name for name, _ in history(altered, label(altered))] == ["1", "5", "3", "4", "6"]


def test_final_roles_tell_of_the_future_and_keep_the_index(extract: Extract) -> None:
    before = label(extract)
    altered = with_final_roles(extract, before)
    after = label(altered)
    assert history(altered, after) == [
        ("1", OFFENDER),
        ("2", SUSPECT),
        ("5", OFFENDER),
        ("3", OFFENDER),
        ("6", SUSPECT),
    ]
    np.testing.assert_array_equal(after.index_incident, before.index_incident)


def test_without_gender() -> None:
    x = np.ones((2, 20, 19), dtype=np.float32)
    changed = without_gender(x)
    assert (changed[:, :, COLUMN["gender"]] == 0).all()
    assert changed.sum() == x.sum() - 40
    assert (x == 1).all()


def test_what_followed(extract: Extract) -> None:
    labelled = label(extract)
    found = following(extract, labelled)
    names = offence_names(extract, found.incident, load_harm_index())
    assert sorted(names) == ["Violence with injury", "rape"]
    assert found.harm.sum() == labelled.future_harm[0]
    incident, harm = worst(found, 1)
    assert extract.incident_id[incident[0]] == "7-rape"
    assert harm[0] == found.harm.max()
    known, same = same_victim(extract, np.repeat(labelled.index_incident, 2), found.incident)
    assert known.all()
    assert dict(zip(names, same.tolist(), strict=True)) == {"rape": False, "Violence with injury": True}


def test_nothing_followed(extract: Extract) -> None:
    none = following(extract, label(extract))
    empty = type(none)(none.nominal[:0], none.incident[:0], none.harm[:0])
    incident, harm = worst(empty, 2)
    assert incident.tolist() == [-1, -1]
    assert harm.tolist() == [0, 0]
