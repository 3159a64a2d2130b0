"""The view by incidents on a model whose one cause is planted, and its words held to its numbers."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.harm.explanation_answers import IncidentShare
from app.harm.incident_view import LIMITS
from app.harm.perspective_words import WORDS
from app.harm.service import Scorer, load_scorer
from app.harm.wording import percent, points, spoken_day
from tests.app.harm.test_explanation import random_request
from tests.app.harm.test_incidents import long_request, view
from tests.requests import example
from tests.toy_bundle import one_sexual_offence, write_toy

DAY = date(2019, 5, 5)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """A model to which nothing matters but one sexual offence."""
    artifacts = tmp_path_factory.mktemp("planted")
    write_toy(artifacts, model=one_sexual_offence())
    return load_scorer(artifacts, Path("no imported index"))


def plain_offences(count: int) -> list[dict[str, Any]]:
    return [
        {
            "incident_id": f"p{number}",
            "occurred_on": str(DAY + timedelta(days=7 * number)),
            "offence_code": "10501",
            "role": "suspect",
        }
        for number in range(count)
    ]


def planted_request(where: list[int], count: int = 9) -> dict[str, Any]:
    """`count` assaults before the index incident, those at `where` sexual."""
    incidents = plain_offences(count)
    for position in where:
        incidents[position]["offence_class"] = ["sexual"]
    return example(incidents=[*incidents, example()["incidents"][2]], custody_dates=[])


@pytest.mark.parametrize("where", [0, 4, 8])
def test_the_one_incident_that_matters_comes_first_and_holds_everything(planted: Scorer, where: int) -> None:
    explanation = view(planted, planted_request([where]))
    first, *others = explanation.contributions
    assert first.evidence.incident_id == f"p{where}"
    assert first.effect == pytest.approx(0.85, abs=1e-6)
    assert first.evidence.without == pytest.approx(0.05, abs=1e-6)
    assert [share.effect for share in others] == [0.0] * 8, "an incident that changes nothing gets exactly nothing"
    assert {share.evidence.without for share in others} == {explanation.value}


def test_a_share_is_not_what_leaving_it_out_changes(planted: Scorer) -> None:
    """Either of two is enough: both hold half, and leaving one out changes nothing."""
    shares = {share.evidence.incident_id: share for share in view(planted, planted_request([2, 6])).contributions}
    for name in ("p2", "p6"):
        assert shares[name].effect == pytest.approx(0.425, abs=1e-6)
        assert shares[name].evidence.without == pytest.approx(0.9, abs=1e-6)


def test_what_matters_among_the_older_ones_is_theirs_together(planted: Scorer) -> None:
    first, *_ = view(planted, planted_request([1], count=14)).contributions
    assert (first.name, first.evidence.incidents, first.evidence.incident_id) == ("All older incidents", 4, None)
    assert first.effect == pytest.approx(0.85, abs=1e-6)


def test_an_index_incident_alone_has_nothing_to_leave_out(toy_scorer: Scorer) -> None:
    request = example()
    explanation = view(toy_scorer, request | {"incidents": request["incidents"][2:]})
    assert explanation.contributions == []
    assert explanation.value == explanation.reference.value
    assert "no earlier incident" in explanation.summary
    assert "not low risk" in explanation.limits[0]


def share_of(scorer: Scorer, **incident: Any) -> IncidentShare:
    first = {"incident_id": "A", "occurred_on": "2019-05-05", "role": "suspect", **incident}
    (share,) = view(scorer, example(incidents=[first, example()["incidents"][2]])).contributions
    return share


@pytest.mark.parametrize(
    ("sent", "called"),
    [
        ({"offence_code": "00806"}, "Assault occasioning actual bodily harm"),
        ({"offence_code": "008/06", "offence_class": ["sexual"]}, "Assault occasioning actual bodily harm"),
        ({"is_non_crime": True, "is_domestic": True, "harm_score": 3}, "Domestic non-crime"),
        ({"is_non_crime": True, "offence_code": "00806"}, "Non-crime"),
        ({"offence_code": "99999", "harm_score": 7, "offence_class": ["violent", "sexual"]},
         "Offence recorded as sexual and violent"),
        ({"harm_score": 7, "offence_class": []}, "Offence of another kind"),
    ],
)  # fmt: skip
def test_what_an_incident_is_called(toy_scorer: Scorer, sent: dict[str, Any], called: str) -> None:
    share = share_of(toy_scorer, **sent)
    assert share.name == f"{called} on 5 May 2019"
    assert share.text.startswith(f"{share.name}, recorded as suspect, harm score ")


@pytest.mark.parametrize("seed", range(10))
def test_words_say_what_the_numbers_say(toy_scorer: Scorer, seed: int) -> None:
    explanation = view(toy_scorer, random_request(300 + seed))
    for share in explanation.contributions:
        assert points(share.effect) in share.text
        assert f"the estimate would be {percent(share.evidence.without)}." in share.text
        assert ("higher estimate" in share.text) == (round(100 * share.effect, 1) >= 0.5)
        assert ("lower estimate" in share.text) == (round(100 * share.effect, 1) <= -0.5)
        assert "cause" not in share.text.lower()
        if share.evidence.incident_id is not None:
            assert f"recorded as {share.evidence.role}" in share.text
            assert spoken_day(share.evidence.occurred_on) in share.text
    effects = [abs(share.effect) for share in explanation.contributions]
    assert effects == sorted(effects, reverse=True)
    assert (
        f"{percent(explanation.value)}, against {percent(explanation.reference.value)} for the index"
        in explanation.summary
    )
    stays = {one.format(as_they_are=WORDS["nominal"].as_they_are) for one in LIMITS}
    assert stays < set(explanation.limits)
    assert explanation.limits[-1].startswith("Out of 1,000 people")


def test_older_ones_are_told_together(toy_scorer: Scorer) -> None:
    request = long_request(40)
    (older,) = [share for share in view(toy_scorer, request).contributions if share.evidence.incidents > 1]
    first, last = (spoken_day(date.fromisoformat(request["incidents"][at]["occurred_on"])) for at in (0, 28))
    assert older.text.startswith(f"The 29 oldest incidents, from {first} to {last}, recorded as offender in ")
    assert "Without all of them" in older.text
    assert (older.evidence.occurred_on, older.evidence.role) == (None, None)


def test_one_older_incident_is_told_as_itself(toy_scorer: Scorer) -> None:
    shares = view(toy_scorer, long_request(12)).contributions
    assert len(shares) == 11
    assert {share.evidence.incidents for share in shares} == {1}
    assert "i0" in {share.evidence.incident_id for share in shares}
