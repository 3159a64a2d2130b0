"""What schemathesis sends besides what it makes up itself: canaries everywhere, and scores that can be given.

Loaded by `st run` through SCHEMATHESIS_HOOKS. Made-up histories hardly ever hold a stalking incident, so every other
request of `POST /score` is the example with something in it changed; else nothing would be there for the links to find.
"""

import copy
import itertools
import json
from typing import Any

import schemathesis

from tests.requests import example

CANARY = "CANARY-7"
FIELD = "canaryfield"
SCORES = itertools.count()


@schemathesis.serializer("application/x-ndjson")
def lines_of(_: Any, value: Any) -> bytes:
    """The body of a bulk call: a history that can be scored, and whatever was made up, as text and as JSON."""
    made_up = value if isinstance(value, str) else json.dumps(value)
    written = [json.dumps(_history(next(SCORES))), made_up, json.dumps(value)]
    return "\n".join(written).encode(errors="surrogatepass")


@schemathesis.hook
def before_call(context: Any, case: Any, **_: Any) -> None:
    """A canary in every place a caller may choose; what was odd about the request stays odd."""
    case.headers = {
        **(case.headers or {}),
        "User-Agent": CANARY,
        "X-Request-ID": CANARY,
        "X-Canary": CANARY,
        "Referer": CANARY,
    }
    case.cookies = {**(case.cookies or {}), CANARY: CANARY}
    if case.operation.label == "POST /score" and next(SCORES) % 2:
        case.body = _history(next(SCORES))
    elif isinstance(case.body, dict):
        case.body = _planted(case.body)
    if isinstance(case.query, dict) and "limit" in case.query and not isinstance(case.query["limit"], int):
        case.query = {**case.query, FIELD: CANARY}


def _history(number: int) -> dict[str, Any]:
    """A request that gives a score, its names canaries; now and then with a field too many."""
    request = example(explain=("none", "factors", "incidents", "both")[number // 2 % 4])
    request["nominal"]["nominal_id"] = f"{CANARY}:{number % 7}"
    for place, incident in enumerate(request["incidents"]):
        incident["incident_id"] = f"{CANARY}:{place}"
    return request | ({FIELD: CANARY} if number % 5 == 0 else {})


def _planted(body: dict[str, Any]) -> dict[str, Any]:
    """The same body with a canary for each name in it, and as a field, where there were fields too many already."""
    planted = copy.deepcopy(body)
    nominal = planted.get("nominal")
    for holder in (planted, nominal, *(planted.get("incidents") or [])):
        if isinstance(holder, dict):
            for name in ("nominal_id", "incident_id", "authority", "reason", "text"):
                if isinstance(holder.get(name), str) and holder[name].isalnum():
                    holder[name] = f"{CANARY}:{holder[name][:40]}"
            for name, value in list(holder.items()):
                if isinstance(value, str) and not value.isascii():
                    holder[name] = f"{CANARY} {value}"
    return planted


@schemathesis.check
def nothing_is_repeated(ctx: Any, response: Any, case: Any) -> None:
    """No problem repeats what was sent."""
    if response.headers.get("content-type", [""])[0] == "application/problem+json":
        assert CANARY.encode() not in response.content, "a problem repeats what was sent"


@schemathesis.check
def every_answer_is_marked(ctx: Any, response: Any, case: Any) -> None:
    """The headers every answer carries."""
    for name in ("x-request-id", "cache-control", "x-content-type-options", "content-security-policy"):
        assert response.headers.get(name), f"no {name}"
    assert CANARY not in response.headers["x-request-id"][0]
