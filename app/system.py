"""Health, metrics and the pages that teach the API."""

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from app.answer import Answer
from app.errors import NotFound
from app.problems import describe
from app.security import Caller, require

router = APIRouter(tags=["system"])
docs_router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).with_name("static")
ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript", "docs.js": "text/javascript"}
# Everything from this origin; the page component sets styles and draws small inline images.
DOCS_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


class Health(Answer):
    """State of this process."""

    status: Literal["live", "ready"]
    """`live`: the process runs; `ready`: it may be sent requests."""


@router.get("/health/live", summary="Is the process up?")
async def live() -> Health:
    """Answers as long as the process runs; says nothing about what it depends on."""
    return Health(status="live")


@router.get("/health/ready", summary="May this process be sent requests?", responses=describe(503))
async def ready(request: Request) -> Health:
    """Ready only when the golden cases reproduced at start and the store answers (asked at most once a second)."""
    await run_in_threadpool(request.app.state.readiness.demand)
    return Health(status="ready")


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **describe(401, 403)},
)
async def metrics(_: Annotated[Caller, Depends(require("metrics"))]) -> Response:
    """Counters and timings of this worker; labels never carry an identifier."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@docs_router.get("/docs")
async def docs() -> Response:
    """The page that teaches the API, with vendored assets."""
    return FileResponse(STATIC / "docs.html", media_type="text/html", headers={"Content-Security-Policy": DOCS_POLICY})


@docs_router.get("/docs/{asset}")
async def docs_asset(asset: str) -> Response:
    """One of the page's files, out of a closed list."""
    if asset not in ASSETS:
        raise NotFound("The documentation page has no such file.")
    return FileResponse(STATIC / asset, media_type=ASSETS[asset])


@docs_router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI document, as in openapi.yaml."""
    return JSONResponse(request.app.openapi())
