"""Requests refused and requests scored with a warning, from the tables an analyst can edit."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Fault, InputError, InvalidInput, MalformedInput
from app.harm.records import read_request
from app.harm.service import Scorer
from app.problems import kind_of
from app.strict_json import read_json
from tests.requests import body_of, cases

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("case", cases("bad_requests.yaml"), ids=lambda case: case["case"])
def test_bad_requests_are_refused(case: dict[str, Any], toy_scorer: Scorer) -> None:
    with pytest.raises(InputError) as refused:
        toy_scorer.score(read_request(body_of(case)), TODAY)
    error = refused.value
    assert kind_of(error).status == case["status"]
    fault = Fault(case.get("pointer", ""), case["rule"], tuple(case.get("allowed", [])))
    assert fault in error.faults
    assert "canar" not in f"{error} {error.faults}".lower()
    assert error.__cause__ is None, "a cause would carry the value into a traceback"


@pytest.mark.parametrize("case", cases("odd_requests.yaml"), ids=lambda case: case["case"])
def test_odd_requests_are_scored_with_a_warning(case: dict[str, Any], toy_scorer: Scorer) -> None:
    scored = toy_scorer.score(read_request(body_of(case)), TODAY)
    assert scored.case.warnings == case["warnings"]
    assert dict(scored.case.ignored) == case.get("ignored", {})


def test_every_fault_is_named_at_once(toy_scorer: Scorer) -> None:
    case = {"set": {"/incidents/0/occurred_on": "1980-01-01", "/incidents/1/incident_id": "C", "/as_of": "2020-03-10"}}
    with pytest.raises(InvalidInput) as refused:
        toy_scorer.score(read_request(body_of(case)), TODAY)
    assert {fault.rule for fault in refused.value.faults} == {"before-birth", "after-as-of", "duplicate-incident-id"}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    try:
        read_json(raw)
    except MalformedInput as error:
        assert error.faults[0].rule in {
            "json-syntax", "utf-8", "finite-numbers", "no-duplicate-keys", "no-lone-surrogates", "no-byte-order-mark",
            "nesting-depth",
        }  # fmt: skip


PLACES = (
    "/nominal", "/incidents", "/incidents/0", "/incidents/2/occurred_on", "/incidents/0/harm_score", "/as_of", "/model",
    "/custody_dates", "/index_victim_contacts", "/explain", "/purpose",
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), anything)
def test_any_value_in_any_place_is_scored_or_refused(toy_scorer: Scorer, pointer: str, value: Any) -> None:
    try:
        toy_scorer.score(read_request(body_of({"set": {pointer: value}})), TODAY)
    except InputError as error:
        assert error.faults
