"""Where the time of one score goes: `python -m benchmarks.parts`, in the serving environment.

One process, one request at a time, the parts of each request one after the other so that none finds its caches warm from
the request before. Processor time, since that is what a busy machine leaves comparable; the wait for the disk stands by
itself. `around` is the rest of what the application takes for the whole request: routing, token, limits, log, metrics and
the hand-over to the ledger's thread and back. Sockets and h11 are left out: the floor of `make bench` has them.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI

from app.audit.appending import Appender, draft
from app.harm.archive import score_record
from app.harm.cases import build_cases
from app.harm.features import features
from app.harm.records import read_request
from app.harm.service import Scorer
from app.harm.uncharged import both_ways
from app.keys import create_keys
from app.logs import configure_logs
from app.main import create_app
from app.security import issue_token
from app.settings import Settings, read_settings
from benchmarks import explanations, ledger_price

LENGTHS = (1, 5, 20, 100, 500)
PARTS = ("parse", "case", "features", "models", "answer", "seal", "commit", "around")
WAIT = "wait for the disk"
CALLER = ("benchmark", "benchmark")
ROUNDS, DIFFERENT = 5, 10
Result = TypeVar("Result")


class Stopwatch:
    """Processor and wall time of each named part, ms, one figure a request."""

    def __init__(self) -> None:
        self.found: dict[str, list[float]] = {}

    def time(self, name: str, work: Callable[..., Result], *given: Any, **named: Any) -> Result:
        """Do the work and note what this thread took; for `commit` also how long it waited."""
        began, wall = time.thread_time(), time.perf_counter()
        result = work(*given, **named)
        took, passed = time.thread_time() - began, time.perf_counter() - wall
        self.note(name, took)
        if name == "commit":
            self.note(WAIT, passed - took)
        return result

    def note(self, name: str, seconds: float) -> None:
        self.found.setdefault(name, []).append(1000 * seconds)

    def median(self, name: str) -> float:
        return statistics.median(self.found[name])


class Parts:
    """One application with its ledger in a folder of its own, and its parts called one by one."""

    def __init__(self, application: FastAPI) -> None:
        state = application.state
        self._application, self._keys, self._ledger = application, state.keys, state.ledger
        self._appender = Appender(state.engine, state.keys)
        self._scorer: Scorer = state.scorer
        self._token = issue_token(state.keys, "benchmark", ["score"])
        self._today: date = state.settings.today()

    async def measure(self, bodies: Sequence[bytes]) -> dict[str, float]:
        """Median of each part over the bodies, ms; one round is not counted."""
        for number in range(ROUNDS + 1):
            if number <= 1:
                watch = Stopwatch()
            for body in bodies:
                self._one_by_one(body, watch)
                began = time.process_time()
                await self._ask(body)
                watch.note("whole", time.process_time() - began)
        found = {name: watch.median(name) for name in watch.found}
        found["answer"] = found["score"] - found["case"] - found["features"] - found["models"] + found["record"]
        found["around"] = found["whole"] - sum(found[name] for name in PARTS[:-1])
        return found

    def _one_by_one(self, body: bytes, watch: Stopwatch) -> None:
        request = watch.time("parse", read_request, body)
        model = self._scorer.model_for(request)
        manifest = model.bundle.manifest

        def both() -> Any:
            cases = build_cases([request], self._scorer.index, self._today, manifest.subject)
            return both_ways(cases.histories, cases.nominals)

        def compute() -> None:
            model.experience.odd(table[:1])
            model.verdicts(table)
            model.survival(table[:1])

        asked = watch.time("case", both)
        table = watch.time("features", features, asked.histories, asked.nominals, unknown_age=manifest.index_age_median)
        watch.time("models", compute)
        scored = watch.time("score", self._scorer.score, request, self._today)
        _, _, record = watch.time("record", score_record, scored, CALLER)
        sealed = watch.time("seal", draft, record, self._keys, self._ledger.log_id)
        watch.time("commit", self._appender.append, [sealed])

    async def _ask(self, body: bytes) -> None:
        headers = {
            "host": "localhost",
            "content-type": "application/json",
            "authorization": f"Bearer {self._token}",
            "content-length": str(len(body)),
        }
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/score", "raw_path": b"/score", "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2), "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            statuses.extend([message["status"]] if "status" in message else [])

        await self._application(scope, receive, send)
        if statuses != [200]:
            raise SystemExit(f"a request was refused: {statuses}")


def of_length(length: int) -> list[bytes]:
    """Different made-up requests of one length, without explanation."""
    different = [explanations.request(length, seed, "none") for seed in range(DIFFERENT)]
    return [one.model_dump_json(exclude_none=True).encode() for one in different]


async def table(application: FastAPI) -> str:
    """The table, a column for each kind of history."""
    sets = {"mix": ledger_price.bodies()} | {f"{length}": of_length(length) for length in LENGTHS}
    async with application.router.lifespan_context(application):
        parts = Parts(application)
        columns = {name: await parts.measure(bodies) for name, bodies in sets.items()}
    lines = [f"| CPU ms by incidents | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name in (*PARTS, "whole", WAIT):
        lines.append(f"| {name} | " + " | ".join(f"{found[name]:.2f}" for found in columns.values()) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as home:
        create_keys(Path(home))
        configure_logs("warning")
        settings = Settings(home=Path(home), artifacts=read_settings().artifacts, caller_limit=0)
        print(asyncio.run(table(create_app(settings))))


if __name__ == "__main__":
    main()
