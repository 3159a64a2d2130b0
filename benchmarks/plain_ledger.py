"""The service with a log that only stores: as durable, in the same batches, without encryption, tree, tags or checkpoints.

`python -m benchmarks.plain_ledger PORT` serves it, for comparison only: `benchmarks.ledger_price` asks both.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, text

from app.audit import ledger as ledger_module
from app.audit.keeper import Keeper
from app.audit.records import Appended, NewRecord
from app.database import driver_sql, driver_transaction, write_transaction
from app.keys import Keys
from app.serving import serve
from app.settings import read_settings

MADE = "CREATE TABLE IF NOT EXISTS plain (sequence BIGINT PRIMARY KEY, record_id TEXT, told TEXT, payload BYTEA)"


class PlainAppender:
    """Stands in for `app.audit.appending.Appender`."""

    def __init__(self, engine: Engine, _: Keys) -> None:
        self._engine, self._size = engine, 0
        with write_transaction(engine) as connection:
            connection.execute(text(MADE))
        self._insert = driver_sql(engine, text("INSERT INTO plain VALUES (:sequence, :record_id, :told, :payload)"))

    def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """Stores the batch in one durable transaction."""
        rows: list[dict[str, Any]] = []
        for record in records:
            told = json.dumps({"issuer": record.issuer, "subject": record.subject, "event": record.event})
            row = {"sequence": self._size, "record_id": record.record_id, "told": told, "payload": record.payload}
            rows.append(row)
            self._size += 1
        with driver_transaction(self._engine) as cursor:
            cursor.executemany(self._insert, rows)
        now = datetime.now(UTC)
        return [Appended(row["record_id"], row["sequence"], "00" * 32, now) for row in rows]


def main(port: int) -> None:
    """Serve with the plain log in the real one's place."""
    ledger_module.Appender = PlainAppender  # type: ignore[assignment,misc]
    ledger_module.draft = lambda record, _keys, _log_id: record  # type: ignore[assignment,return-value]
    Keeper.start = lambda _self: None  # type: ignore[method-assign]
    serve(read_settings(), None, port)


if __name__ == "__main__":
    main(int(sys.argv[1]))
