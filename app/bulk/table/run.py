"""`dayzero score EXTRACT --record batch`: everyone of an extract as columns, from table to table. Needs Arrow."""

from contextlib import AbstractContextManager, ExitStack
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from app.audit.ledger import Ledger
from app.audit.store import Store
from app.bulk.ordering import in_order
from app.bulk.pools import Pool, cores, digests, thread_pool
from app.bulk.sources import table_digests
from app.bulk.table.check import is_recorded
from app.bulk.table.journal import TableJournal
from app.bulk.table.part import COLUMN_PART, column_parts
from app.bulk.table.seals import About, BatchRecorder
from app.extract.log_harm import newest_log_harm
from app.extract.people import People, load_people
from app.extract.requests import iso_day
from app.harm.golden import check_golden
from app.harm.model import HarmModel
from app.harm.service import Scorer, load_scorer
from app.harm.subject import Subject
from app.progress import bar
from app.settings import Settings
from app.storage import open_store


class Wanted(NamedTuple):
    """An extract for a model of this family and subject, on a day; where the table goes; where the work is done."""

    extract: Path
    out: Path
    family: str
    subject: Subject
    as_of: date | None
    jobs: int | None
    scheduler: str | None


def score_table(settings: Settings, wanted: Wanted, caller: tuple[str, str]) -> int:
    """Score everyone and write the table; return how many could not be scored. Raises SetupError, Unavailable."""
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own keep what they no longer use, several hundred MiB
    engine, keys = open_store(settings)
    scorer = load_scorer(settings.artifacts, settings.harm_index, settings.artifact_keys, wanted.family)
    check_golden(scorer)
    tables = table_digests(wanted.extract)
    logs = newest_log_harm(wanted.extract, settings.artifacts, settings.artifact_keys)
    read_by = None if logs is None else logs.manifest_sha256
    people = load_people(wanted.extract, scorer.index, settings.today(), wanted.as_of, wanted.subject, logs)
    del logs  # the texts of a whole force
    ledger = Ledger(engine, keys)
    ledger.start()
    with ExitStack() as opened:
        opened.callback(ledger.close)
        same = {
            "tables": tables,
            "as_of": people.as_of,
            "models": digests(scorer),
            "log": ledger.log_id,
            "read_by": read_by,
        }
        journal = TableJournal(wanted.out, same, caller, settings.today())
        opened.callback(journal.close)
        store = Store(engine, keys) if journal.resumed else None
        journal.keep(lambda rows: store is not None and is_recorded(rows, store, journal.run))
        about = _about(journal, people, scorer.models[wanted.family], scorer, tables, read_by)
        recorder = BatchRecorder(ledger, about, journal.done, store)
        pool = opened.enter_context(_pool(wanted, scorer, len(people) - journal.done))
        progress = opened.enter_context(bar("scoring"))
        task = progress.add_task("", total=len(people), completed=journal.done)
        parts = column_parts(people, wanted.family, journal.done)
        for rows in in_order(parts, journal.run, pool, recorder):
            journal.write(rows)
            progress.advance(task, len(rows))
        journal.finish()
    return journal.problems


def _about(
    journal: TableJournal,
    people: People,
    model: HarmModel,
    scorer: Scorer,
    tables: dict[str, str],
    read_by: str | None,
) -> About:
    manifest = model.bundle.manifest
    return About(
        run=journal.run,
        total=len(people),
        as_of=iso_day(people.as_of),
        family=manifest.family,
        version=manifest.version,
        manifest_sha256=model.bundle.manifest_sha256,
        harm_index_sha256=scorer.index.sha256,
        logs_read_by=read_by,
        tables=tables,
    )


def _pool(wanted: Wanted, scorer: Scorer, left: int) -> AbstractContextManager[Pool]:
    if wanted.scheduler is not None:
        from app.bulk.cluster import cluster_pool  # noqa: PLC0415 - Dask is an extra

        return cluster_pool(wanted.scheduler, scorer)
    return thread_pool(scorer, max(1, min(wanted.jobs or cores(), -(-left // COLUMN_PART))))
