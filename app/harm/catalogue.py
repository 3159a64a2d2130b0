"""`/models`: which models answer here and what is to be said of each."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request

from app.artifacts import Bundle
from app.errors import NotFound
from app.harm.answers import LoadedModel, ModelCard, ModelPage
from app.harm.service import stamp
from app.problems import describe
from app.security import Caller, require

router = APIRouter(tags=["models"])
Looking = Annotated[Caller, Depends(require("score", "triage", "audit"))]


@router.get("/models", summary="List the models loaded", responses=describe(401, 403))
async def list_models(request: Request, _: Looking) -> ModelPage:
    """Family, version and digest of each model, what it learnt from, and who vouches for it."""
    return ModelPage(models=[_loaded(model.bundle) for model in request.app.state.scorer.models.values()])


@router.get("/models/{family}", summary="Describe a model", responses=describe(401, 403, 404))
async def get_model(request: Request, family: str, _: Looking) -> ModelCard:
    """The manifest in force: features, group cuts, decision weights, data counts, measured quality."""
    model = request.app.state.scorer.models.get(family)
    if model is None:
        raise NotFound("No model of that family is loaded here.")
    manifest = model.bundle.manifest
    return ModelCard(
        **_loaded(model.bundle).model_dump(),
        **manifest.model_dump(
            include={
                "groups", "cuts", "decision_weights", "features", "survival_features", "harm_index", "libraries",
                "data", "metrics", "seed",
            }
        ),
    )  # fmt: skip


def _loaded(bundle: Bundle) -> LoadedModel:
    return LoadedModel(**stamp(bundle).model_dump(), signed_by=bundle.signed_by)
