"""`dayzero score --server`: many lines through a real service, and services that misbehave."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from app.bulk import remote
from app.bulk.run import Options, score
from app.errors import SetupError, Unavailable
from app.settings import Settings
from tests.app.bulk.test_run import OF_EACH_RUN, bare, lines_of, requests
from tests.app.extract.folders import write_csv
from tests.app.extract.test_people import FORCE
from tests.app.test_server import environment, headers, server
from tests.same import same


def test_through_a_service_as_on_this_machine(
    tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "here", artifacts=toy_artifacts)
    many, force = requests(tmp_path, 300), write_csv(tmp_path / "force", FORCE)
    there = environment(tmp_path / "there", toy_artifacts)
    (tmp_path / "there").mkdir()
    token = headers(there, "score")["Authorization"].removeprefix("Bearer ")
    monkeypatch.setattr(remote, "CALL_LINES", 130)
    with server(there) as (address, _):
        for given, failed in ((many, 42), (force, 1)):
            outs = [tmp_path / f"{given.stem}-{place}.ndjson" for place in ("here", "there")]
            assert score(settings, given, Options(outs[0], jobs=1), "local:me") == failed
            assert score(settings, given, Options(outs[1], server=address, token=token), "local:me") == failed
            assert same(bare(lines_of(outs[1])), bare(lines_of(outs[0])))
        table = tmp_path / "there.parquet"
        assert score(settings, force, Options(table, server=address, token=token), "local:me") == 1
        assert pq.read_table(table)["nominal_id"].to_pylist() == ["N 5", "N-1", "N-2"]
        with pytest.raises(SetupError, match="not-authenticated"):
            score(settings, many, Options(tmp_path / "x", server=address, token="x"), "local:me")
    assert set(OF_EACH_RUN) <= set(lines_of(outs[1])[1])
    assert not (tmp_path / "x").exists()


@contextmanager
def stand_in(answers: list[tuple[int, dict[str, str], bytes]]) -> Iterator[tuple[str, list[bytes]]]:
    """A service that gives these answers, whatever it is asked, and what it was asked."""
    asked: list[bytes] = []

    class Odd(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            asked.append(body)
            status, given, content = answers[len(asked) - 1]
            self.send_response(status)
            for name, value in {"Connection": "close", **given}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as service:
        threading.Thread(target=service.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{service.server_port}", asked
        service.shutdown()


def post(address: str, *lines: bytes) -> list[bytes]:
    found: list[bytes] = []
    remote.post_lines(address, "token", iter(lines), found.append)
    return found


DONE = b'{"done": true, "lines": 2}\n'


@pytest.mark.parametrize("status", [429, 503])
def test_told_to_wait_it_sends_the_same_again(status: int) -> None:
    answers: list[Any] = [(status, {"Retry-After": "0"}, b"{}"), (200, {}, b"{}\n{}\n" + DONE)]
    with stand_in(answers) as (address, asked):
        assert post(address, b"first", b"second") == [b"{}", b"{}"]
    assert asked == [b"first\nsecond\n"] * 2


@pytest.mark.parametrize("content", [b"", b"{}\n", b"{}\n{}\n", b"{}\n" + DONE, b"{}\n{}\n" + DONE[:-1]])
def test_an_answer_without_its_end_is_not_taken_for_whole(content: bytes) -> None:
    with stand_in([(200, {}, content)]) as (address, _), pytest.raises(Unavailable, match="ended before"):
        post(address, b"first", b"second")


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (403, json.dumps({"type": "not-allowed", "detail": "No."}).encode(), r"No\. \(not-allowed\)"),
        (500, b"CANARY", "no reason"),
        (404, b'["CANARY"]', "no reason"),
    ],
)
def test_a_refusal_is_one_clear_line(status: int, content: bytes, said: str) -> None:
    with stand_in([(status, {}, content)]) as (address, _), pytest.raises(SetupError, match=said) as refused:
        post(address, b"first")
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize("address", ["", "nonsense", "http://[::1", "ftp://x", "http://x:99999"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(SetupError, match="--server is not an address"):
        post(address, b"x")


def test_nobody_listens() -> None:
    with pytest.raises(SetupError, match="did not answer"):
        post("http://127.0.0.1:9", b"x")


@pytest.mark.parametrize("token", [None, "", "tökén", "a\r\nb"])
def test_a_token_that_is_none(token: str | None) -> None:
    with pytest.raises(SetupError, match="DAYZERO_TOKEN"):
        remote.post_lines("http://127.0.0.1:9", token, iter([b"x"]), print)
