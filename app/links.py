"""How one answer leads to the next request: the links of the OpenAPI document (specification 3.1, link object).

A reader sees from them what an answer is good for, and a test walks along them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

_SCORE = {"score_id": "$response.body#/score_id"}
_CHALLENGE = {**_SCORE, "challenge_id": "$response.body#/challenge_id"}
_FIRST_SCORE = {"score_id": "$response.body#/scores/0/score_id"}
_FIRST_RECORD = {"sequence": "$response.body#/entries/0/sequence"}


class Link(NamedTuple):
    """From an answer to a call: which parameters, or which body, the answer gives it."""

    name: str
    call: str
    parameters: Mapping[str, str] = MappingProxyType({})
    body: dict[str, str] | None = None


LINKS: dict[str, tuple[Link, ...]] = {
    "POST /score": (
        Link("score", "GET /scores/{score_id}", _SCORE),
        Link("curve", "GET /scores/{score_id}/survival", _SCORE),
        Link("explanation", "GET /scores/{score_id}/explanation", _SCORE),
        Link("view", "POST /scores/{score_id}/view", _SCORE),
        Link("decision", "POST /scores/{score_id}/decisions", _SCORE),
        Link("challenge", "POST /scores/{score_id}/challenges", _SCORE),
        Link("replay", "POST /scores/{score_id}/replay", _SCORE),
        Link("record", "GET /audit/{sequence}", {"sequence": "$response.body#/audit/sequence"}),
        Link("proof", "GET /audit/proof/inclusion", {"sequence": "$response.body#/audit/sequence"}),
        Link("recordsOfNominal", "POST /audit/search", body={"nominal_id": "$request.body#/nominal/nominal_id"}),
        Link("everythingHeld", "POST /subject-exports", body={"nominal_id": "$request.body#/nominal/nominal_id"}),
        Link("model", "GET /models/{family}", {"family": "$response.body#/model/family"}),
    ),
    "POST /scores/{score_id}/challenges": (
        Link("outcome", "POST /scores/{score_id}/challenges/{challenge_id}/outcome", _CHALLENGE),
        Link("history", "GET /scores/{score_id}/challenges", _SCORE),
    ),
    "POST /scores/{score_id}/decisions": (Link("history", "GET /scores/{score_id}/decisions", _SCORE),),
    "GET /scores": (
        Link("newestScore", "GET /scores/{score_id}", _FIRST_SCORE),
        Link("newestCurve", "GET /scores/{score_id}/survival", _FIRST_SCORE),
        Link("nextPage", "GET /scores", {"cursor": "$response.body#/next"}),
    ),
    "GET /audit": (
        Link("newestRecord", "GET /audit/{sequence}", _FIRST_RECORD),
        Link("nextPage", "GET /audit", {"cursor": "$response.body#/next"}),
        Link("proof", "GET /audit/proof/inclusion", {**_FIRST_RECORD, "size": "$response.body#/entries/0/sequence"}),
    ),
    "POST /audit/search": (Link("firstRecord", "GET /audit/{sequence}", _FIRST_RECORD),),
    "POST /erasures": (Link("record", "GET /audit/{sequence}", {"sequence": "$response.body#/sequence"}),),
    "GET /models": (Link("firstModel", "GET /models/{family}", {"family": "$response.body#/models/0/family"}),),
}


def add_links(document: dict[str, Any]) -> None:
    """Write the links into an OpenAPI document, under the 200 of each call."""
    for call, links in LINKS.items():
        _operation(document, call)["responses"]["200"]["links"] = {
            link.name: _written(link, _operation(document, link.call)["operationId"]) for link in links
        }


def _operation(document: dict[str, Any], call: str) -> dict[str, Any]:
    method, path = call.split(" ")
    operation: dict[str, Any] = document["paths"][path][method.lower()]
    return operation


def _written(link: Link, operation_id: str) -> dict[str, Any]:
    body = {} if link.body is None else {"requestBody": link.body}
    parameters = {"parameters": dict(link.parameters)} if link.parameters else {}
    return {"operationId": operation_id, **parameters, **body}
