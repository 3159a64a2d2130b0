"""Limits of one worker: by caller, by address for bad tokens; and the record that sums up what was only counted."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import limits
from app.audit.records import NewRecord
from app.audit.store import EntryFilter
from app.bulk.run import Options, score
from app.database import sqlite_url
from app.errors import NotAuthenticated, TooManyRequests, Unavailable
from app.limits import Limits, Rate
from app.problems import CATALOGUE, kind_of
from app.refusals import COUNTED, Refusals
from app.settings import Settings
from tests.app.service_fixtures import Client, running
from tests.app.test_api import check_problem
from tests.requests import example


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    most=st.integers(1, 20),
    steps=st.lists(st.one_of(st.just(0.0), st.floats(0.001, 200, allow_nan=False)), max_size=200),
)
@settings(max_examples=60, deadline=None)
def test_never_more_than_a_minutes_worth_at_once_and_then_as_it_drips(most: int, steps: list[float]) -> None:
    """Against a bucket kept the plain way: it drains by `most` a minute and takes what does not spill over."""
    clock, level = Clock(), 0.0
    rate = Rate(most, clock)
    for step in steps:
        clock.now += step
        level = max(0.0, level - step * most / 60)
        waiting = rate.wait("someone")
        if abs(level + 1 - most) > 1e-6:  # not at the brim, where rounding decides
            assert (waiting == 0.0) == (level + 1 <= most)
        if waiting == 0.0:
            level += 1
        else:
            assert waiting == pytest.approx((level + 1 - most) * 60 / most, abs=1e-6)


def test_names_do_not_share_and_waiting_helps() -> None:
    clock = Clock()
    rate = Rate(3, clock)
    assert [rate.wait("a", "b") for _ in range(3)] == [0, 0, 0]
    assert rate.wait("a", "b") == pytest.approx(20)
    assert rate.wait("a") == rate.wait("b") == rate.wait("ab") == 0
    clock.now += 20
    assert rate.wait("a", "b") == 0


def test_a_clock_set_back_holds_nobody_up() -> None:
    clock = Clock()
    rate = Rate(3, clock)
    clock.now = 86_400.0
    assert [rate.wait("a") for _ in range(3)] == [0, 0, 0]
    clock.now = 0.0
    assert [rate.wait("a") for _ in range(3)] == [0, 0, 0]
    assert rate.wait("a") > 0


def test_no_limit_keeps_nothing() -> None:
    rate = Rate(0)
    assert not any(rate.wait("a") for _ in range(1000))
    assert not rate._full_until


def test_memory_is_bounded_and_names_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEPT", 5)
    rate = Rate(2)
    for number in range(50):
        rate.wait(f"CANARY-{number}")
    assert len(rate._full_until) == 5
    assert b"CANARY" not in repr(rate._full_until).encode()


def test_threads_count_together() -> None:
    rate, taken = Rate(1000, Clock()), []

    def ask() -> None:
        taken.append(sum(rate.wait("one") == 0 for _ in range(300)))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 1000


def with_still_clocks(both: Limits) -> Limits:
    """However long a test takes, nothing drips."""
    both._callers._clock = both._failures._clock = Clock()
    return both


def test_each_limit_says_which_it_is() -> None:
    both = with_still_clocks(Limits(caller=1, failed=1))
    both.count_request("issuer", "subject")
    both.count_failure("127.0.0.1")
    for count, by in ((lambda: both.count_request("issuer", "subject"), "caller"),
                      (lambda: both.count_failure("127.0.0.1"), "address")):  # fmt: skip
        with pytest.raises(TooManyRequests) as refused:
            count()
        assert (refused.value.by, refused.value.seconds) == (by, 60)


@pytest.fixture
def narrow(tmp_path: Path, toy_artifacts: Path) -> Iterator[Client]:
    with running(sqlite_url(tmp_path), tmp_path, toy_artifacts, caller_limit=5, failed_limit=3) as client:
        with_still_clocks(client.app.state.limits)
        yield client


def test_a_caller_over_the_limit_is_told_when_to_come_back(narrow: Client) -> None:
    auditor = narrow.as_caller("auditor", "audit")
    for _ in range(5):
        assert narrow.get("/models").status_code == 200
    answer = narrow.score(example())
    check_problem(answer, 429, "too-many-requests")
    assert answer.headers["retry-after"] == "12"
    assert auditor.get("/audit").status_code == 200, "others are not held up"
    assert narrow.http.get("/health/ready").status_code == 200


def test_bad_tokens_from_one_address_end_in_429_and_good_ones_still_pass(narrow: Client) -> None:
    bad = {"Authorization": "Bearer a.b.c"}
    statuses = [narrow.http.get("/scores", headers=bad).status_code for _ in range(6)]
    assert statuses == [401, 401, 401, 429, 429, 429]
    answer = narrow.http.get("/scores")
    check_problem(answer, 429, "too-many-requests")
    assert answer.headers["retry-after"] == "20"
    assert narrow.get("/scores").status_code == 200
    counted = narrow.as_caller("prometheus", "metrics").get("/metrics").text
    assert 'dayzero_rate_limited_total{by="address"}' in counted


def test_what_is_only_counted_becomes_one_record(narrow: Client) -> None:
    for _ in range(4):
        narrow.http.get("/scores")
    narrow.score(b"{")
    narrow.score(b"{}", Content_Type="text/plain")
    store, refusals = narrow.app.state.store, narrow.app.state.refusals
    assert store.size() == 0
    assert narrow.http.portal is not None
    narrow.http.portal.call(refusals.summarise)
    narrow.http.portal.call(refusals.summarise)
    (entry,) = store.list_entries(EntryFilter())
    told = store.open(entry.record_id)
    assert (entry.event, entry.purpose, told.issuer, told.subject) == ("refusal", "operation", "dayzero", "refusals")
    assert json.loads(told.payload) == {
        "summary": {"malformed-body": 1, "not-authenticated": 3, "too-many-requests": 1, "unsupported-media": 1}
    }


def test_a_summary_that_cannot_be_kept_is_tried_again(narrow: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise Unavailable("The record store cannot answer now; try again.")

    refusals, store = narrow.app.state.refusals, narrow.app.state.store
    narrow.http.get("/scores")
    assert narrow.http.portal is not None
    with monkeypatch.context() as broken:
        broken.setattr(narrow.app.state.ledger, "submit", failing)
        narrow.http.portal.call(refusals.summarise)
        narrow.http.get("/scores")
    assert store.size() == 0
    narrow.http.portal.call(refusals.summarise)
    assert json.loads(store.open_record(store.entry(0).record_id)) == {"summary": {"not-authenticated": 2}}


class SlowLedger:
    """Takes its time over a record."""

    def __init__(self) -> None:
        self.asked, self.let_go, self.stored = asyncio.Event(), asyncio.Event(), []

    async def append(self, record: NewRecord) -> None:
        self.asked.set()
        await self.let_go.wait()
        self.stored.append(json.loads(record.payload))


def test_a_summary_under_way_when_the_service_stops_is_not_lost() -> None:
    async def run() -> None:
        ledger = SlowLedger()
        refusals = Refusals(ledger, interval=0)
        refusals.note(kind_of(NotAuthenticated("")))
        summarising = asyncio.create_task(refusals.keep_summarising())
        await ledger.asked.wait()
        summarising.cancel()
        await asyncio.gather(summarising, return_exceptions=True)
        ledger.let_go.set()
        await asyncio.sleep(0.01)
        assert ledger.stored == [{"summary": {"not-authenticated": 1}}]

    asyncio.run(run())


def test_every_refusal_is_recorded_summed_up_or_about_nothing() -> None:
    from app.middleware import RECORDED_REFUSALS

    others = {kind.status for kind in CATALOGUE.values()} - RECORDED_REFUSALS - COUNTED
    assert others == {404, 405, 406, 410, 503}
    assert kind_of(NotAuthenticated("")).status in COUNTED


@pytest.mark.parametrize("retry_after", ["0", "Wed, 21 Oct 2026 07:28:00 GMT", None])
def test_the_command_waits_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retry_after: str | None
) -> None:
    """Against a stand-in that turns the first request away."""
    asked, waited = [], []

    class Strict(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(429 if len(asked) % 2 else 200)
            if retry_after is not None:
                self.send_header("Retry-After", retry_after)
            self.end_headers()
            self.wfile.write(b'{"score_id": "x"}')

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr("app.bulk.remote.time.sleep", waited.append)
    (tmp_path / "one.json").write_bytes(b"asked")
    with HTTPServer(("127.0.0.1", 0), Strict) as stand_in:
        threading.Thread(target=stand_in.serve_forever, args=(0.05,), daemon=True).start()
        options = Options(tmp_path / "out", server=f"http://127.0.0.1:{stand_in.server_port}", token="token")
        failed = score(Settings(), tmp_path / "one.json", options, "local")
        stand_in.shutdown()
    assert (failed, asked, waited) == (0, [b"asked"] * 2, [0 if retry_after == "0" else 1])
