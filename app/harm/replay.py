"""Scoring a stored request once more with the artefact that made its score, and holding the two answers together.

Every field that the stored answer has is compared, numbers to the bit, the whole daily curve included. What today's answer
has besides was added to the service since and is no difference. "Equivalent" means that no number is further off than 1e-6,
as may happen on another kind of processor or with other libraries.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np

from app.answer import Answer
from app.harm.answers import AuditReceipt
from app.harm.archive import Archived
from app.harm.records import read_request
from app.harm.service import Scored, Scorer
from app.harm.survival import Curve

TOLERANCE = 1e-6
Result = Literal["identical", "equivalent", "different"]


class Difference(Answer):
    """A field that came out otherwise."""

    pointer: str
    """Its place in the answer (RFC 6901); `/curve/N` is day N of the whole curve, of which the answer gives some days."""
    stored: object
    """What is stored."""
    replayed: object
    """What came now."""


class ReplayAnswer(Answer):
    """What came of a replay."""

    score_id: str
    """The score."""
    replayed_at: datetime
    """When it was replayed."""
    manifest_sha256: str
    """The artefact that made it, and made it again: the digest of its manifest, in hex."""
    result: Result
    """Of all fields."""
    numbers: Result
    """Of those that hold numbers: words may be put differently by a newer version of the service."""
    compared: int
    """Values compared."""
    differences: list[Difference]
    """Those that differ."""
    made_with: dict[str, str]
    """What bits may depend on: versions, and the kind of processor."""
    audit: AuditReceipt
    """Where the record of the replay stands."""


@dataclass(frozen=True)
class Replay:
    """A replay not yet recorded: fields compared, and those that differ."""

    manifest_sha256: str
    compared: int
    differences: list[Difference]

    @property
    def result(self) -> Result:
        """Of all fields."""
        return _result(self.differences)

    @property
    def numbers(self) -> Result:
        """Of those that hold numbers."""
        return _result([one for one in self.differences if _is_number(one.stored) or _is_number(one.replayed)])


def replay(scorer: Scorer, archived: Archived) -> Replay:
    """Score a stored request again. Raises ModelNotLoaded where what made the score, or read its logs, is not here."""
    stored = json.loads(archived.answer)
    digest = stored["model"]["manifest_sha256"]
    scored = scorer.as_read(archived.answer).score_again(read_request(archived.request), digest)
    answer = _again(stored, scored)
    answers = list(_compare(stored, answer, ""))
    curves = list(_compare_curves(archived.curve, scored.curve))
    found = [one for one in [*answers, *curves] if one is not None]
    return Replay(digest, len(answers) + len(curves), found)


def _again(stored: dict[str, Any], scored: Scored) -> Any:
    """The answer as it comes now, under the stored one's name and date."""
    body = scored.body(stored["score_id"], datetime.fromisoformat(stored["scored_at"]))
    return json.loads(body.model_dump_json())


def _compare(stored: Any, replayed: Any, pointer: str) -> Iterator[Difference | None]:
    """For each value in the stored answer, how it differs; None where it does not."""
    if isinstance(stored, dict) and isinstance(replayed, dict):
        for name, value in stored.items():
            escaped = name.replace("~", "~0").replace("/", "~1")
            yield from _compare(value, replayed.get(name), f"{pointer}/{escaped}")
    elif isinstance(stored, list) and isinstance(replayed, list) and len(stored) == len(replayed):
        for place, (value, now) in enumerate(zip(stored, replayed, strict=True)):
            yield from _compare(value, now, f"{pointer}/{place}")
    else:
        same = repr(stored) == repr(replayed)  # tells 0.0 from -0.0 and 1 from true, and every bit of a number
        yield None if same else Difference(pointer=pointer, stored=stored, replayed=replayed)


def _compare_curves(stored: Curve, replayed: Curve) -> Iterator[Difference | None]:
    """Day by day at the precision in which curves are stored."""
    now = replayed.astype(np.float32).astype(np.float64)
    for day, (before, after) in enumerate(zip(stored.tolist(), now.tolist(), strict=True)):
        yield None if before == after else Difference(pointer=f"/curve/{day}", stored=before, replayed=after)


def _result(differences: list[Difference]) -> Result:
    if not differences:
        return "identical"
    return "equivalent" if all(map(_close, differences)) else "different"


def _close(one: Difference) -> bool:
    stored, replayed = one.stored, one.replayed
    if not (isinstance(stored, int | float) and isinstance(replayed, int | float)):
        return False
    return _is_number(stored) and _is_number(replayed) and abs(stored - replayed) <= TOLERANCE


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
