"""A view of a stored score in the form asked for: JSON, a picture or words; over HTTP and from the command line alike."""

from collections.abc import Callable

from app.harm.archive import Archived
from app.harm.explaining import By, given_with
from app.harm.explanation_answers import IncidentExplanation, OneView
from app.harm.explanation_picture import factors_svg, incidents_svg
from app.harm.read_aloud import view_aloud
from app.harm.records import read_request
from app.harm.service import Scorer
from app.harm.targets import TARGETS, Of
from app.media import JSON, SVG, TEXT

FORMS = (JSON, SVG, TEXT)


def stored_view(archived: Archived, by: By, of: Of, media: str) -> str | Callable[[Scorer], str]:
    """The view as text of that media type; or what makes it, where that needs the model.

    A view given with the score is given again as it was. Any other is made from the stored request by the very artefact
    that made the score, to the bit as it would have been; so is the history in a picture.
    """
    body = archived.body
    given = given_with(body, by, of)
    if given is not None and not (media == SVG and by == "incidents"):
        return _shown(archived, given, of, media)

    def make(scorer: Scorer) -> str:
        scorer = scorer.as_read(archived.answer)
        digest, request = body.model.manifest_sha256, read_request(archived.request)
        view = given or scorer.explain_again(request, digest, by, of)
        if media == SVG and isinstance(view, IncidentExplanation):
            _, case = scorer.case_again(request, digest)
            return incidents_svg(body, view, TARGETS[of], case)
        return _shown(archived, view, of, media)

    return make


def _shown(archived: Archived, view: OneView, of: Of, media: str) -> str:
    if media == JSON:
        return view.model_dump_json()
    return factors_svg(archived.body, view, TARGETS[of]) if media == SVG else view_aloud(view)
