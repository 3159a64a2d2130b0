"""A process that appends one record after the other and times each: `python -m tests.torture.writer URL HOME SECONDS`.

Each waits for its own answer before it sends the next, as a worker serving one caller would. Prints how many it got done, the
longest wait and the whole time, both in seconds.
"""

import sys
import time
from pathlib import Path

from app.audit.ledger import Ledger
from app.database import open_database
from app.keys import load_keys
from tests.app.audit.samples import a_record

PAYLOAD = b"x" * 4096
"""About what a score with its explanation takes."""


def main(url: str, home: str, seconds: float) -> None:
    engine = open_database(url)
    ledger = Ledger(engine, load_keys(Path(home), engine))
    ledger.start()
    ledger.submit(a_record()).result(30)
    print("ready", flush=True)
    sys.stdin.readline()
    done, worst, began = 0, 0.0, time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        ledger.submit(a_record(done, payload=PAYLOAD)).result(30)
        done, worst = done + 1, max(worst, time.perf_counter() - now)
    print(done, worst, time.perf_counter() - began, flush=True)
    ledger.close()
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
