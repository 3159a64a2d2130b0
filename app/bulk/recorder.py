"""Recording what workers computed: sealed and appended here, where the keys are, and only then told."""

from collections.abc import Sequence
from concurrent.futures import Future

from app.audit.ledger import ANSWER_SECONDS, Answer, Ledger
from app.audit.records import Appended, NewRecord, own_receipt
from app.audit.store import Entry, Store
from app.bulk.batch import told
from app.bulk.work import Line
from app.errors import Erased, Unavailable
from app.harm.archive import answer_in, with_receipt


class Recorded:
    """Lines handed in, whose records are being committed."""

    def __init__(self, lines: Sequence[Line], waiting: Sequence[Future[Answer] | bytes]) -> None:
        self._lines, self._waiting = lines, waiting

    def answers(self) -> list[tuple[str | None, bytes]]:
        """Whom each is about, and the answer with its receipt. Errors: Unavailable where one cannot be recorded."""
        each = zip(self._lines, self._waiting, strict=True)
        return [(line.nominal_id, _answer(line.record, waiting)) for line, waiting in each]


def appended_by(waiting: Future[Answer]) -> Appended:
    """The place of a record, once it is durable. Errors: Unavailable."""
    try:
        return own_receipt(waiting.result(ANSWER_SECONDS))
    except TimeoutError:
        raise Unavailable("The audit log did not answer in time; try again.") from None


def _answer(record: NewRecord | None, waiting: Future[Answer] | bytes) -> bytes:
    if record is None or isinstance(waiting, bytes):
        return waiting if isinstance(waiting, bytes) else b""
    appended = appended_by(waiting)
    return with_receipt(answer_in(record.payload), appended.sequence, appended.leaf_hash)


class Recorder:
    """Appends records. With a `store` it first asks which are in the log already, from a run that was cut off."""

    def __init__(self, ledger: Ledger, store: Store | None = None) -> None:
        self._ledger, self._store = ledger, store

    def record(self, lines: Sequence[Line]) -> Recorded:
        """Hands in what is not in the log yet. Errors: Unavailable."""
        known = self._known(lines)
        return Recorded(lines, [self._submit(line, known) for line in lines])

    def _known(self, lines: Sequence[Line]) -> dict[str, Entry]:
        ids = [line.record.record_id for line in lines if line.record is not None]
        return self._store.entries_of(ids) if self._store is not None and ids else {}

    def _submit(self, line: Line, known: dict[str, Entry]) -> Future[Answer] | bytes:
        if line.record is None:
            return line.problem
        entry = known.get(line.record.record_id)
        return self._ledger.submit(line.record) if entry is None else self._told_before(entry)

    def _told_before(self, entry: Entry) -> bytes:
        """The answer that was recorded, or that it has been erased since."""
        assert self._store is not None  # noqa: S101 - nothing is known without it
        try:
            answer = answer_in(self._store.open_record(entry.record_id))
        except Erased as error:
            return told(error)[1]
        return with_receipt(answer, entry.sequence, entry.leaf_hash)
