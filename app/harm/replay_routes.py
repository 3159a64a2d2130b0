"""`POST /scores/{score_id}/replay`: does the artefact that made a score still give it?"""

import json
import platform
from functools import partial
from typing import Annotated

import numpy as np
import onnxruntime as ort
from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

import app
from app import metrics
from app.audit.records import Appended, NewRecord, Replayed, own_receipt
from app.audit.store import Store
from app.harm.answers import AuditReceipt
from app.harm.archive import Archived, from_bytes
from app.harm.reading import score_entry
from app.harm.replay import Replay, ReplayAnswer, replay
from app.problems import describe
from app.security import Caller, require

router = APIRouter(tags=["scores"])


@router.post(
    "/scores/{score_id}/replay",
    summary="Replay a stored score",
    responses=describe(401, 403, 404, 409, 410, 503),
)
async def post_replay(
    request: Request, caller: Annotated[Caller, Depends(require("audit:unseal"))], score_id: str
) -> ReplayAnswer:
    """Scores the stored request again with the very artefact that made the score: identical, or each difference.

    Sends no body. Works for every version that lies below DAYZERO_ARTIFACTS, not only for the one that serves.
    """
    state = request.app.state
    archived = await run_in_threadpool(_stored, state.store, score_id)
    done = await state.admission.run(partial(replay, state.scorer, archived))
    appended = await state.ledger.append(replay_record(archived, score_id, done, (caller.issuer, caller.subject)))
    metrics.REPLAYS.labels(done.result).inc()
    return replay_answer(score_id, done, appended)


def _stored(store: Store, score_id: str) -> Archived:
    score_entry(store, score_id)
    return from_bytes(store.open_record(score_id))


def replay_record(archived: Archived, score_id: str, done: Replay, caller: tuple[str, str]) -> NewRecord:
    """The record of a replay: what came of it, and what it was made with."""
    told = {
        "score_id": score_id,
        "result": done.result,
        "numbers": done.numbers,
        "compared": done.compared,
        "differences": [one.pointer for one in done.differences],
        "made_with": made_with(),
    }
    return NewRecord(
        "replay",
        *caller,
        json.dumps(told).encode(),
        purpose="audit",
        manifest=done.manifest_sha256,
        nominal_ids=(archived.nominal_id,),
        about=(score_id,),
    )


def replay_answer(score_id: str, done: Replay, appended: Appended | Replayed) -> ReplayAnswer:
    """What is told of a replay once it is recorded."""
    receipt = own_receipt(appended)
    return ReplayAnswer(
        score_id=score_id,
        replayed_at=receipt.time,
        manifest_sha256=done.manifest_sha256,
        result=done.result,
        numbers=done.numbers,
        compared=done.compared,
        differences=done.differences,
        made_with=made_with(),
        audit=AuditReceipt(sequence=receipt.sequence, leaf_hash=receipt.leaf_hash),
    )


def made_with() -> dict[str, str]:
    """What bits may depend on."""
    return {
        "dayzero": app.__version__,
        "numpy": np.__version__,
        "onnxruntime": ort.__version__,
        "processor": platform.machine(),
    }
