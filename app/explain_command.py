"""`dayzero explain`: a view of a score in the ledger of this machine, the reading recorded first."""

import json

from app.audit.ledger import Ledger
from app.audit.records import NewRecord
from app.audit.store import Store
from app.harm.archive import from_bytes
from app.harm.explaining import By
from app.harm.golden import check_golden
from app.harm.reading import demand_revealed, score_entry
from app.harm.service import load_scorer
from app.harm.stored_views import stored_view
from app.harm.targets import Of
from app.purposes import DEFAULT_PURPOSE
from app.settings import Settings
from app.storage import LOCAL_ISSUER, open_store

ROUTE = "dayzero explain"


def explain_stored(settings: Settings, score_id: str, by: By, of: Of, media: str, subject: str) -> str:
    """The view as text of that media type, as `GET /scores/{id}/explanation` gives it; read by `subject`.

    Raises NotFound, Erased, ViewFirst, ModelNotLoaded, SetupError, and Unavailable where the reading cannot be recorded.
    """
    engine, keys = open_store(settings)
    store = Store(engine, keys)
    score_entry(store, score_id)
    archived = from_bytes(store.open_record(score_id))
    demand_revealed(store, score_id, archived)
    ledger = Ledger(engine, keys)
    ledger.start()
    try:
        told = json.dumps({"route": ROUTE, "score_id": score_id}).encode()
        ledger.append_and_wait(
            NewRecord("read", LOCAL_ISSUER, subject, told, purpose=DEFAULT_PURPOSE, about=(score_id,))
        )
    finally:
        ledger.close()
    view = stored_view(archived, by, of, media)
    if isinstance(view, str):
        return view
    scorer = load_scorer(settings.artifacts, settings.harm_index, settings.artifact_keys)
    check_golden(scorer)
    return view(scorer)
