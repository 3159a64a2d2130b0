"""`GET /scores/{score_id}/explanation`: either view of a score, on demand."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.harm.explaining import By
from app.harm.explanation_answers import OneView
from app.harm.reading import stored_score
from app.harm.routes import PICTURE_POLICY, Reading
from app.harm.stored_views import FORMS, stored_view
from app.harm.targets import Of
from app.media import SVG, TEXT, preferred
from app.problems import describe

router = APIRouter(tags=["scores"])
_ROUTE = "/scores/{score_id}/explanation"


class ExplanationQuery(BaseModel):
    """Which view of a score."""

    model_config = ConfigDict(extra="forbid")
    by: By = Field(default="factors", description="factors, or each earlier incident")
    of: Of = Field(default="harm", description="the highest group of harm, or one year without a further incident")


@router.get(
    _ROUTE,
    summary="Explain a stored score",
    response_model=OneView,
    responses={
        200: {"content": {SVG: {"schema": {"type": "string"}}, TEXT: {"schema": {"type": "string"}}}},
        **describe(401, 403, 404, 406, 409, 410, 422, 503),
    },
)
async def get_explanation(
    request: Request, caller: Reading, score_id: str, query: Annotated[ExplanationQuery, Query()]
) -> Response:
    """By factors or by each earlier incident: JSON, a picture (SVG) or words (plain text) by `Accept`.

    The picture by factors has a bar for each; by incidents it has the history with day zero and harm, shaded by what
    each incident goes with, above the bars.

    A view that was given with the score is given again as it was. Any other is computed from the stored request with
    the very artefact that made the score, and is what `POST /score` would have given, to the bit.
    """
    media = preferred(request.headers.get("accept"), FORMS)
    _, archived = await stored_score(request, caller, score_id, _ROUTE)
    view = stored_view(archived, query.by, query.of, media)
    if not isinstance(view, str):
        state = request.app.state
        state.readiness.demand_model()
        view = await state.admission.run(partial(view, state.scorer))
    return Response(view, media_type=media, headers=PICTURE_POLICY if media == SVG else {})
