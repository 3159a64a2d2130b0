"""From a request to features: the whole way against the independent oracle, and harm and classes one by one."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from app.harm.harm_index import load_harm_index
from app.harm.history import build_case
from app.harm.records import parse_request
from app.harm.service import Scorer
from tests.app.harm.feature_oracle import PlainNominal, known_history, oracle_features
from tests.app.harm.histories import CLASSES, FIRST, random_nominal
from tests.requests import example

AS_OF = FIRST + timedelta(days=9001)
UNKNOWN_AGE = 33.0  # the toy's


def as_request(nominal: PlainNominal) -> dict[str, Any]:
    """The nominal as a body: harm and classes sent, so that nothing rests on the harm index."""
    incidents = [
        {
            "incident_id": one.incident_id,
            "occurred_on": str(one.on),
            "harm_score": one.harm,
            "offence_class": sorted(one.classes & set(CLASSES[:4])),
            "is_domestic": "domestic" in one.classes,
            "role": one.role,
        }
        for one in nominal.incidents
    ]
    history = known_history(nominal, AS_OF)
    return {
        "nominal": {
            "nominal_id": "N",
            "date_of_birth": None if nominal.born is None else str(nominal.born),
            "gender": nominal.gender,
        },
        "index_victim_contacts": nominal.contacts,
        "custody_dates": [str(on) for on in nominal.custody],
        "incidents": [one for one in incidents if one["occurred_on"] <= str(history[-1].on)],
        "as_of": str(history[-1].on),
    }


@pytest.mark.parametrize("seed", range(200))
def test_a_request_gives_the_features_an_independent_reading_gives(toy_scorer: Scorer, seed: int) -> None:
    nominal = random_nominal(seed, 40)
    nominal.incidents[0].role, nominal.incidents[0].classes = "suspect", {"stalking"}
    last = known_history(nominal, AS_OF)[-1].on
    nominal.custody = [on for on in nominal.custody if on <= last]
    if nominal.born is not None and nominal.born > min([one.on for one in nominal.incidents] + nominal.custody):
        nominal.born = None
    request = parse_request(as_request(nominal))
    case = build_case(request, toy_scorer.index, AS_OF)
    got = toy_scorer.features(case, toy_scorer.model_for(request))[0]
    np.testing.assert_allclose(got, oracle_features(nominal, last, UNKNOWN_AGE), rtol=2e-6, atol=1e-9)
    assert case.day_zero == last


# what is sent about one incident -> its harm and its classes, from the table's own rows
SENT = [
    ({"offence_code": "00806"}, 10, {"violent"}),
    ({"offence_code": "008/06"}, 10, {"violent"}),
    ({"offence_code": "00806", "harm_score": 20}, 20, {"violent"}),
    ({"offence_code": "00806", "offence_class": ["sexual"]}, 10, {"sexual"}),
    ({"offence_code": "00806", "offence_class": []}, 10, set()),
    ({"offence_code": "19594"}, 10, {"harassment"}),
    ({"offence_code": "19594", "intimate_partner": True}, 10, {"harassment", "stalking"}),
    ({"offence_code": "99999", "harm_score": 7, "offence_class": ["violent"]}, 7, {"violent"}),
    ({"offence_code": None, "harm_score": 7, "offence_class": ["harassment"], "intimate_partner": True}, 7,
     {"harassment", "stalking"}),
    ({"is_non_crime": True, "is_domestic": True, "harm_score": 5}, 5, {"domestic"}),
    ({"is_non_crime": True}, 0, set()),
    ({"is_non_crime": True, "harm_score": 2}, 2, set()),
    ({"is_non_crime": True, "offence_code": "00806"}, 0, {"violent"}),
    ({"offence_code": "00101", "is_domestic": True}, 5475, {"violent", "domestic"}),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "harm", "classes"), SENT)
def test_harm_and_classes_of_what_is_sent(sent: dict[str, Any], harm: float, classes: set[str]) -> None:
    first = {"incident_id": "A", "occurred_on": "2019-05-05", "role": "suspect", **sent}
    request = parse_request(example(incidents=[first, example()["incidents"][2]]))
    found = build_case(request, load_harm_index(), AS_OF.replace(year=2026)).histories.incidents
    assert found.harm[0] == harm
    assert {name for name, set_ in zip(CLASSES, found.classes[0], strict=True) if set_} == classes


def test_ids_order_within_a_day_by_their_bytes() -> None:
    one = example()["incidents"][2]
    stalking = [one | {"incident_id": name} for name in ("b", "B", "a9", "a10", "Z")]
    request = parse_request(example(incidents=stalking))
    case = build_case(request, load_harm_index(), AS_OF.replace(year=2026))
    assert [request.incidents[at].incident_id for at in case.order] == ["B", "Z", "a10", "a9", "b"]
