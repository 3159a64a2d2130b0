"""What the ledger holds of people's views, decisions and challenges: written as records, read back as answers."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.audit.records import Appended
from app.audit.store import MAX_PAGE, Entry, EntryFilter, Store
from app.errors import Erased, NotFound
from app.harm.answers import AuditReceipt
from app.harm.archive import Archived, from_bytes
from app.harm.reading import Standing
from app.security import Caller
from app.triage.answers import ChallengeAnswer, DecisionAnswer, OutcomeAnswer, ResultAnswer, ViewAnswer
from app.triage.service import Counts, Decided, Viewed, agreement, count, relation

SHOWN_BY = frozenset({"read", "decision", "export", "replay", "priority"})
"""Events after which whoever caused them knows what a score says."""

Place = Entry | Appended
"""Where a record stands: both tell its id, sequence, leaf hash and time."""


class Told(NamedTuple):
    """One record of people's: where it stands, who made it, and what it says."""

    place: Place
    by: str
    said: dict[str, Any]
    actor: str = ""


class Desk:
    """Reads of what people recorded about scores. Errors everywhere: Unavailable when the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def views(self, score_id: str) -> list[ViewAnswer]:
        """Of one score, latest first."""
        return [view_answer(told) for told in reversed(self._told(score_id, "view"))]

    def decisions(self, score_id: str) -> list[DecisionAnswer]:
        """On one score, latest first."""
        return [decision_answer(told) for told in reversed(self._told(score_id, "decision"))]

    def challenges(self, score_id: str) -> list[ChallengeAnswer]:
        """To one score, latest first, each with its outcome; of several outcomes the first in the log stands."""
        told = [one for one in self._told(score_id, "challenge") if one.said["score_id"] == score_id]
        outcomes = {one.said["challenge_id"]: one for one in reversed(told) if one.said["kind"] == "outcome"}
        lodged = [one for one in reversed(told) if one.said["kind"] == "lodged"]
        return [challenge_answer(one, outcomes.get(one.place.record_id)) for one in lodged]

    def challenge(self, score_id: str, challenge_id: str) -> ChallengeAnswer:
        """Raises NotFound."""
        for one in self.challenges(score_id):
            if one.challenge_id == challenge_id:
                return one
        raise NotFound("There is no such challenge to this score.")

    def corrections(self, score_id: str) -> list[str]:
        """Ids of the scores that correct this one, oldest first."""
        return [entry.record_id for entry in self._store.records_about([score_id], event="score")[score_id]]

    def standings(self, score_ids: Sequence[str]) -> dict[str, Standing]:
        """What has become of each of these scores."""
        challenged = self._store.records_about(score_ids, event="challenge")
        corrected = self._store.records_about(score_ids, event="score")
        return {
            score_id: Standing(
                sum(one.outcome is None for one in self.challenges(score_id)) if challenged[score_id] else 0,
                corrected[score_id][-1].record_id if corrected[score_id] else None,
            )
            for score_id in score_ids
        }

    def seen(self, caller: Caller, score_id: str) -> bool:
        """Whether the ledger shows that this caller knows what a score says: it was given to them, or they read it."""
        own = self._store.actor_refs(caller.issuer, caller.subject)
        if self._store.entry_of(score_id).actor_ref in own and not self.archived(score_id).terms.withheld:
            return True
        return any(one.event in SHOWN_BY for one in self._store.records_about([score_id], actor_refs=own)[score_id])

    def viewed(self, caller: Caller, score_id: str) -> bool:
        """Whether this caller has recorded a view of it."""
        own = self._store.actor_refs(caller.issuer, caller.subject)
        return bool(self._store.records_about([score_id], event="view", actor_refs=own)[score_id])

    def archived(self, score_id: str) -> Archived:
        """A stored score. Raises Erased."""
        return from_bytes(self._store.open_record(score_id))

    def result(self, score_id: str) -> ResultAnswer:
        """What a score says, in short."""
        try:
            said = json.loads(self.archived(score_id).answer)
        except Erased:
            return ResultAnswer(score_id=score_id, erased=True, **dict.fromkeys(_RESULT))
        found = {
            "scored_at": said["scored_at"],
            "as_of": said["as_of"],
            "model_version": said["model"]["version"],
            "predicted_group": said["harm"]["predicted_group"],
            "population_probabilities": said["harm"]["population_probabilities"],
            "no_further_incident_365": said["survival"]["at"]["365"],
        }
        return ResultAnswer(score_id=score_id, erased=False, **found)

    def counts(self, since: datetime | None, until: datetime | None) -> tuple[Counts, int]:
        """Views and decisions of a time, counted, and how many of them were erased."""
        wanted = {event: EntryFilter(event=event, since=since, until=until) for event in ("view", "decision")}
        views, decisions = ([*self._each(one)] for one in wanted.values())
        found = count(
            [Viewed(one.actor, *_compared(one), one.said["late"]) for one in views if one],
            [Decided(one.actor, *_compared(one)) for one in decisions if one],
        )
        return found, sum(one is None for one in [*views, *decisions])

    def _told(self, score_id: str, event: str) -> list[Told]:
        entries = self._store.records_about([score_id], event=event)[score_id]
        return [told for told in self._opened(entries) if told is not None]

    def _each(self, wanted: EntryFilter) -> Iterator[Told | None]:
        """Every record a filter lets through, oldest first, a page of the log at a time; None where erased."""
        after = -1
        while entries := self._store.list_entries(wanted, after=after, limit=MAX_PAGE):
            yield from self._opened(entries)
            after = entries[-1].sequence

    def _opened(self, entries: Sequence[Entry]) -> Iterator[Told | None]:
        for entry, opened in self._store.open_all(entries):
            if opened is None:
                yield None
            else:
                yield Told(entry, opened.subject, json.loads(opened.payload), f"{opened.issuer}\0{opened.subject}")


_RESULT = (
    "scored_at", "as_of", "model_version", "predicted_group", "population_probabilities", "no_further_incident_365",
)  # fmt: skip


def _compared(told: Told) -> tuple[str, str, str]:
    return told.said["score_id"], told.said["level"], told.said["flag"]


def view_answer(told: Told) -> ViewAnswer:
    """A view as it is read back."""
    said = told.said
    return ViewAnswer(
        view_id=told.place.record_id,
        agreement=agreement(said["level"], said["flag"]),
        **{name: said[name] for name in ("score_id", "level", "reason", "late")},
        **_stamped(told, "recorded_at"),
    )


def decision_answer(told: Told) -> DecisionAnswer:
    """A decision as it is read back."""
    said = told.said
    return DecisionAnswer(
        decision_id=told.place.record_id,
        relation=relation(said["level"], said["flag"]),
        **{name: said[name] for name in ("score_id", "level", "reason", "flag")},
        **_stamped(told, "recorded_at"),
    )


def challenge_answer(told: Told, outcome: Told | None = None) -> ChallengeAnswer:
    """A challenge as it is read back."""
    return ChallengeAnswer(
        challenge_id=told.place.record_id,
        outcome=outcome and outcome_answer(outcome),
        **{name: told.said[name] for name in ("score_id", "ground", "raised_by", "text")},
        **_stamped(told, "lodged_at"),
    )


def outcome_answer(told: Told) -> OutcomeAnswer:
    """An outcome as it is read back."""
    names = ("score_id", "challenge_id", "outcome", "reason", "corrected_score_id")
    return OutcomeAnswer(**{name: told.said[name] for name in names}, **_stamped(told, "decided_at"))


def _stamped(told: Told, time_name: str) -> dict[str, Any]:
    place = told.place
    receipt = AuditReceipt(sequence=place.sequence, leaf_hash=place.leaf_hash)
    return {time_name: place.time, "by": told.by, "audit": receipt}
