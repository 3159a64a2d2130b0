"""Reading stored scores: whose a caller may see, which are withheld still, and the record of every reading."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.audit.records import NewRecord
from app.audit.store import Entry, Store
from app.errors import Fault, InvalidInput, NotFound, ViewFirst
from app.harm.answers import WithheldAnswer
from app.harm.archive import Archived, from_bytes, with_receipt
from app.purposes import CLAIMABLE_PURPOSES, DEFAULT_PURPOSE
from app.security import Caller

SCORE_ROUTE = "/scores/{score_id}"
RECORD_IT = "POST /scores/{score_id}/view with your own view; the answer then holds the score."


class Standing(NamedTuple):
    """What has become of a score: challenges without an outcome, and the newest score that corrects it."""

    open_challenges: int = 0
    superseded_by: str | None = None

    def headers(self, corrects: str | None) -> dict[str, str]:
        """What a reader of the stored answer, which stays as it was given, is told beside it (Link: RFC 5829).

        `corrects` is the score that this one corrects, if it does.
        """
        told = {"challenge-open": self.open_challenges, "superseded": self.superseded_by, "correction": corrects}
        others = {"successor-version": self.superseded_by, "predecessor-version": corrects}
        status = ", ".join(word for word, true in told.items() if true)
        links = ", ".join(f'</scores/{other}>; rel="{kind}"' for kind, other in others.items() if other)
        return {name: said for name, said in (("Score-Status", status), ("Link", links)) if said}


async def stored_score(
    request: Request, caller: Caller, score_id: str, route: str = SCORE_ROUTE
) -> tuple[bytes, Archived]:
    """A stored score the caller may see, its reading recorded first. Raises NotFound, Erased, ViewFirst, Unavailable."""
    await run_in_threadpool(demand_shown, request, caller, score_id)
    await record_read(request, caller, route, score_id)
    return await run_in_threadpool(read_score, request, score_id)


def demand_shown(request: Request, caller: Caller, score_id: str) -> None:
    """Raises NotFound for what the caller may not see, ViewFirst for what nobody may see yet.

    A score that was erased is let through: that somebody asked for it is recorded like any reading.
    """
    store: Store = request.app.state.store
    entry = score_entry(store, score_id, own_only(store, caller))
    if not entry.erased:
        demand_revealed(store, score_id, from_bytes(store.open_record(score_id)))


def score_entry(store: Store, score_id: str, own: tuple[str, ...] | None = None) -> Entry:
    """What is not a score, or not the caller's to see, is not found: saying more would tell that it exists."""
    try:
        entry = store.entry_of(score_id)
    except NotFound:
        entry = None
    if entry is None or entry.event != "score" or (own is not None and entry.actor_ref not in own):
        raise NotFound("There is no such score, or it is not yours to see.")
    return entry


def own_only(store: Store, caller: Caller) -> tuple[str, ...] | None:
    """Whose scores a caller may see: everyone's (None) with scope triage, their own otherwise."""
    return None if "triage" in caller.scopes else store.actor_refs(caller.issuer, caller.subject)


def read_score(request: Request, score_id: str) -> tuple[bytes, Archived]:
    """The answer as it was given, and all that is stored of it. Raises Erased, Unavailable."""
    store: Store = request.app.state.store
    entry = store.entry_of(score_id)
    archived = from_bytes(store.open_record(score_id))
    return with_receipt(archived.answer, entry.sequence, entry.leaf_hash), archived


def withheld(store: Store, scores: Mapping[str, Archived]) -> set[str]:
    """Those of these scores that were to be shown after a view, and of which nobody has recorded one."""
    asked = [score_id for score_id, archived in scores.items() if archived.terms.withheld]
    viewed = store.records_about(asked, event="view")
    return {score_id for score_id in asked if not viewed[score_id]}


def demand_revealed(store: Store, score_id: str, archived: Archived) -> None:
    """Raises ViewFirst while a score is withheld."""
    if withheld(store, {score_id: archived}):
        raise ViewFirst(f"Somebody's own view comes first: {RECORD_IT}")


def withheld_answer(answer: bytes, sequence: int, leaf_hash: str) -> bytes:
    """What is told of a score that is withheld: of its stored answer, nothing that gives the estimate away."""
    known = json.loads(answer)
    fields = ("score_id", "scored_at", "as_of", "day_zero", "model", "history")
    told = {name: known[name] for name in fields} | {"record_it": RECORD_IT}
    told["audit"] = {"sequence": sequence, "leaf_hash": leaf_hash}
    return WithheldAnswer.model_validate_json(json.dumps(told)).model_dump_json().encode()


async def record_read(request: Request, caller: Caller, route: str, *score_ids: str) -> None:
    """Append who read what; a read that cannot be recorded does not happen."""
    one = score_ids[0] if "{score_id}" in route else None
    told = json.dumps({"route": route, "score_id": one}).encode()
    record = NewRecord(
        event="read",
        issuer=caller.issuer,
        subject=caller.subject,
        payload=told,
        purpose=purpose_header(request) or DEFAULT_PURPOSE,
        about=score_ids,
    )
    await request.app.state.ledger.append(record)


def purpose_header(request: Request) -> str | None:
    """The purpose a caller names. Raises InvalidInput for one that is not on the list."""
    purposes = request.headers.getlist("purpose")
    purpose = purposes[0] if purposes else None
    if purpose is not None and (len(purposes) > 1 or purpose not in CLAIMABLE_PURPOSES):
        fault = Fault("/header/purpose", "closed-list", CLAIMABLE_PURPOSES)
        raise InvalidInput("The Purpose header names no known purpose.", [fault])
    return purpose


def standings(request: Request, score_ids: Sequence[str]) -> dict[str, Standing]:
    """What has become of each of these scores, as the clinic's desk knows it."""
    found: dict[str, Standing] = request.app.state.desk.standings(score_ids)
    return found
