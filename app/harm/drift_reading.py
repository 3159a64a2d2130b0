"""The scores given of late, opened from the ledger: what went in, what came out, when.

The ledger is the one place that all workers share and that survives a restart, so that is where recent inputs are read:
no second store of personal data, no histogram that a restart empties.
"""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from app.artifacts import GROUPS
from app.audit.store import MAX_PAGE, Entry, EntryFilter, Store
from app.errors import InvalidInput
from app.harm.archive import Archived, from_bytes
from app.harm.drift import DRIFT_WARNINGS, Recent
from app.harm.features import Features
from app.harm.history import build_case
from app.harm.model import HarmModel
from app.harm.records import read_request
from app.harm.service import Scorer

DEFAULT_DAYS, DEFAULT_LAST = 90, 500
MOST_DAYS, MOST_SCORES = 365, 1_000


class Window(NamedTuple):
    """Which scores: of the last so many `days`, the `last` so many."""

    days: int = DEFAULT_DAYS
    last: int = DEFAULT_LAST


class ReadScore(NamedTuple):
    """One stored score: features of its index row (19,), probabilities (4,) at the population mix, predicted group 0..3,
    codes of its warnings, the day it was given."""

    index_row: Features
    population: list[float]
    predicted: int
    warnings: list[str]
    given_on: date


def read_scores(store: Store, scorer: Scorer, model: HarmModel, window: Window) -> list[ReadScore]:
    """Open the scores this very artefact gave in the window, newest first. Raises Unavailable.

    Left out: what was erased, and what rests on a request that today's rules refuse.
    """
    opened = store.open_all(recent_entries(store, window.days, window.last, model.bundle.manifest_sha256))
    read = (_read(scorer, model, entry, from_bytes(found.payload)) for entry, found in opened if found is not None)
    return [one for one in read if one is not None]


def together(read: Sequence[ReadScore]) -> Recent:
    """Many scores as columns."""
    return Recent(
        index=np.stack([one.index_row for one in read]),
        top=np.array([one.population[-1] for one in read]),
        predicted=np.array([one.predicted for one in read], dtype=np.int64),
        warnings=Counter(code for one in read for code in one.warnings if code in DRIFT_WARNINGS),
    )


def recent_entries(store: Store, days: int, most: int, manifest_sha256: str | None = None) -> list[Entry]:
    """At most so many scores of the last so many days that were not erased, newest first; of one artefact, or of any."""
    since = datetime.now(UTC) - timedelta(days=days)
    wanted = EntryFilter(event="score", manifest_sha256=manifest_sha256, since=since)
    found: list[Entry] = []
    before = None
    while len(found) < most:
        page = store.list_entries(wanted, before=before, limit=MAX_PAGE)
        if not page:
            break
        found.extend(entry for entry in page if not entry.erased)
        before = page[-1].sequence
    return found[:most]


def _read(scorer: Scorer, model: HarmModel, entry: Entry, archived: Archived) -> ReadScore | None:
    try:
        row = _index_row(scorer, model, archived)
    except InvalidInput:
        return None
    answer = json.loads(archived.answer)
    harm, warnings = answer["harm"], answer["history"]["warnings"]
    return ReadScore(
        index_row=row,
        population=harm["population_probabilities"],
        predicted=GROUPS.index(harm["predicted_group"]),
        warnings=[each["code"] for each in warnings],
        given_on=entry.time.date(),
    )


def _index_row(scorer: Scorer, model: HarmModel, archived: Archived) -> Features:
    request = read_request(archived.request)
    case = build_case(request, scorer.index, request.as_of or date.max, model.bundle.manifest.subject)
    return np.asarray(scorer.features(case, model)[0, -1])
