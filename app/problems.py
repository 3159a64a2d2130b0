"""From an error to an RFC 9457 problem. The catalogue in `docs/problems.md` lists every row of `CATALOGUE`."""

import json
from typing import NamedTuple

from pydantic import Field

from app import errors
from app.answer import Answer

MEDIA_TYPE = "application/problem+json"
MAX_FAULTS = 100
RETRY_SECONDS = 1


class Kind(NamedTuple):
    """A kind of problem: stable slug, HTTP status, title."""

    slug: str
    status: int
    title: str


CATALOGUE: dict[type[errors.DayZeroError], Kind] = {
    errors.MalformedInput: Kind("malformed-body", 400, "The body cannot be read"),
    errors.NotAuthenticated: Kind("not-authenticated", 401, "A valid bearer token is needed"),
    errors.NotAllowed: Kind("not-allowed", 403, "The token does not carry the scope this needs"),
    errors.NotFound: Kind("not-found", 404, "There is no such thing here"),
    errors.MethodNotAllowed: Kind("method-not-allowed", 405, "This address does not take that method"),
    errors.NotAcceptable: Kind("not-acceptable", 406, "None of the media types asked for can be given"),
    errors.StillRunning: Kind("still-running", 409, "A request with this idempotency key is still being answered"),
    errors.ModelNotLoaded: Kind("model-not-loaded", 409, "The model that made this score is not loaded"),
    errors.ViewFirst: Kind("view-first", 409, "The score is withheld until a view is recorded"),
    errors.ViewRecorded: Kind("view-recorded", 409, "This caller has recorded a view of this score already"),
    errors.ViewAfterReading: Kind("view-after-reading", 409, "This caller has seen the score already"),
    errors.ChallengeClosed: Kind("challenge-closed", 409, "The challenge has its outcome already"),
    errors.Erased: Kind("erased", 410, "The record was erased"),
    errors.InputTooLarge: Kind("too-large", 413, "The body is too large"),
    errors.UnsupportedMedia: Kind("unsupported-media", 415, "The body has another type or encoding than this takes"),
    errors.InvalidInput: Kind("invalid-request", 422, "The request breaks a rule"),
    errors.IdempotencyMismatch: Kind("idempotency-mismatch", 422, "This idempotency key came with another body"),
    errors.TooManyRequests: Kind("too-many-requests", 429, "More requests than this service takes"),
    errors.Unavailable: Kind("unavailable", 503, "The service cannot answer now"),
}
INTERNAL = Kind("internal", 500, "Something went wrong")


class ProblemFault(Answer):
    """One broken rule."""

    pointer: str
    """Where, as an RFC 6901 JSON pointer; `/query/...` and `/header/...` for what is not in the body."""
    rule: str
    """Which rule."""
    allowed: list[str] = Field(default=[])
    """The words a closed list takes; absent where it is no closed list. What was sent is never repeated."""


class Problem(Answer):
    """An RFC 9457 problem body."""

    type: str
    """Stable name of the kind of problem."""
    title: str
    """The kind of problem in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What to do about it, or what went wrong this time."""
    errors: list[ProblemFault]
    """Every broken rule found, at most 100; empty where it is not about what was sent."""


def kind_of(error: errors.DayZeroError) -> Kind:
    """The catalogue row of an error or of the nearest kind it belongs to; what is not meant for callers is internal."""
    return next((CATALOGUE[base] for base in type(error).__mro__ if base in CATALOGUE), INTERNAL)


def problem_body(kind: Kind, detail: str, faults: tuple[errors.Fault, ...] = ()) -> bytes:
    """The JSON bytes of a problem; at most 100 faults are listed."""
    body = {
        "type": kind.slug,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "errors": [fault.told() for fault in faults[:MAX_FAULTS]],
    }
    return json.dumps(body, ensure_ascii=False).encode()


def problem_headers(kind: Kind, seconds: int = RETRY_SECONDS) -> dict[str, str]:
    """Headers that belong to a problem of this kind; `seconds` after which asking again may help."""
    if kind.status == 401:
        return {"WWW-Authenticate": 'Bearer realm="dayzero"'}
    again = kind.status in {429, 503} or kind is CATALOGUE[errors.StillRunning]  # the other 409s stay as they are
    return {"Retry-After": str(seconds)} if again else {}


def describe(*statuses: int) -> dict[int | str, dict[str, object]]:
    """OpenAPI `responses` for these statuses; whatever asks for a token may also say "too often" and "not now"."""
    more = {429, 503} if 401 in statuses else set()
    return {
        status: {
            "description": "; ".join(kind.title for kind in [*CATALOGUE.values(), INTERNAL] if kind.status == status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*statuses, *more})
    }
