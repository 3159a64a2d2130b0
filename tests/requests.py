"""The example request, and the editing words the YAML tables use on it."""

import copy
import json
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).with_name("data")

EXAMPLE: dict[str, Any] = {
    "nominal": {"nominal_id": "N-104", "date_of_birth": "1990-01-01", "gender": "male"},
    "index_victim_contacts": 3,
    "custody_dates": ["2020-03-10"],
    "incidents": [
        {"incident_id": "A", "occurred_on": "2020-01-01", "offence_code": "00806", "harm_score": 10, "role": "suspect",
         "is_domestic": True},
        {"incident_id": "B", "occurred_on": "2020-03-11", "offence_code": None, "is_non_crime": True, "harm_score": 1,
         "role": "suspect", "is_domestic": True},
        {"incident_id": "C", "occurred_on": "2020-03-11", "offence_code": "00865", "harm_score": 182,
         "role": "offender", "intimate_partner": True},
    ],
    "model": "stalking-nominal",
    "explain": "factors",
    "purpose": "stalking-triage",
    "as_of": "2020-03-12",
}  # fmt: skip


def example(**changes: Any) -> dict[str, Any]:
    """A fresh copy of the contract's example, top-level members replaced."""
    return copy.deepcopy(EXAMPLE) | changes


def cases(table: str) -> list[dict[str, Any]]:
    """The rows of a YAML table in tests/data."""
    return list(yaml.safe_load((DATA / table).read_text(encoding="utf-8")))


def body_of(case: dict[str, Any], request: dict[str, Any] | None = None) -> bytes:
    """The request body a row describes, changed from the example or from another `request`."""
    if "raw" in case:
        return str(case["raw"]).encode("latin-1")
    if "nested" in case:
        return b"[" * case["nested"]
    if "digits" in case:
        return b'{"a": ' + b"9" * case["digits"] + b"}"
    request = example() if request is None else request
    for pointer, value in case.get("set", {}).items():
        parent, last = _walk(request, pointer)
        parent[last] = value
    for pointer, length in case.get("fill", {}).items():
        parent, last = _walk(request, pointer)
        parent[last] = ("He punched her, CANARY. " * length)[:length]
    for pointer in case.get("drop", []):
        parent, last = _walk(request, pointer)
        del parent[last]
    for number in range(case.get("copies", 0)):
        request["incidents"].append(request["incidents"][0] | {"incident_id": f"copy-{number}"})
    return json.dumps(request).encode()


def _walk(document: Any, pointer: str) -> tuple[Any, Any]:
    *path, last = pointer.removeprefix("/").split("/")
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document, int(last) if isinstance(document, list) else last
