"""`dayzero score`: requests of a file or nominals of an extract, scored here, on a cluster or by a service, in order."""

import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from app.artifacts import load_manifest, versions
from app.audit.ledger import Ledger
from app.audit.store import Store
from app.bulk.batch import PART
from app.bulk.journal import Journal
from app.bulk.ordering import in_order
from app.bulk.outputs import Output, Printed, kept, whole
from app.bulk.pools import Pool, cores, digests, process_pool, thread_pool
from app.bulk.recorder import Recorder
from app.bulk.remote import post_lines, post_one
from app.bulk.sources import LINES, NEEDS_ARROW, PARQUET, Source, from_extract, from_file
from app.bulk.work import Run
from app.errors import SetupError
from app.files import check_target
from app.harm.golden import check_golden
from app.harm.harm_index import HarmIndex, index_in_force
from app.harm.history import STALKER
from app.harm.records import DEFAULT_FAMILY
from app.harm.service import Scorer, load_scorer
from app.harm.subject import Subject
from app.progress import bar
from app.settings import Settings
from app.storage import LOCAL_ISSUER, open_store
from app.text.manifest import FAMILY
from app.text.model import TextModel
from app.text.service import newest_model

Record = Literal["batch", "each"]


@dataclass(frozen=True)
class Options:
    """How to score. `server`, with its `token`: there; `scheduler`: on that cluster; else here in `jobs` processes.

    `as_of`, `explain` and `model` (None: the usual one) are for extracts; a request says all three itself. `record`: each nominal
    for itself, a batch at a time, or (None) a batch where that will do: a table of an extract, nothing explained.
    """

    out: Path | None = None
    server: str | None = None
    token: str | None = None
    scheduler: str | None = None
    jobs: int | None = None
    as_of: date | None = None
    explain: str = "none"
    model: str | None = None
    record: Record | None = None


def score(settings: Settings, given: Path, options: Options, subject: str) -> int:
    """Score `given` and write the answers in order; return how many could not be scored.

    What is not scored by a service is recorded in this machine's ledger as `subject`; with `out`, a run that was cut off
    goes on when it is started again with the same arguments. Raises SetupError, Unavailable.
    """
    if options.out is not None:
        check_target(options.out)
    if _batched(given, options):
        return _as_table(settings, given, options, (LOCAL_ISSUER, subject))
    if options.server is not None:
        return _by_service(settings, given, options, options.server)
    return _by_ourselves(settings, given, options, (LOCAL_ISSUER, subject))


def _batched(given: Path, options: Options) -> bool:
    """Whether batches are recorded. Raises SetupError where that was asked for and cannot be."""
    table = options.out is not None and options.out.suffix == PARQUET
    possible = given.is_dir() and table and options.explain == "none" and options.server is None
    if options.record == "batch" and not possible:
        raise SetupError("--record batch is for an extract scored here, without --explain, into a .parquet table.")
    return possible and options.record != "each"


def _as_table(settings: Settings, given: Path, options: Options, caller: tuple[str, str]) -> int:
    try:
        from app.bulk.table.run import Wanted, score_table  # noqa: PLC0415 - Arrow is an extra
    except ImportError:
        raise SetupError(NEEDS_ARROW) from None
    assert options.out is not None  # noqa: S101 - `_batched` looked
    family = options.model or DEFAULT_FAMILY
    subject = _subject(settings.artifacts, family)
    wanted = Wanted(given, options.out, family, subject, options.as_of, options.jobs, options.scheduler)
    return score_table(settings, wanted, caller)


def _by_ourselves(settings: Settings, given: Path, options: Options, caller: tuple[str, str]) -> int:
    engine, keys = open_store(settings)
    scorer = load_scorer(settings.artifacts, settings.harm_index, settings.artifact_keys)
    check_golden(scorer)
    source = _source(settings, given, options, scorer.index, scorer.texts.get(FAMILY))
    ledger = Ledger(engine, keys)
    ledger.start()
    with ExitStack() as opened:
        opened.callback(ledger.close)
        if options.out is None:
            run, start = Run(caller, settings.today(), time.time_ns() // 1_000_000, secrets.token_bytes(32)), 0
            output: Output = Printed(alone=source.total == 1, named=source.named)
            recorder = Recorder(ledger)
        else:
            journal = Journal(
                options.out, source.same | {"models": digests(scorer), "log": ledger.log_id}, caller, settings.today()
            )
            run, start = journal.run, journal.done
            output = opened.enter_context(kept(journal, options.out, named=source.named))
            recorder = Recorder(ledger, Store(engine, keys) if journal.resumed else None)
        pool = opened.enter_context(_pool(settings, scorer, options, source.total - start))
        progress = opened.enter_context(bar("scoring"))
        task = progress.add_task("", total=source.total, completed=start)
        for answers in in_order(source.parts(start), run, pool, recorder):
            output.write(answers)
            progress.advance(task, len(answers))
    return output.problems


def _pool(settings: Settings, scorer: Scorer, options: Options, left: int) -> AbstractContextManager[Pool]:
    if options.scheduler is not None:
        from app.bulk.cluster import cluster_pool  # noqa: PLC0415 - Dask is an extra

        return cluster_pool(options.scheduler, scorer)
    jobs = min(options.jobs or cores(), -(-left // PART))
    return process_pool(settings, scorer, jobs) if jobs > 1 else thread_pool(scorer)


def _by_service(settings: Settings, given: Path, options: Options, server: str) -> int:
    if given.is_file() and given.suffix not in LINES:
        answer = post_one(server, options.token, given.read_bytes())
        with _output(options.out, alone=True, named=False) as output:
            output.write([(None, answer)])
        return output.problems
    index = index_in_force(settings.harm_index)
    reader = newest_model(settings.artifacts, settings.artifact_keys) if given.is_dir() else None
    source = _source(settings, given, options, index, reader)
    with _output(options.out, alone=source.total == 1, named=source.named) as output, bar("scoring") as progress:
        task = progress.add_task("", total=source.total)
        asked: deque[str | None] = deque()

        def lines() -> Iterator[bytes]:
            for part in source.parts(0):
                for nominal_id, line in part.bodies(index):
                    asked.append(nominal_id)
                    yield line

        def take(answer: bytes) -> None:
            output.write([(asked.popleft(), answer)])
            progress.advance(task)

        post_lines(server, options.token, lines(), take)
    return output.problems


def _output(out: Path | None, *, alone: bool, named: bool) -> AbstractContextManager[Output]:
    return whole(out, named=named) if out is not None else Printed(alone=alone, named=named)


def _source(settings: Settings, given: Path, options: Options, index: HarmIndex, reader: TextModel | None) -> Source:
    if given.is_dir():
        asked = {"explain": options.explain} | ({} if options.model is None else {"model": options.model})
        subject = STALKER if options.model is None else _subject(settings.artifacts, options.model)
        return from_extract(given, index, settings.today(), options.as_of, subject, asked, reader)
    return from_file(given)


def _subject(artifacts: Path, model: str) -> Subject:
    """Whom a model is about, which tells how an extract is read for it. Raises SetupError where it is not here."""
    folders = versions(artifacts).get(model)
    if folders is None:
        raise SetupError("There is no artefact of that --model here, so nothing says how to read an extract for it.")
    return load_manifest(folders[0])[0].subject
