"""`dayzero replay`: a stored score of this machine's ledger scored again, and the replay recorded."""

from app.audit.ledger import Ledger
from app.audit.store import Store
from app.harm.archive import from_bytes
from app.harm.reading import score_entry
from app.harm.replay import ReplayAnswer, replay
from app.harm.replay_routes import replay_answer, replay_record
from app.harm.service import load_scorer
from app.settings import Settings
from app.storage import LOCAL_ISSUER, open_store


def replay_score(settings: Settings, score_id: str, subject: str) -> ReplayAnswer:
    """Replay one score as `subject`. Raises NotFound, Erased, ModelNotLoaded, Unavailable, SetupError."""
    engine, keys = open_store(settings)
    scorer = load_scorer(settings.artifacts, settings.harm_index, settings.artifact_keys)
    store, ledger = Store(engine, keys), Ledger(engine, keys)
    score_entry(store, score_id)
    archived = from_bytes(store.open_record(score_id))
    done = replay(scorer, archived)
    ledger.start()
    try:
        appended = ledger.append_and_wait(replay_record(archived, score_id, done, (LOCAL_ISSUER, subject)))
    finally:
        ledger.close()
    return replay_answer(score_id, done, appended)
