"""The OpenAPI document: what FastAPI derives from the routes, plus the models the routes read by themselves.

Routes read their bodies by themselves (authentication and the size limit come before parsing), so FastAPI does not see
their models; problems are written by the error handlers, so it does not see theirs either.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.links import add_links

PARAMETERS = {
    "score_id": "A score's id.",
    "challenge_id": "A challenge's id, as it was given when it was lodged.",
    "sequence": "A record's place in the log, from 0.",
    "family": "A family of models, such as `stalking-nominal`.",
    "name": "A document's file name.",
}
"""What stands in an address, wherever it stands."""
REF = "#/components/schemas/{model}"


def publish(application: FastAPI, requests: Sequence[type[BaseModel]], problem: type[BaseModel]) -> None:
    """Make `application.openapi()` give the whole document."""

    def openapi() -> dict[str, Any]:
        if application.openapi_schema is None:
            application.openapi_schema = _document(application, requests, problem)
        return application.openapi_schema

    application.openapi = openapi  # type: ignore[method-assign]


def _document(application: FastAPI, requests: Sequence[type[BaseModel]], problem: type[BaseModel]) -> dict[str, Any]:
    document = get_openapi(
        title=application.title,
        version=application.version,
        description=application.description,
        routes=application.routes,
    )
    own = [*((request, "validation") for request in requests), (problem, "serialization")]
    _, extra = models_json_schema(own, ref_template=REF)  # type: ignore[arg-type]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= extra["$defs"]
    _drop_framework_errors(document)
    _describe_parameters(document)
    add_links(document)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _describe_parameters(document: dict[str, Any]) -> None:
    """Say what parts of an address are; a part that nothing is known of stays as it is."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and parameter["name"] in PARAMETERS:
                    parameter.setdefault("description", PARAMETERS[parameter["name"]])


def _drop_framework_errors(document: dict[str, Any]) -> None:
    """FastAPI describes its own 422 body, which this service never sends."""
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    for methods in document["paths"].values():
        for operation in methods.values():
            answer = operation.get("responses", {}).get("422", {})
            if "HTTPValidationError" in str(answer):
                del operation["responses"]["422"]
