"""Which explanation is wanted: of which number, by what, as it was given with a score or made from the record."""

from typing import Literal

from app.harm.answers import ScoreBody
from app.harm.explanation import explain_factors
from app.harm.explanation_answers import BothExplanations, Explained, FactorExplanation, OneView
from app.harm.features import ROWS, Features
from app.harm.harm_index import HarmIndex
from app.harm.history import Case
from app.harm.incident_view import explain_incidents
from app.harm.model import HarmModel
from app.harm.records import Explain
from app.harm.targets import Of

By = Literal["factors", "incidents"]


def explanation(
    model: HarmModel, case: Case, table: Features, index: HarmIndex, wanted: Explain, of: Of = "harm"
) -> Explained:
    """The views a request asks for; `table` (1, 20, 19) the features of `case`."""
    if wanted == "none":
        return None
    if wanted != "both":
        return one_view(model, case, table, index, wanted, of)
    return BothExplanations(
        factors=_by_factors(model, case, table, of), incidents=explain_incidents(model, case, table, index, of)
    )


def one_view(model: HarmModel, case: Case, table: Features, index: HarmIndex, by: By, of: Of) -> OneView:
    """One view of one number."""
    if by == "factors":
        return _by_factors(model, case, table, of)
    return explain_incidents(model, case, table, index, of)


def given_with(body: ScoreBody, by: By, of: Of) -> OneView | None:
    """The view asked for, where the score was given with it."""
    held = body.explanation if of == "harm" else body.survival_explanation
    if isinstance(held, BothExplanations):
        return held.factors if by == "factors" else held.incidents
    return held if held is not None and held.by == by else None


def _by_factors(model: HarmModel, case: Case, table: Features, of: Of) -> FactorExplanation:
    return explain_factors(model, table, min(len(case.order), ROWS), _unknown(case), of)


def _unknown(case: Case) -> list[str]:
    """Factors whose figure was not sent."""
    request = case.request
    missing = {"age": request.nominal.date_of_birth is None, "victim contacts": request.index_victim_contacts is None}
    return [name for name, unknown in missing.items() if unknown]
