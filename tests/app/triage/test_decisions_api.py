"""Human decisions beside the score: derived relation, reasons for overrides, all of them kept, and what is counted."""

from typing import Any

import pytest

from app.triage.records import LEVELS
from app.triage.service import LEVEL_OF, relation
from tests.app.service_fixtures import Client
from tests.app.test_api import check_problem
from tests.app.test_erasure_api import ORDER, post
from tests.app.test_metrics import value
from tests.requests import example


def scored(service: Client, **changes: Any) -> tuple[str, str]:
    answer = service.score(example(explain="none", **changes))
    return answer.headers["location"], answer.json()["harm"]["predicted_group"]


@pytest.mark.parametrize("level", LEVELS)
def test_an_override_needs_its_reason(sqlite_service: Client, level: str) -> None:
    clinic = sqlite_service.as_caller("clinic", "triage")
    where, flag = scored(sqlite_service)
    expected = relation(level, flag)
    before = value(sqlite_service, "dayzero_decisions_total", relation=expected)
    answer = post(clinic, f"{where}/decisions", {"level": level})
    if expected != "follows":
        problem = check_problem(answer, 422, "invalid-request")
        assert problem["errors"] == [{"pointer": "/reason", "rule": "required-for-override"}]
        answer = post(clinic, f"{where}/decisions", {"level": level, "reason": "Known to us otherwise."})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["relation"], answer.json()["flag"], answer.json()["by"]) == (expected, flag, "clinic")
    assert value(sqlite_service, "dayzero_decisions_total", relation=expected) == before + 1


def test_all_decisions_are_kept_latest_first(service: Client) -> None:
    where, flag = scored(service)
    clinic, chief = service.as_caller("clinic", "triage"), service.as_caller("chief", "triage")
    made = [
        post(caller, f"{where}/decisions", {"level": level, "reason": f"reason {level}"}).json()
        for caller, level in ((clinic, "high"), (chief, "standard"), (clinic, LEVEL_OF[flag]))
    ]
    page = clinic.get(f"{where}/decisions").json()
    assert page["decisions"] == made[::-1]
    assert [one["by"] for one in page["decisions"]] == ["clinic", "chief", "clinic"]
    auditor = service.as_caller("auditor", "audit")
    record = auditor.get(f"/audit/{made[0]['audit']['sequence']}").json()
    assert (record["event"], record["leaf_hash"]) == ("decision", made[0]["audit"]["leaf_hash"])


def test_the_summary_counts_both_directions(service: Client) -> None:
    clinic, other = service.as_caller("clinic", "triage"), service.as_caller("other", "triage")
    places = [scored(service) for _ in range(4)]
    flag = places[0][1]
    flagged = LEVEL_OF[flag]
    away = next(level for level in LEVELS if level != flagged)
    plan = [(flagged, [flagged]), (away, [flagged]), (away, [away]), (away, [flagged, away])]
    for (where, _), (view, levels) in zip(places, plan, strict=True):
        assert post(clinic, f"{where}/view", {"level": view}).status_code == 200
        for level in levels:
            assert post(clinic, f"{where}/decisions", {"level": level, "reason": "x"}).status_code == 200
    assert post(other, f"{places[0][0]}/view", {"level": away, "late": True}).status_code == 200
    told = service.as_caller("auditor", "audit").get("/decisions/summary").json()
    direction = "up" if relation(away, flag) == "overrides-up" else "down"
    found = told["decisions"]
    assert (found["scores"], found["follows"], found["changed"]) == (4, 2, 1)
    assert (found[f"overrides_{direction}"], found[f"share_overridden_{direction}"]) == (2, 0.5)
    assert found["by_group"][flag]["follows"] == 2
    views = told["views"]
    assert (views["views"], views["same"], views["late"], views["share_same"]) == (4, 1, 1, 0.25)
    assert told["after_differing_view"] == {"kept_view": 2, "moved_to_score": 1, "neither": 0}
    assert told["erased"] == 0
    assert clinic.get("/decisions/summary?to=2020-01-01T00:00:00Z").json()["decisions"]["scores"] == 0
    assert clinic.get("/decisions/summary?from=2020-01-01T00:00:00Z").json() == told
    check_problem(clinic.get("/decisions/summary?from=CANARY"), 422, "invalid-request")
    post(service.as_caller("dpo", "admin"), "/erasures", ORDER)
    gone = clinic.get("/decisions/summary").json()
    assert (gone["decisions"]["scores"], gone["views"]["views"], gone["erased"]) == (0, 0, 10)
    assert gone["decisions"]["share_overridden_up"] is None
