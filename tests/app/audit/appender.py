"""A process that appends to a database until it is done or killed: `python -m tests.app.audit.appender URL HOME COUNT NAME`.

Prints `sequence leaf_hash` for every acknowledged record, with idempotency keys that all appenders share when NAME is `same`.
"""

import sys
from pathlib import Path

from app.audit.ledger import Ledger
from app.audit.records import Appended
from app.database import open_database
from app.keys import load_keys
from tests.app.audit.samples import a_record, once

IN_FLIGHT = 8


def main(url: str, home: str, count: int, name: str) -> None:
    engine = open_database(url)
    ledger = Ledger(engine, load_keys(Path(home), engine))
    ledger.start()
    for start in range(0, count, IN_FLIGHT):
        numbers = range(start, min(start + IN_FLIGHT, count))
        futures = [ledger.submit(a_record(number, idempotency=once(f"{name} {number}"))) for number in numbers]
        for future in futures:
            answer = future.result(30)
            if isinstance(answer, Appended):
                print(answer.sequence, answer.leaf_hash, flush=True)
    ledger.close()
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
