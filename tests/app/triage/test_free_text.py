"""What people write about people: any garbage is refused by rule, and nothing that was written stands in the open."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData

from app.database import open_database
from app.triage.records import MAX_FORM, MAX_TEXT
from tests.app.service_fixtures import LOGS, Client
from tests.app.test_api import check_problem, events
from tests.app.test_erasure_api import post
from tests.requests import example

CANARY = "CANARY-7"
FORMS: dict[str, dict[str, Any]] = {
    "view": {"level": "high", "reason": "why"},
    "decisions": {"level": "high", "reason": "why"},
    "challenges": {"ground": "other", "raised_by": "officer", "text": "why"},
    "outcome": {"outcome": "upheld", "reason": "why", "corrected": example()},
    "subject-exports": {"nominal_id": "N-104"},
}
CELLS = [
    *((form, {name: CANARY}, f"/{name}") for form, name in (
        ("view", "level"), ("decisions", "level"), ("challenges", "ground"), ("challenges", "raised_by"),
        ("outcome", "outcome"), ("outcome", "corrected"))),
    *((form, {name: wrong}, f"/{name}") for form, name in (
        ("view", "reason"), ("decisions", "reason"), ("challenges", "text"), ("outcome", "reason"))
        for wrong in (CANARY * MAX_TEXT, "", " \n\t", 5, [CANARY], {CANARY: CANARY})),
    *((form, {"canary": CANARY}, "/canary") for form in FORMS),
    *((form, {CANARY: CANARY}, "") for form in FORMS),
    ("view", {"late": CANARY}, "/late"), ("view", {"late": 1}, "/late"),
    ("outcome", {"corrected": example() | {CANARY: 1}}, "/corrected"),
    ("subject-exports", {"nominal_id": f"{CANARY} x"}, "/nominal_id"), ("subject-exports", {"nominal_id": None}, "/nominal_id"),
]  # fmt: skip


@pytest.fixture(scope="module")
def addresses(sqlite_service: Client) -> dict[str, str]:
    """An address to post each form to, with a score and an open challenge behind it."""
    where = sqlite_service.score(example()).headers["location"]
    clinic = sqlite_service.as_caller("keeper", "triage")
    challenge = post(clinic, f"{where}/challenges", FORMS["challenges"]).json()["challenge_id"]
    paths = {name: f"{where}/{name}" for name in ("view", "decisions", "challenges")}
    return paths | {"outcome": f"{where}/challenges/{challenge}/outcome", "subject-exports": "/subject-exports"}


@pytest.mark.parametrize(("form", "change", "pointer"), CELLS, ids=[f"{form} {at}" for form, _, at in CELLS])
def test_what_breaks_a_rule_is_named_and_not_repeated(
    sqlite_service: Client, addresses: dict[str, str], form: str, change: dict[str, Any], pointer: str
) -> None:
    LOGS.truncate(0)
    before = events(sqlite_service)
    clinic = sqlite_service.as_caller("clinic", "triage", "audit:unseal")
    answer = post(clinic, addresses[form], FORMS[form] | change)
    problem = check_problem(answer, 422, "invalid-request")
    assert problem["errors"][0]["pointer"] == pointer
    assert CANARY not in answer.text + LOGS.getvalue()
    assert events(sqlite_service)[len(before) :] == ["refusal"]


@pytest.mark.parametrize("form", FORMS)
def test_bodies_are_bounded_and_plain(sqlite_service: Client, addresses: dict[str, str], form: str) -> None:
    clinic = sqlite_service.as_caller("clinic", "triage", "audit:unseal")
    before = events(sqlite_service)
    limit = MAX_FORM if form in {"view", "decisions", "challenges"} else 1 << 20
    check_problem(post(clinic, addresses[form], b'"' + b"x" * limit + b'"'), 413, "too-large")
    for raw in (
        b"",
        b"{",
        b'{"level": "high", "level": "high"}',
        b'{"reason": "\xff"}',
        b'{"reason": "\\ud800"}',
        b"NaN",
    ):
        check_problem(post(clinic, addresses[form], raw), 400, "malformed-body")
    typed = clinic.http.post(addresses[form], content=b"{}", headers=clinic.headers | {"Content-Type": "text/plain"})
    check_problem(typed, 415, "unsupported-media")
    assert events(sqlite_service) == before, "counted, not recorded"


words = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(form=st.sampled_from([*FORMS]), data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_gets_an_answer_of_ours(
    sqlite_service: Client, addresses: dict[str, str], form: str, data: st.DataObject
) -> None:
    names = st.sampled_from([*FORMS[form], "late"]) | words
    body = data.draw(json_values | st.dictionaries(names, json_values | words, max_size=4))
    clinic = sqlite_service.as_caller("clinic", "triage", "audit:unseal")
    answer = post(clinic, addresses[form], json.dumps(body).encode())
    if answer.status_code == 200:  # one name is all that an export asks for
        assert form == "subject-exports" and set(body) == {"nominal_id"}, answer.text
        return
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_texts_stand_nowhere_in_the_open(service: Client, database_url: str) -> None:
    named = example(nominal={"nominal_id": CANARY})
    officer = service.as_caller(CANARY, "score", "triage", "audit:unseal", "metrics", "audit")
    sent = officer.headers | {"Content-Type": "application/json"}
    given = officer.http.post("/score?reveal=after-view", content=json.dumps(named).encode(), headers=sent)
    where = given.headers["location"]
    text = f"{CANARY} said that he would come back."
    assert post(officer, f"{where}/view", {"level": "high", "reason": text}).status_code == 200
    assert post(officer, f"{where}/decisions", {"level": "standard", "reason": text}).status_code == 200
    lodged = post(officer, f"{where}/challenges", FORMS["challenges"] | {"text": text}).json()
    path = f"{where}/challenges/{lodged['challenge_id']}/outcome"
    outcome = {"outcome": "upheld", "reason": text, "corrected": named | {"custody_dates": []}}
    assert post(officer, path, outcome).status_code == 200
    assert post(officer, f"{where}/replay", b"").status_code == 200
    exported = post(officer, "/subject-exports", {"nominal_id": CANARY})
    assert exported.text.count(text) == 4
    for refused in (
        post(officer, path, outcome),
        post(officer, f"{where}/view", {"level": text}),
        officer.get(f"/{CANARY}"),
    ):
        assert CANARY not in refused.text
    assert CANARY not in exported.headers["content-disposition"]
    assert CANARY not in officer.get("/metrics").text.replace(f'subject="{CANARY}"', "")
    assert CANARY not in LOGS.getvalue()
    engine = open_database(database_url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        for table in found.sorted_tables:
            for row in connection.execute(table.select()):
                kept = [bytes(one) if isinstance(one, bytes | memoryview) else str(one).encode() for one in row]
                assert CANARY.encode() not in b"|".join(kept), table.name
    engine.dispose()
