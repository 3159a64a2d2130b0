"""Everything that is held on one nominal, for whoever answers to a data subject. Writes JSON a record at a time.

Held on a nominal is every record that carries their tag (scores, views, decisions, challenges, replays, searches, exports) and
every record about one of those: who read a score stands in a record that names the score and not the nominal.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from app.audit.opening import Opened
from app.audit.store import Entry, Store

FORMAT = "dayzero-subject-export-1"
NOTE = (
    "All that this service holds on the nominal at this time, names of staff included: review it before you pass it on. "
    "Content that was erased cannot be shown; after an erasure not even the look-up that led to it is left, so records erased "
    "with the nominal no longer appear. Backups and the crime systems that sent the data are outside this export."
)
Reader = Callable[[bytes], object]
"""From a payload to JSON values; who wrote the payload knows how."""

_AT_ONCE = 500


def held_on(store: Store, nominal_id: str) -> list[Entry]:
    """Every record about the nominal, and every record about those, in the order of the log."""
    found = {entry.sequence: entry for entry in store.records_of_nominal(nominal_id)}
    direct = [entry.record_id for entry in found.values()]
    for start in range(0, len(direct), _AT_ONCE):
        for entries in store.records_about(direct[start : start + _AT_ONCE]).values():
            found |= {entry.sequence: entry for entry in entries}
    return [found[sequence] for sequence in sorted(found)]


def export_subject(
    store: Store, nominal_id: str, entries: Sequence[Entry], readers: Mapping[str, Reader]
) -> Iterator[bytes]:
    """The export of these records as pieces of one JSON object; cut off anywhere, it is no JSON.

    `readers` for each event whose payload is not JSON itself. Errors: Unavailable, also in the middle.
    """
    head = json.dumps({"format": FORMAT, "nominal_id": nominal_id, "note": NOTE})
    yield f'{head[:-1]}, "records": ['.encode()
    erased, between = 0, b""
    for entry, opened in store.open_all(entries):
        erased += opened is None
        yield between + json.dumps(_told(entry, opened, nominal_id, readers)).encode()
        between = b",\n"
    yield f'], "held": {len(entries) - erased}, "erased": {erased}}}\n'.encode()


def _told(entry: Entry, opened: Opened | None, nominal_id: str, readers: Mapping[str, Reader]) -> dict[str, Any]:
    names = ("sequence", "record_id", "event", "purpose", "manifest_sha256", "leaf_hash")
    told = {name: getattr(entry, name) for name in names} | {"time": entry.time.isoformat(), "erased": opened is None}
    if opened is None:
        return told | {"by": None, "about": [], "names_others": 0, "content": None}
    return told | {
        "by": {"issuer": opened.issuer, "subject": opened.subject},
        "about": list(opened.about),
        "names_others": len(set(opened.nominal_ids) - {nominal_id}),
        "content": readers.get(entry.event, _plain)(opened.payload),
    }


def _plain(payload: bytes) -> object:
    try:
        return json.loads(payload)
    except ValueError:
        return {"base64": b64encode(payload).decode()}
