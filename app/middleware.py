"""The edge of every request: an id, safe headers, one log line, one problem for whatever went wrong."""

import asyncio
import json
import time
import uuid
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import metrics
from app.audit.records import NewRecord
from app.errors import DayZeroError, Fault, InvalidInput, MethodNotAllowed, NotFound, TooManyRequests, Unavailable
from app.forms import allowed_words
from app.logs import where
from app.problems import INTERNAL, MEDIA_TYPE, RETRY_SECONDS, Kind, kind_of, problem_body, problem_headers
from app.purposes import OWN_PURPOSE
from app.security import Caller

log = structlog.get_logger()
HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
POLICY = b"default-src 'none'; frame-ancestors 'none'"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
RECORDED_REFUSALS = frozenset({403, 409, 422})


class Edge:
    """Outermost layer (ASGI): nothing below it can answer without an id and headers, or fail into a library's log."""

    def __init__(self, application: ASGIApp) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        request_id, began, status = uuid.uuid4().hex, time.perf_counter(), 0
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _marked(message["headers"], request_id)
            await send(message)

        try:
            await self.application(scope, receive, send_marked)
        except asyncio.CancelledError:
            if not status:  # the service is stopping and this request was not finished in time
                stopping = Unavailable("The service is stopping; ask again.")
                await problem_response(kind_of(stopping), stopping.detail)(scope, receive, send_marked)
            raise
        except Exception as error:  # noqa: BLE001 - the last place that can keep its text out of the logs
            log.error("unexpected", request_id=request_id, error=type(error).__name__, where=where(error))  # noqa: TRY400
            if not status:
                answer = problem_response(INTERNAL, "The error was logged under the request id.")
                await answer(scope, receive, send_marked)
        finally:
            _tell(scope, request_id, status, time.perf_counter() - began)


def install_problem_handlers(application: FastAPI) -> None:
    """Turn every refusal, ours or the framework's, into a problem; record those of known callers."""
    application.add_exception_handler(DayZeroError, _refuse)
    application.add_exception_handler(HTTPException, _framework_refusal)
    application.add_exception_handler(RequestValidationError, _framework_fault)


def problem_response(kind: Kind, detail: str, faults: tuple[Fault, ...] = (), seconds: int = RETRY_SECONDS) -> Response:
    """The RFC 9457 answer; `seconds` goes into Retry-After where the kind has one."""
    metrics.PROBLEMS.labels(kind.slug).inc()
    return Response(problem_body(kind, detail, faults), kind.status, problem_headers(kind, seconds), MEDIA_TYPE)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, DayZeroError)  # noqa: S101 - what this handler is installed for
    kind = kind_of(error)
    if kind is INTERNAL:
        log.error("unexpected", request_id=request.state.request_id, error=type(error).__name__, where=where(error))
        return problem_response(kind, "The error was logged under the request id.")
    request.state.problem = kind.slug
    caller = getattr(request.state, "caller", None)
    if caller is not None and kind.status in RECORDED_REFUSALS:
        try:
            record = refusal_record(caller, request.method, route_template(request.scope), error)
            await request.app.state.ledger.append(record)
        except Unavailable as unavailable:
            return problem_response(kind_of(unavailable), unavailable.detail)
    request.app.state.refusals.note(kind)
    seconds = error.seconds if isinstance(error, TooManyRequests) else RETRY_SECONDS
    return problem_response(kind, error.detail, error.faults, seconds)


def refusal_record(caller: Caller, method: str, route: str, error: DayZeroError) -> NewRecord:
    """What was refused and why, without anything of what was sent."""
    told: dict[str, Any] = {
        "method": method,
        "route": route,
        "problem": kind_of(error).slug,
        "errors": [{"pointer": fault.pointer, "rule": fault.rule} for fault in error.faults[:100]],
    }
    return NewRecord(
        event="refusal",
        issuer=caller.issuer,
        subject=caller.subject,
        payload=json.dumps(told).encode(),
        purpose=OWN_PURPOSE,
    )


async def _framework_refusal(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        answer = await _refuse(request, MethodNotAllowed("See /docs for what this address takes."))
        named = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
        answer.headers["Allow"] = _methods_there(request, named)
        return answer
    if status == 404:
        return await _refuse(request, NotFound("See /docs for the addresses there are."))
    return problem_response(INTERNAL, "The framework refused the request.")


def _methods_there(request: Request, named: str) -> str:
    """What this address takes; the framework has `named` the methods of the first route that stands there only."""
    documented = request.app.openapi()["paths"].get(route_template(request.scope), {})
    return ", ".join(sorted(method.upper() for method in documented)) or named


async def _framework_fault(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    faults = [
        Fault(_pointer(one["loc"], one["type"]), one["type"].replace("_", "-"), allowed_words(one)) for one in found
    ]
    return await _refuse(request, InvalidInput("The request breaks the rules named in errors.", faults))


def _pointer(location: tuple[str | int, ...], rule: str) -> str:
    """An unknown parameter may be named anything, a person too, so what it stands in is named instead."""
    return "".join(f"/{part}" for part in (location[:-1] if rule == "extra_forbidden" else location))


def route_template(scope: Scope) -> str:
    """The route as it is written in the contract, never the address with its identifiers."""
    route = scope.get("route")
    return getattr(route, "path", "unknown")


def _marked(headers: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    given = {name.lower() for name, _ in headers}
    policy = [] if b"content-security-policy" in given else [(b"content-security-policy", POLICY)]
    return [*headers, *HEADERS, *policy, (b"x-request-id", request_id.encode())]


def _tell(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    template = route_template(scope)
    method = scope["method"] if scope["method"] in METHODS else "other"
    metrics.REQUESTS.labels(method, template, status).inc()
    metrics.SECONDS.labels(template).observe(seconds)
    log.info(
        "request",
        request_id=request_id,
        method=method,
        route=template,
        status=status,
        milliseconds=round(1000 * seconds, 3),
        problem=scope["state"].get("problem"),
        reason=scope["state"].get("reason"),
    )
