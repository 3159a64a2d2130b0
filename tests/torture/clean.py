"""False alarms: sound logs that grow while they are checked must never be called unsound."""

import threading

from app.audit.contents import Contents
from app.audit.erasing import Eraser, Order
from app.audit.ledger import Ledger
from app.audit.signing import Checkpoints
from app.audit.verify import verify_database
from tests.app.audit.samples import a_record, once
from tests.databases import Postgres
from tests.torture.logs import KINDS, Log, a_log
from tests.torture.report import Row, Scale

FULL = 1_000
FRESH_AFTER = 50  # a log is left for a new one after so many checks, so that sizes vary


def try_checks(scale: Scale, server: Postgres) -> list[Row]:
    """Checks of logs to which others append, erase and sign at the same time."""
    rows = []
    for where in KINDS:
        checks, alarms = scale.of(FULL // 2, 10), list[str]()
        for begin in range(0, checks, FRESH_AFTER):
            with a_log(where, server) as log:
                alarms += _check_while_growing(log, min(FRESH_AFTER, checks - begin))
        told = f"{len(alarms)} false alarms" + (f": {alarms[0]}" if alarms else "")
        rows.append(Row("sound logs checked while they grow", where, checks, told, "0", not alarms))
    return rows


def _check_while_growing(log: Log, checks: int) -> list[str]:
    checkpoints, ended = Checkpoints(log.engine, log.keys), threading.Event()
    with log.ledger() as ledger:
        for number in range(5):
            ledger.submit(a_record(number)).result(30)
        kept = checkpoints.sign().checkpoint
        busy = threading.Thread(target=_keep_busy, args=(log, ledger, ended))
        busy.start()
        alarms = []
        try:
            for _ in range(checks):
                contents = Contents(log.engine, log.keys, every=True)
                report = verify_database(log.engine, verifiers=checkpoints.verifiers, since=kept, contents=contents)
                alarms += [problem.what for problem in report.problems]
                kept = checkpoints.sign().checkpoint
        finally:
            ended.set()
            busy.join()
    return alarms


def _keep_busy(log: Log, ledger: Ledger, ended: threading.Event) -> None:
    eraser, number = Eraser(log.engine, log.keys), 0
    while not ended.wait(0.005):
        number += 1
        record = a_record(number, nominal_ids=(f"N-{number % 20}",), idempotency=once(f"busy {number}"))
        ledger.submit(record).result(30)
        if number % 25 == 0:
            eraser.erase(Order(f"N-{number % 20}", "issuer", "officer", "DPO/1", "retention-ended"))
