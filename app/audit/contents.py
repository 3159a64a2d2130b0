"""What a check of the log can tell where the keys are at hand: whether contents open, and who emptied the empty ones."""

from typing import Any

from sqlalchemy import Engine, select

from app.audit import tables
from app.audit.checking import LogCheck
from app.audit.erasing import named_by
from app.audit.opening import Opened, open_sealed
from app.audit.records import Envelope
from app.audit.sealing import Tampered
from app.audit.store import nominal_tags, record_tags
from app.database import read_transaction
from app.errors import DayZeroError
from app.keys import Keys, check_epoch

_entry, _key, _payload = tables.entry.c, tables.data_key.c, tables.payload.c
_subject = tables.subject_index.c


_AT_ONCE = 500
_TAMPERED = "its payload does not open under its key"
_GONE = "its content is gone, but no erasure names it"
_NO_KEY = "its payload was sealed under an encryption key that is not loaded"


class Contents:
    """Opens the records of erasures, and with `every` all others too, whose names are then held against the look-up tags.

    A record without content that no erasure names was emptied behind the service's back; so was its key exchanged where
    it no longer opens, and so were its tags where a search would no longer find it.
    """

    def __init__(self, engine: Engine, keys: Keys, *, every: bool = False) -> None:
        self._engine = engine
        self._keys = keys
        self._every = every
        self._empty: dict[str, int] = {}
        self._named: set[str] = set()
        self._readable = True
        """Whether every erasure's own record could be read."""
        self._opened: dict[str, tuple[int, Opened]] = {}

    def look(self, check: LogCheck, row: Any, leaf: Envelope) -> None:
        """Takes one row of the log: its leaf with wrapped_key, kek_id, nonce and ciphertext."""
        erasure = "erasure" in {leaf.event, row.event}
        if row.kek_id is None or row.nonce is None:
            self._readable &= not erasure
            if row.kek_id is None and erasure:
                check.found(row.sequence, _GONE)  # it names nobody, so nobody's erasure may empty it
            elif row.kek_id is None:
                self._empty[leaf.record_id] = row.sequence
        elif self._every or erasure:
            try:
                opened = open_sealed(self._keys, leaf, row)
            except DayZeroError as error:
                self._readable &= not erasure
                check.found(row.sequence, _TAMPERED if isinstance(error, Tampered) else _NO_KEY)
            else:
                self._take(check, row.sequence, leaf, opened)

    def pass_over(self, row: Any) -> None:
        """Takes a row whose leaf nobody can read."""
        self._readable &= row.event != "erasure"

    def finish(self, check: LogCheck) -> None:
        """Compares the empty records with the erasures, those appended meanwhile included.

        Errors: Unavailable where the keys were rotated meanwhile: what does not open may then only be under newer ones.
        """
        check_epoch(self._engine, self._keys)
        self._check_tags(check)
        for record_id in self._named - self._empty.keys():
            with read_transaction(self._engine) as connection:
                query = select(_entry.sequence).where(_entry.record_id == record_id)
                sequence = connection.execute(query).scalar_one_or_none()
            check.found(sequence, "an erasure names it, but its content is still there")
        named = self._named | self._named_meanwhile(check.report.size)
        for record_id, sequence in self._empty.items() if self._readable else ():  # else the erasure is what is wrong
            if record_id not in named:
                check.found(sequence, _GONE)

    def _take(self, check: LogCheck, sequence: int, leaf: Envelope, opened: Opened) -> None:
        if leaf.event == "erasure":
            try:
                self._named.update(named_by(opened.payload))
            except (ValueError, KeyError, TypeError):  # a leaf that somebody wrote: this is no erasure's payload
                self._readable = False
        if self._every:
            self._opened[leaf.record_id] = sequence, opened
            if len(self._opened) == _AT_ONCE:
                self._check_tags(check)

    def _named_meanwhile(self, size: int) -> set[str]:
        """What erasures name that were appended after the check began."""
        late = select(_entry.envelope, _key.wrapped_key, _key.kek_id, _payload.nonce, _payload.ciphertext).select_from(
            tables.entry.join(tables.data_key, _entry.record_id == _key.record_id).join(
                tables.payload, _entry.record_id == _payload.record_id
            )
        )
        with read_transaction(self._engine) as connection:
            rows = connection.execute(late.where(_entry.sequence >= size, _entry.event == "erasure")).all()
        opened = (open_sealed(self._keys, Envelope.decode(row.envelope), row) for row in rows)
        return {record_id for one in opened for record_id in named_by(one.payload)}

    def _check_tags(self, check: LogCheck) -> None:
        """Whether a search by nominal finds each of the records opened since the last time, and no others."""
        looked_at, self._opened = self._opened, {}
        if not looked_at:
            return
        stored: dict[str, set[bytes]] = {record_id: set() for record_id in looked_at}
        with read_transaction(self._engine) as connection:
            found = select(_subject.record_id, _subject.tag).where(_subject.record_id.in_(looked_at))
            for record_id, tag in connection.execute(found):
                stored[record_id].add(tag)
            there = set(connection.execute(select(_key.record_id).where(_key.record_id.in_(looked_at))).scalars())
        for record_id, (sequence, opened) in looked_at.items():
            possible = [set(nominal_tags(self._keys, nominal_id)) for nominal_id in opened.nominal_ids]
            possible += [set(record_tags(self._keys, about)) for about in opened.about]
            right = all(stored[record_id] & tags for tags in possible) and stored[record_id] <= set().union(*possible)
            if record_id in there and not right:  # else it was erased just now
                check.found(sequence, "the tags it is looked up by are not those of its nominal")
