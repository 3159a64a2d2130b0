"""`dayzero score`: requests from a file, scored here or by a service, one answer or problem for each."""

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click
import httpx2
from rich.console import Console

from app.audit.ledger import Answer, Ledger
from app.audit.records import Appended
from app.errors import DayZeroError, SetupError, Unavailable
from app.files import written_whole
from app.harm.answers import ScoreAnswer
from app.harm.archive import score_record, with_receipt
from app.harm.golden import check_golden
from app.harm.records import read_request
from app.harm.service import Scorer, load_scorer
from app.problems import kind_of, problem_body
from app.progress import bar
from app.settings import Settings
from app.storage import LOCAL_ISSUER, open_store
from app.terminal import show_score

LINES = {".ndjson", ".jsonl"}
IN_FLIGHT = 256
LONGEST_WAIT = 60

Result = Callable[[], bytes]


def score_file(
    settings: Settings, file: Path, out: Path | None, server: str | None, subject: str, token: str | None
) -> int:
    """Score every request in `file` and write the answers in order; return how many could not be scored.

    `server` sends them there with `token`; otherwise each is scored here and recorded as `subject`.
    """
    total = sum(1 for _ in _requests(file))
    with ExitStack() as open_things:
        target = open_things.enter_context(written_whole(out)) if out else None
        local = server is None
        submit = _local(settings, subject, open_things) if local else _remote(str(server), token, open_things)
        shown = open_things.enter_context(bar("scoring"))
        task = shown.add_task("", total=total)
        failed = 0
        for answer in _in_order(submit, _requests(file)):
            failed += b'"score_id"' not in answer[:64]
            _write(answer, target, alone=total == 1)
            shown.advance(task)
    return failed


def _requests(file: Path) -> Iterator[bytes]:
    """Each request's bytes: lines of NDJSON, or the whole of any other file."""
    if file.suffix in LINES:
        with file.open("rb") as lines:
            yield from (line for line in lines if line.strip())
    else:
        yield file.read_bytes()


def _in_order(submit: Callable[[bytes], Result], requests: Iterator[bytes]) -> Iterator[bytes]:
    """Keep some in flight, so that one commit holds many records; give results in the order of the requests."""
    waiting: deque[Result] = deque()
    for request in requests:
        waiting.append(submit(request))
        if len(waiting) >= IN_FLIGHT:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()


def _local(settings: Settings, subject: str, open_things: ExitStack) -> Callable[[bytes], Result]:
    engine, keys = open_store(settings)
    scorer = load_scorer(settings.artifacts, settings.harm_index, settings.artifact_keys)
    check_golden(scorer)
    ledger = Ledger(engine, keys)
    ledger.start()
    open_things.callback(ledger.close)

    def submit(raw: bytes) -> Result:
        try:
            answer, future = _score(scorer, ledger, settings, subject, raw)
        except DayZeroError as error:
            return partial(problem_body, kind_of(error), error.detail, error.faults)
        return partial(_with_receipt, answer, future)

    return submit


def _score(
    scorer: Scorer, ledger: Ledger, settings: Settings, subject: str, raw: bytes
) -> tuple[bytes, Future[Answer]]:
    scored = scorer.score(read_request(raw), settings.today())
    _, answer, record = score_record(scored, (LOCAL_ISSUER, subject))
    return answer, ledger.submit(record)


def _with_receipt(answer: bytes, future: Future[Answer]) -> bytes:
    appended = future.result()
    if not isinstance(appended, Appended):
        raise Unavailable("The ledger gave another record's receipt.")
    return with_receipt(answer, appended.sequence, appended.leaf_hash)


def _remote(server: str, token: str | None, open_things: ExitStack) -> Callable[[bytes], Result]:
    if not token or not token.isascii():
        raise SetupError("Put a bearer token into DAYZERO_TOKEN to use --server.")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        client = open_things.enter_context(httpx2.Client(base_url=server, headers=headers, timeout=30))
    except (httpx2.InvalidURL, ValueError):
        raise SetupError("--server is not an address such as http://127.0.0.1:8000.") from None

    def submit(raw: bytes) -> Result:
        try:
            answer = client.post("/score", content=raw)
            while answer.status_code == 429:  # more than the service takes from one caller: it says how long to wait
                time.sleep(_seconds(answer.headers.get("Retry-After", "")))
                answer = client.post("/score", content=raw)
            content = answer.content
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise SetupError(f"The service did not answer ({type(error).__name__}).") from None
        return lambda: content

    return submit


def _seconds(retry_after: str) -> int:
    """How long to wait; what stands between may also send a date, or nothing."""
    return min(int(retry_after), LONGEST_WAIT) if retry_after.isdecimal() else 1


def _write(answer: bytes, target: BinaryIO | None, *, alone: bool) -> None:
    """To the file as a line; to a terminal as a person reads it when there is just one."""
    line = answer.decode()
    if target is not None:
        target.write(answer + b"\n")
    elif alone and sys.stdout.isatty() and "score_id" in json.loads(line):
        show_score(ScoreAnswer.model_validate_json(answer), Console())
    else:
        click.echo(line)
