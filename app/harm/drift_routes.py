"""`GET /models/{family}/drift`: are the people scored, and the logs read, still those the model was made on?"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from app.harm.catalogue import Looking
from app.harm.drift_answers import DriftAnswer
from app.harm.drift_reading import DEFAULT_DAYS, DEFAULT_LAST, MOST_DAYS, MOST_SCORES, Window
from app.harm.drift_watch import DriftWatch
from app.problems import describe
from app.purposes import Purpose

router = APIRouter(tags=["models"])
_PURPOSE: Purpose = "evaluation"


class DriftQuery(BaseModel):
    """Which scores: of the last so many days, the last so many."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = DEFAULT_DAYS
    """Scores of the last so many days."""
    last: Annotated[int, Field(ge=1, le=MOST_SCORES)] = DEFAULT_LAST
    """Of those, the last so many."""


@router.get(
    "/models/{family}/drift",
    summary="Measure drift of recent scores",
    responses=describe(401, 403, 404, 422, 503),
)
async def get_drift(
    request: Request, family: str, caller: Looking, query: Annotated[DriftQuery, Query()]
) -> DriftAnswer:
    """Population stability index of each input and output against the manifest, with its verdict; nothing below a few
    hundred scores.

    The scores of the window are opened to be counted, which is recorded as a read; the figures are kept for ten minutes.
    """
    watch: DriftWatch = request.app.state.drift
    model, window = watch.model(family), Window(query.days, query.last)
    known = watch.known(model, window)
    if known is not None:
        return known
    await watch.record(family, caller.issuer, caller.subject, _PURPOSE)
    answer: DriftAnswer = await request.app.state.admission.run(partial(watch.measure, model, window))
    return answer
