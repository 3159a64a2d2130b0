"""Workers and PostgreSQL killed under load: what was acknowledged must be there, and the log must be sound."""

import time

from tests.databases import Postgres
from tests.torture.logs import KINDS, a_log
from tests.torture.processes import acknowledged, appender, compare, wait_for_size
from tests.torture.report import Row, Scale

FULL = 100
LOAD = 1_000_000  # more than anyone gets done before being killed


def try_workers(scale: Scale, server: Postgres) -> list[Row]:
    """Two appending processes killed at once, again and again, at another moment each time."""
    rows = []
    for where in KINDS:
        kills, told = scale.of(FULL // 2, 3), dict[int, str]()
        with a_log(where, server) as log:
            for kill in range(kills):
                running = [appender(log, LOAD, f"{kill} {number}") for number in range(2)]
                wait_for_size(log.engine, log, len(told) + 20)
                time.sleep(0.003 * (kill % 7))
                for process in running:
                    process.kill()
                for process in running:
                    told |= acknowledged(process)
            lost, sound = compare(log, told)
        rows.append(_row("kill -9 of two workers under load", where, kills, len(told), lost, sound))
    return rows


def try_server(scale: Scale, server: Postgres) -> list[Row]:
    """PostgreSQL itself crashed under load and started again."""
    if not server.can_stop:
        return []
    kills, told = scale.of(FULL // 4, 1), dict[int, str]()
    with a_log("PostgreSQL", server) as log:
        for kill in range(kills):
            process = appender(log, LOAD, f"crash {kill}")
            wait_for_size(log.engine, log, len(told) + 20)
            server.stop(crash=True)
            told |= acknowledged(process)
            server.start()
            log.engine.dispose()
        lost, sound = compare(log, told)
    return [_row("PostgreSQL crashed under load", "PostgreSQL", kills, len(told), lost, sound)]


def try_exactly_once(scale: Scale, server: Postgres) -> list[Row]:
    """Four processes that all send the same idempotency keys."""
    rows = []
    for where in KINDS:
        count = scale.of(5_000, 200)
        with a_log(where, server) as log:
            found = [acknowledged(process) for process in [appender(log, count, "same") for _ in range(4)]]
            told = {sequence: leaf for one in found for sequence, leaf in one.items()}
            lost, sound = compare(log, told)
        duplicates = sum(map(len, found)) - count
        held = not duplicates and not lost and sound and len(told) == count
        rows.append(Row("same idempotency key, 4 workers", where, 4 * count, f"{duplicates} duplicates", "0", held))
    return rows


def try_no_gaps(scale: Scale, server: Postgres) -> list[Row]:
    """Four processes, a hundred thousand records."""
    rows = []
    for where in KINDS:
        each = scale.of(25_000, 250)
        with a_log(where, server) as log:
            told: dict[int, str] = {}
            for process in [appender(log, each, f"worker {number}") for number in range(4)]:
                told |= acknowledged(process)
            lost, sound = compare(log, told)
        gaps = len(set(range(4 * each)) - told.keys())
        held = not gaps and not lost and sound
        rows.append(Row("no gaps, 4 workers", where, 4 * each, f"{gaps} gaps, {lost} lost", "0", held))
    return rows


def _row(promise: str, where: str, kills: int, told: int, lost: int, sound: bool) -> Row:
    state = "" if sound else ", the log is not sound"
    return Row(promise, where, kills, f"{lost} of {told:,} acknowledged records lost{state}", "0", not lost and sound)
