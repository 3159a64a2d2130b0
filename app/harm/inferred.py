"""Domestic non-crimes whose harm is read out of their log: which they are, what may be sent, what is told of it.

Text that is not needed is refused, so that it is not held: on any other incident, and beside a score that was sent.
"""

import json
from collections.abc import Iterator, Sequence

from app.errors import Fault
from app.harm.answers import HarmInferred, InferredHarm, InferredTerm, ModelStamp
from app.harm.records import ScoreRequest
from app.text.records import Inferred, ReadsLogs

CODE = "harm-inferred"
MESSAGE = (
    "The harm of a domestic non-crime was read out of the text of its log by a model, which is often wrong by a step of the "
    "scale: read the log itself."
)
Readings = dict[int, Inferred]
"""What was read, by position of the incident in the request."""


def read_logs(request: ScoreRequest, reader: ReadsLogs | None) -> tuple[Readings, list[Fault]]:
    """Read the logs of a request; the faults of those that cannot be used."""
    faults = list(_misplaced(request))
    wanted = [
        position
        for position, one in enumerate(request.incidents)
        if one.log_text and one.harm_score is None and one.is_non_crime and one.is_domestic
    ]
    if wanted and reader is None:
        return {}, [
            *faults,
            *(Fault(f"/incidents/{position}/log_text", "text-model-not-loaded") for position in wanted),
        ]
    found = reader.read([request.incidents[position].log_text or "" for position in wanted]) if reader else []
    faults += [
        Fault(f"/incidents/{position}/log_text", "no-known-words")
        for position, read in zip(wanted, found, strict=True)
        if read is None
    ]
    return {position: read for position, read in zip(wanted, found, strict=True) if read is not None}, faults


def _misplaced(request: ScoreRequest) -> Iterator[Fault]:
    for position, incident in enumerate(request.incidents):
        of_its_kind = incident.is_non_crime and incident.is_domestic
        if incident.harm_assumed and not (of_its_kind and incident.harm_score is not None):
            yield Fault(f"/incidents/{position}/harm_assumed", "only-for-domestic-non-crimes-with-harm-score")
        if incident.log_text is None:
            continue
        if not of_its_kind:
            yield Fault(f"/incidents/{position}/log_text", "only-for-domestic-non-crimes")
        elif incident.harm_score is not None:
            yield Fault(f"/incidents/{position}/log_text", "not-beside-harm-score")


def harm_inferred(inferred: Sequence[tuple[str, Inferred]]) -> HarmInferred:
    """The warning for these incidents (id, what was read), at least one."""
    return HarmInferred(
        code=CODE,
        message=MESSAGE,
        model=ModelStamp(**inferred[0][1].by._asdict()),
        incidents=[_told(name, read) for name, read in inferred],
    )


def _told(name: str, read: Inferred) -> InferredHarm:
    terms = None if read.terms is None else [InferredTerm(term=one.term, effect=one.effect) for one in read.terms]
    return InferredHarm(
        incident_id=name,
        harm_score=read.score,
        scores=list(read.scores),
        probabilities=list(read.probabilities),
        terms=terms,
    )


def read_by(answer: bytes) -> str | None:
    """Digest of the manifest of the model that read the logs of a stored score; None where none were read.

    `answer` as stored; of any age, so that only this one warning is looked at.
    """
    warnings = json.loads(answer)["history"]["warnings"]
    return next((str(told["model"]["manifest_sha256"]) for told in warnings if told["code"] == CODE), None)
