"""`/models`: which models answer here, what was measured of each and what was written about it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from app.artifacts import Bundle
from app.documents import CARD, MEDIA, PAGE, DocumentName
from app.errors import NotFound
from app.harm.model_answers import (
    CovenantAnswer,
    DocumentLink,
    EarlierVersion,
    LoadedModel,
    ModelCard,
    ModelPage,
    Status,
    TextModelCard,
)
from app.harm.service import stamp
from app.harm.versions import Version
from app.media import HTML, JSON, MARKDOWN, preferred
from app.problems import describe
from app.security import Caller, require
from app.text.manifest import TextManifest

router = APIRouter(tags=["models"])
Looking = Annotated[Caller, Depends(require("score", "triage", "audit"))]
_NOT_EVALUATED = "Not evaluated: no evaluation lies beside this artefact. `dayzero-train evaluate` makes one."
_TEXT = {"schema": {"type": "string"}}
_IN_MANIFEST = {
    "groups", "cuts", "decision_weights", "features", "survival_features", "harm_index", "libraries", "data", "metrics",
    "seed",
}  # fmt: skip
_IN_TEXT_MANIFEST = {"scores", "terms", "served", "libraries", "data", "metrics", "seed"}
AnyBundle = Bundle[Any]


@router.get("/models", summary="List the models loaded", responses=describe(401, 403))
async def list_models(request: Request, _: Looking) -> ModelPage:
    """Family, version and digest of each model, what it learnt from, and who vouches for it."""
    return ModelPage(models=[_loaded(bundle) for bundle in request.app.state.scorer.bundles.values()])


@router.get(
    "/models/{family}",
    summary="Describe a model",
    response_model=ModelCard | TextModelCard,
    responses={200: {"content": {HTML: _TEXT, MARKDOWN: _TEXT}}, **describe(401, 403, 404, 406)},
)
async def get_model(request: Request, family: str, _: Looking) -> Response:
    """JSON: the manifest in force, the evaluation, the transparency record. HTML: the report page. Markdown: the card.

    Where nothing was evaluated there is only JSON, and it says so.
    """
    bundle = _bundle(request, family)
    offered = (JSON,) if bundle.documents is None else (JSON, HTML, MARKDOWN)
    media = preferred(request.headers.get("accept"), offered)
    if media != JSON:
        return _document(bundle, PAGE if media == HTML else CARD)
    earlier = [_before(version) for version in request.app.state.scorer.earlier.of(family)]
    return Response(_card(bundle, earlier).model_dump_json(), media_type=JSON)


@router.get(
    "/models/{family}/covenant", summary="How a model answers to the Covenant", responses=describe(401, 403, 404)
)
async def get_covenant(request: Request, family: str, _: Looking) -> CovenantAnswer:
    """Each principle: what implements it, where that is tested, what was measured, and what a force must do itself."""
    bundle = _bundle(request, family)
    told = bundle.documents.covenant if bundle.documents else None
    return CovenantAnswer(
        **stamp(bundle).model_dump(),
        status=_status(bundle),
        notice=told.notice if told else _NOT_EVALUATED,
        principles=told.principles if told else [],
        parts=told.parts if told else [],
    )


@router.get(
    "/models/{family}/documents/{name}",
    summary="Read one document of a model",
    response_class=Response,
    responses={200: {"content": {JSON: {}, HTML: _TEXT, MARKDOWN: _TEXT}}, **describe(401, 403, 404, 422)},
)
async def get_document(request: Request, family: str, name: DocumentName, _: Looking) -> Response:
    """The file as it lies beside the artefact, byte for byte."""
    return _document(_bundle(request, family), name)


def _bundle(request: Request, family: str) -> AnyBundle:
    bundle: AnyBundle | None = request.app.state.scorer.bundles.get(family)
    if bundle is None:
        raise NotFound("No model of that family is loaded here.")
    return bundle


def _status(bundle: AnyBundle) -> Status:
    return "not evaluated" if bundle.documents is None else "evaluated"


def _document(bundle: AnyBundle, name: DocumentName) -> Response:
    if bundle.documents is None:
        raise NotFound(_NOT_EVALUATED)
    headers = {"Content-Security-Policy": bundle.documents.policy} if name == PAGE else {}
    return Response(bundle.documents.files[name], media_type=MEDIA[name], headers=headers)


def _before(version: Version) -> EarlierVersion:
    manifest, digest, _ = version
    return EarlierVersion(version=manifest.version, manifest_sha256=digest, learnt_from=manifest.learnt_from)


def _card(bundle: AnyBundle, earlier: list[EarlierVersion]) -> ModelCard | TextModelCard:
    documents = bundle.documents
    links = [] if documents is None else [_link(bundle, name, documents.listed.files[name]) for name in MEDIA]
    of_logs = isinstance(bundle.manifest, TextManifest)
    shared = {
        **_loaded(bundle).model_dump(),
        **bundle.manifest.model_dump(include=_IN_TEXT_MANIFEST if of_logs else _IN_MANIFEST),
        "status": _status(bundle),
        "earlier": earlier,
        "evaluation": None if documents is None else documents.evaluation,
        "atrs": None if documents is None else documents.atrs,
        "documents": links,
    }
    return TextModelCard(**shared) if of_logs else ModelCard(**shared)


def _link(bundle: AnyBundle, name: DocumentName, digest: str) -> DocumentLink:
    path = f"/models/{bundle.manifest.family}/documents/{name}"
    return DocumentLink(name=name, media_type=MEDIA[name], sha256=digest, path=path)


def _loaded(bundle: AnyBundle) -> LoadedModel:
    return LoadedModel(**stamp(bundle).model_dump(), signed_by=bundle.signed_by)
