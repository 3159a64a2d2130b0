"""`GET /scores/{score_id}/explanation`: either view of a score, on demand."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.harm.explanation_answers import BothExplanations, Explained, OneView
from app.harm.explanation_picture import explanation_svg
from app.harm.inferred import demand_same_reader
from app.harm.records import read_request
from app.harm.routes import PICTURE_POLICY, Reading, stored_score
from app.harm.service import View
from app.media import JSON, SVG, preferred
from app.problems import describe

router = APIRouter(tags=["scores"])
_ROUTE = "/scores/{score_id}/explanation"


class ExplanationQuery(BaseModel):
    """Which view of a score."""

    model_config = ConfigDict(extra="forbid")
    by: View = Field(default="factors", description="ten factors, or each earlier incident")


@router.get(
    _ROUTE,
    summary="Explain a stored score",
    response_model=OneView,
    responses={
        200: {"content": {SVG: {"schema": {"type": "string"}}}},
        **describe(401, 403, 404, 406, 409, 410, 422, 503),
    },
)
async def get_explanation(
    request: Request, caller: Reading, score_id: str, query: Annotated[ExplanationQuery, Query()]
) -> Response:
    """By ten factors or by each earlier incident: JSON, or SVG by `Accept`.

    A view that was given with the score is given again as it was. Any other is computed from the stored request with
    the very artefact that made the score, and is what `POST /score` would have given, to the bit.
    """
    by = query.by
    media = preferred(request.headers.get("accept"), (JSON, SVG))
    _, archived = await stored_score(request, caller, score_id, _ROUTE)
    body = archived.body
    view = _given(body.explanation, by)
    if view is None:
        state = request.app.state
        state.readiness.demand_model()
        wanted = read_request(archived.request)
        demand_same_reader(body, state.scorer.index.reader)
        work = partial(state.scorer.explain_again, wanted, body.model.manifest_sha256, by)
        view = await state.admission.run(work)
    if media == SVG:
        return Response(explanation_svg(body, view), media_type=SVG, headers=PICTURE_POLICY)
    return Response(view.model_dump_json(), media_type=JSON)


def _given(explanation: Explained, by: View) -> OneView | None:
    """The view asked for, where the score was given with it."""
    if isinstance(explanation, BothExplanations):
        return explanation.factors if by == "factors" else explanation.incidents
    return explanation if explanation is not None and explanation.by == by else None
