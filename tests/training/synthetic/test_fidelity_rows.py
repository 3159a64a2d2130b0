"""Rows computed on an extract small enough to count by hand, and a row that fails when it should."""

import math

import pytest

from app.extract.load import Extract, load_extract
from app.harm.harm_index import load_harm_index
from tests.app.extract.folders import write_csv
from training.families import SH_NOMINAL
from training.labels import label
from training.synthetic.fidelity import RAPE, did, fidelity
from training.synthetic.fidelity_curves import AGES, MONTHS, contacts_by_tenth, sh_curves, stalking_curves
from training.synthetic.fidelity_rows import Row, as_json, as_row, counted, figure_text
from training.synthetic.fidelity_sh import sh_fidelity

PERSONS = [
    {"person_id": "A", "date_of_birth": "1990-01-01", "gender": "male", "ethnicity": "Pakistani"},
    {"person_id": "B", "date_of_birth": "1997-01-01", "gender": "female", "ethnicity": "Indian"},
    {"person_id": "C", "date_of_birth": "1980-01-01"},
    {"person_id": "D", "date_of_birth": "1985-01-01"},
    {"person_id": "V", "gender": "female"},
    {"person_id": "W", "gender": "female"},
]
# Of each: person, role, day, code, recorded on, harassment or assault of a partner, charged on.
INCIDENTS = {
    "1": ("A", "offender", "2021-06-01", "00865", "2021-06-01", "false", "2021-07-01"),
    "2": ("A", "suspect", "2021-01-01", "10501", "2021-01-05", "false", ""),
    "3": ("B", "suspect", "2020-05-05", "19594", "2020-05-05", "true", ""),
    "4": ("B", "suspect", "2020-08-01", "01908", "2020-08-01", "false", ""),
    "5": ("C", "suspect", "2021-03-03", "00867", "2021-03-03", "true", ""),
    "6": ("D", "suspect", "2022-12-12", "19541", "2022-12-12", "false", ""),
    "7": ("D", "suspect", "2023-03-30", "00850", "2023-03-31", "false", ""),
    "8": ("A", "suspect_eliminated", "2021-02-02", "19594", "2021-02-02", "false", ""),
}


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Extract:
    incidents = [
        {"incident_id": name, "occurred_on": day, "offence_code": code, "recorded_on": on, "intimate_partner": partner}
        for name, (_, _, day, code, on, partner, _) in INCIDENTS.items()
    ]
    involved = [
        {"incident_id": name, "person_id": person, "role": role, "charged_on": charged}
        for name, (person, role, _, _, _, _, charged) in INCIDENTS.items()
    ]
    victims = [{"incident_id": name, "person_id": who, "role": "victim"} for name, who in (("1", "V"), ("3", "W"))]
    contacts = [{"person_id": "V", "contacted_on": day} for day in ("2021-05-01", "2021-05-02", "2021-07-01")]
    rows = {"persons": PERSONS, "incidents": incidents, "involvements": involved + victims, "contacts": contacts}
    return load_extract(write_csv(tmp_path_factory.mktemp("hand") / "x", rows), load_harm_index())


def test_stalking_rows_by_hand(extract: Extract) -> None:
    rows = {row.name: row.measured for row in fidelity(extract, label(extract))}
    assert rows == pytest.approx(
        {
            "labelled nominals (table 2)": 2,
            "stalking incidents (2.1)": 2,
            "their other incidents (2.1)": 2,
            "share reclassified harassment (2.1)": 0.5,
            "charged incidents only (app. 9)": 0.5,
            "new stalking crimes a week (6)": 0.0,
            "stalking, last five years to five before (2.1)": 2.0,
            "1 January to an average day (2.1)": 365.25 / 7,
            "incidents on the day of the one before (2.1)": 0.0,
            "male share (1.2)": 0.5,
            "commonest age (2.2)": 22.5,
            **{name: 0.0 for name in rows if name.startswith("ethnicity")},
            "ethnicity: Pakistani (table 5)": 0.5,
            "ethnicity: Indian (table 5)": 0.5,
            "no harm in the 12 months (3.3.1)": 0.5,
            "index-only histories (ours)": 0.5,
            "harm, 98th percentile to 75th (2.5)": 0.98 / 0.75,
            "no linked victim contact (2.4)": 0.5,
            "contacts, top 20 % to the rest (2.4)": 0.0,
        }
    )


def test_only_what_was_done_in_the_year_counts(extract: Extract) -> None:
    labelled = label(extract)
    assert labelled.person_id.tolist() == ["A", "B"]
    assert did(extract, labelled, RAPE).tolist() == [False, True]
    assert did(extract, labelled, "105").tolist() == [False, False]


def test_sh_rows_by_hand(extract: Extract) -> None:
    rows = {row.name: row for row in sh_fidelity(extract, SH_NOMINAL.label(extract))}
    found = {name: row.measured for name, row in rows.items() if "group" not in name}
    assert found == pytest.approx(
        {
            "S&H: labelled nominals (table 9)": 3,
            "S&H: known nominals (2.1)": 4,
            "S&H: incidents (2.1)": 5,
            "S&H: other incidents (2.1)": 2,
            "S&H: harassment (2.2)": 0.0,
            "S&H: malicious communications (2.2)": 0.2,
            "S&H: stalking (2.2)": 0.4,
            "S&H: coercive control (2.2)": 0.2,
            "S&H: racially aggravated harassment (2.2)": 0.2,
        }
    )
    assert rows["S&H: known nominals (2.1)"].published == pytest.approx(3 * 102_906 / 80_362)
    assert not rows["S&H: stalking (2.2)"].passes


def test_curves_by_hand(extract: Extract) -> None:
    curves = stalking_curves(extract, label(extract))
    assert sum(curves["male_by_age"]) == sum(curves["female_by_age"]) == 1
    assert curves["male_by_age"][AGES.index(30)] == 1
    assert curves["female_by_age"][AGES.index(22)] == 1
    months = {place: count for place, count in enumerate(curves["stalking_by_month"]) if count}
    assert months == {MONTHS - 1 - 21: 1, MONTHS - 1 - 34: 1}
    assert sum(sh_curves(extract)["sh_by_month"]) == 5
    assert sh_curves(extract)["sh_by_month"][-1] == 1
    assert curves["harm_by_percentile"][0] == 0
    assert sorted(curves["harm_by_percentile"]) == curves["harm_by_percentile"]


def test_tenths_are_by_future_harm() -> None:
    import numpy as np

    order = np.random.default_rng(1).permutation(100)
    tenths = contacts_by_tenth(order.astype(float), 9.0 - order // 10)
    assert tenths == [9.0 - tenth for tenth in range(10)]


@pytest.mark.parametrize(
    ("side", "measured", "passes"),
    [
        ("either way", 0.55, True),
        ("either way", 0.45, True),
        ("either way", 0.5501, False),
        ("either way", 0.4499, False),
        ("at least", 0.9, True),
        ("at least", 0.4499, False),
        ("at most", 0.1, True),
        ("at most", 0.5501, False),
        ("either way", math.nan, False),
    ],
)
def test_a_row_fails_when_it_should(side: str, measured: float, passes: bool) -> None:
    assert Row("f", "1", 0.5, 0.05 + 1e-12, measured, side=side).passes is passes  # type: ignore[arg-type]
    assert Row("f", "1", 0.5, math.nan, measured, side=side).passes  # type: ignore[arg-type]


def test_counts_are_held_to_a_share_of_themselves() -> None:
    assert counted("f", "1", 200, 0.05, 210).passes
    assert not counted("f", "1", 200, 0.05, 211).passes


def test_rows_come_back_from_json() -> None:
    row = Row("f", "1", math.nan, math.nan, 0.3, "times", "at most")
    told = as_json(row)
    assert told["published"] is None
    again = as_row(told)
    assert math.isnan(again.published)
    assert again.measured == 0.3
    assert as_json(again) == told


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (28_279.4, "count", "28,279"),
        (12.34, "count", "12.3"),
        (0.5366, "share", "53.7 %"),
        (0.627, "index", "0.627"),
        (129.0, "times", "129.0"),
        (1_054.6, "days", "1,055"),
        (None, "share", "–"),
        (math.nan, "share", "–"),
    ],
)
def test_figures_as_people_write_them(value: float | None, unit: str, text: str) -> None:
    assert figure_text(value, unit) == text  # type: ignore[arg-type]
