"""How fast the log takes records: by number of writers, in one queue, and how long a check and a proof take."""

import subprocess
import sys
import time
from concurrent.futures import Future
from statistics import median

from app.audit import proofs
from app.audit.records import NewRecord
from app.audit.verify import verify_database
from tests.app.audit.samples import a_record
from tests.databases import Postgres
from tests.torture.logs import KINDS, Log, a_log
from tests.torture.processes import ROOT
from tests.torture.report import Row, Scale

WRITERS = (1, 4, 16)
SECONDS = 10
QUEUED = 20_000
RECORDS = 1_000_000
LEAST = {("PostgreSQL", 0): 2000, ("SQLite", 4): 500}
"""Targets, records a second, by number of writers; 0 stands for one process with a full queue."""
LONGEST_WAIT, FULL_CHECK_SECONDS, PROOF_SECONDS = 1.0, 60.0, 0.020


def try_writers(scale: Scale, server: Postgres) -> list[Row]:
    """Processes that each wait for their own answer; then one whose queue is never empty."""
    rows = []
    for where in KINDS:
        for count in WRITERS:
            with a_log(where, server) as log:
                rows.append(_writers(log, where, count, max(1.0, SECONDS * scale.share)))
        with a_log(where, server) as log:
            rows.append(_queue(log, where, scale.of(QUEUED, 500)))
    return rows


def try_large_log(scale: Scale, server: Postgres) -> list[Row]:
    """A million records: checked whole, and single proofs."""
    rows = []
    for where in KINDS:
        size = scale.of(RECORDS, 2_000)
        with a_log(where, server) as log:
            _fill(log, size)
            began = time.perf_counter()
            report = verify_database(log.engine)
            seconds = time.perf_counter() - began
            scaled = seconds * RECORDS / size
            told = f"{seconds:.1f} s" + ("" if size == RECORDS else f" ({scaled:.0f} s for a million)")
            held = report.ok and (size < RECORDS or seconds <= FULL_CHECK_SECONDS)
            rows.append(Row(f"full check of {size:,} records", where, 1, told, "60 s a million", held))
            rows.append(_proofs(log, where, size))
    return rows


def _writers(log: Log, where: str, count: int, seconds: float) -> Row:
    command = [sys.executable, "-m", "tests.torture.writer", log.url, str(log.home), str(seconds)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(count)]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    lines = [process.communicate(timeout=60 + seconds)[0].split() for process in running]
    done, longest = sum(int(line[0]) for line in lines), max(float(line[1]) for line in lines)
    rate, least = sum(int(line[0]) / float(line[2]) for line in lines), LEAST.get((where, count))
    target = "" if least is None else f"{least}/s, {LONGEST_WAIT:g} s"
    held = least is None or (rate >= least and longest <= LONGEST_WAIT)
    return Row(
        f"appends by {count} writer(s)", where, done, f"{rate:,.0f}/s, longest wait {longest:.2f} s", target, held
    )


def _queue(log: Log, where: str, count: int) -> Row:
    began = time.perf_counter()
    _fill(log, count)
    rate, least = count / (time.perf_counter() - began), LEAST.get((where, 0))
    target = "" if least is None else f"{least}/s"
    return Row(
        "appends, one process, full queue", where, count, f"{rate:,.0f}/s", target, least is None or rate >= least
    )


def _fill(log: Log, count: int) -> None:
    """Hands in records ahead of the answers, as a busy worker's callers do."""
    waiting: list[Future[object]] = []
    with log.ledger() as ledger:
        for number in range(count):
            record: NewRecord = a_record(number)
            waiting.append(ledger.submit(record))
            if len(waiting) > 2_000:
                waiting.pop(0).result(60)
        for answer in waiting:
            answer.result(60)


def _proofs(log: Log, where: str, size: int) -> Row:
    times = []
    for step in range(200):
        began = time.perf_counter()
        proofs.inclusion(log.engine, (step * 7919) % size, size)
        proofs.consistency(log.engine, 1 + (step * 7919) % size, size)
        times.append((time.perf_counter() - began) / 2)
    told = f"median {1000 * median(times):.1f} ms, longest {1000 * max(times):.1f} ms"
    return Row(f"one proof among {size:,} records", where, 400, told, "20 ms", median(times) <= PROOF_SECONDS)
