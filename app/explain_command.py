"""`dayzero explain`: a view of a score in the ledger of this machine, the reading recorded first."""

import json

from app.audit.ledger import Ledger
from app.audit.records import NewRecord
from app.audit.store import Store
from app.errors import NotFound
from app.harm.archive import from_bytes
from app.harm.explaining import By
from app.harm.golden import check_golden
from app.harm.service import load_scorer
from app.harm.stored_views import stored_view
from app.harm.targets import Of
from app.purposes import DEFAULT_PURPOSE
from app.settings import Settings
from app.storage import LOCAL_ISSUER, open_store

ROUTE = "dayzero explain"


def explain_stored(settings: Settings, score_id: str, by: By, of: Of, media: str, subject: str) -> str:
    """The view as text of that media type, as `GET /scores/{id}/explanation` gives it; read by `subject`.

    Raises NotFound, Erased, ModelNotLoaded, SetupError, and Unavailable where the reading cannot be recorded.
    """
    engine, keys = open_store(settings)
    store = Store(engine, keys)
    if store.entry_of(score_id).event != "score":
        raise NotFound("There is no such score.")
    ledger = Ledger(engine, keys)
    ledger.start()
    try:
        told = json.dumps({"route": ROUTE, "score_id": score_id}).encode()
        ledger.append_and_wait(NewRecord("read", LOCAL_ISSUER, subject, told, purpose=DEFAULT_PURPOSE))
    finally:
        ledger.close()
    view = stored_view(from_bytes(store.open_record(score_id)), by, of, media)
    if isinstance(view, str):
        return view
    scorer = load_scorer(settings.artifacts, settings.harm_index, settings.artifact_keys)
    check_golden(scorer)
    return view(scorer)
