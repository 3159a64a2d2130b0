"""What happens around the service: full disk, stopped database, exhausted pool, wrong clock, flipped bits, slow clients.

Each trial runs the service as a process of its own, as in production, with the toy artefact. A promise is held where the
answer is a 503 or a refusal to start, where the service comes back by itself when the fault is mended, and where in the end
the ledger is sound and holds every score that was acknowledged.
"""

import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx2
from sqlalchemy.engine import make_url

from app.artifact_signatures import make_key, read_signer
from app.artifacts import sign_artefact
from app.database import open_database
from app.database_roles import grant
from app.harm.records import EXAMPLE
from app.keys import create_keys
from tests import patient
from tests.app.test_server import dayzero, environment, headers, server
from tests.databases import Postgres
from tests.torture.logs import scratch
from tests.torture.report import Row, Scale
from tests.toy_bundle import write_toy

RECOVERS_WITHIN = 20
DISK = "1536k"


class Service:
    """A running service and what it has acknowledged."""

    def __init__(self, address: str, bearer: dict[str, str]) -> None:
        self.address, self._bearer = address, bearer
        self.told: dict[str, bytes] = {}

    def score(self) -> int:
        """The status of one more score; an acknowledged one is remembered."""
        answer = patient.post(f"{self.address}/score", json=EXAMPLE, headers=self._bearer)
        if answer.status_code == 200:
            self.told[answer.json()["score_id"]] = answer.content
        return answer.status_code

    def recovers(self) -> bool:
        deadline = time.monotonic() + RECOVERS_WITHIN
        while time.monotonic() < deadline:
            with suppress(httpx2.HTTPError):
                if self.score() == 200 and patient.get(f"{self.address}/health/ready").status_code == 200:
                    return True
            time.sleep(0.2)
        return False

    def lost(self) -> int:
        """Acknowledged scores that are no longer given as they were."""
        ask = (patient.get(f"{self.address}/scores/{score_id}", headers=self._bearer) for score_id in self.told)
        return sum(answer.content != given for answer, given in zip(ask, self.told.values(), strict=True))


@contextmanager
def service(settings: dict[str, str]) -> Iterator[Service]:
    with server(settings) as (address, _):
        yield Service(address, headers(settings, "score", "metrics"))


@contextmanager
def home(url: str | None = None) -> Iterator[dict[str, str]]:
    """The settings of a fresh deployment."""
    with scratch() as folder:
        write_toy(folder / "artifacts")
        create_keys(folder)
        yield environment(folder, folder / "artifacts", url)


def sound(settings: dict[str, str]) -> bool:
    return dayzero(settings, "audit", "verify").returncode == 0


def try_disk(_: Scale) -> list[Row]:
    """SQLite on a file system that fills up."""
    if os.geteuid() != 0:
        return [Row("disk full", "SQLite", 0, "not tried: only root can mount a small file system", "503, back")]
    with scratch() as folder:
        mount = folder / "small"
        mount.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(mount)], check=True)
        try:
            return [_fill_disk(folder, mount)]
        finally:
            subprocess.run(["umount", "-l", str(mount)], check=False)


def _fill_disk(folder: Path, mount: Path) -> Row:
    write_toy(folder / "artifacts")
    settings = environment(mount, folder / "artifacts")
    with service(settings) as running:
        first = running.score()
        filler = mount / "filler"
        with suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(b"0" * 4096)
        full = {running.score() for _ in range(40)}
        filler.unlink()
        back, lost = running.recovers(), running.lost()
    held = first == 200 and 503 in full and full <= {200, 503} and back and not lost and sound(settings)
    return _row("disk full", "SQLite", 40, sorted(full - {200}), back, lost, held)


def try_database(scale: Scale, postgres: Postgres) -> list[Row]:
    """PostgreSQL stopped, crashed, and without a free connection."""
    rows = []
    for crash in (False, True) if postgres.can_stop else ():
        tries, statuses, back, lost = scale.of(3), set[int](), True, 0
        url = postgres.new_database()
        with home(url) as settings, service(settings) as running:
            running.score()
            for _ in range(tries):
                postgres.stop(crash=crash)
                statuses.add(running.score())
                time.sleep(1.1)  # readiness is asked at most once a second
                statuses.add(patient.get(f"{running.address}/health/ready").status_code)
                postgres.start()
                back &= running.recovers()
            lost, whole = running.lost(), sound(settings)
        postgres.drop(url)
        held = statuses == {503} and back and not lost and whole
        what = "database crashed" if crash else "database stopped"
        rows.append(_row(what, "PostgreSQL", tries, sorted(statuses), back, lost, held))
    return [*rows, _exhaust(postgres)]


def _exhaust(postgres: Postgres) -> Row:
    """The role that serves may have no connection any more, and loses those it has."""
    role, url = f"serves_{uuid4().hex}", postgres.new_database()
    postgres.administer(f"CREATE ROLE {role} LOGIN")
    owner = open_database(url)
    grant(owner, role, None)
    owner.dispose()
    with home(make_url(url).set(username=role).render_as_string()) as settings, service(settings) as running:
        running.score()
        postgres.administer(f"ALTER ROLE {role} CONNECTION LIMIT 0")
        postgres.administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")
        statuses = {running.score() for _ in range(5)}
        postgres.administer(f"ALTER ROLE {role} CONNECTION LIMIT -1")
        back, lost = running.recovers(), running.lost()
        whole = sound(settings)
    postgres.drop(url)
    postgres.administer(f"DROP ROLE {role}")
    held = statuses == {503} and back and not lost and whole
    return _row("no connection free", "PostgreSQL", 5, sorted(statuses), back, lost, held)


def try_clock(_: Scale) -> list[Row]:
    """The clock set a day on and back again while the service runs: times in the log never go back."""
    library = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
    if library is None:
        return [Row("clock set on and back", "SQLite", 0, "not tried: faketime is not installed", "in order")]
    with home() as settings, scratch() as folder:
        clock = folder / "clock"
        clock.write_text("+0\n")
        faked = settings | {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # setting a clock never moves the one that waits are counted on
            "DAYZERO_LOCAL_TOKENS": "true",
        }
        statuses = []
        with server(faked) as (address, _process):
            for day in ("+0", "+1d", "-1d", "+0"):
                clock.write_text(f"{day}\n")
                running = Service(address, _token_at(faked))
                statuses.append(running.score())
        whole = sound(settings)
    held = statuses == [200] * 4 and whole
    state = "times in order" if whole else "the log is not sound"
    return [Row("clock set a day on and back", "SQLite", 4, f"answers {statuses}, {state}", "in order", held)]


def _token_at(settings: dict[str, str]) -> dict[str, str]:
    """A token made under the same clock: an old one has expired or is not yet valid, and that is right."""
    return headers(settings, "score")


def try_bits(scale: Scale) -> list[Row]:
    """One bit of a signed artefact or of a key flipped, or a key file cut: refused at the start, in one line."""
    rows = []
    for name, files in {
        "one bit of a signed artefact flipped": "artifacts/**/*.*",
        "one bit of a key flipped": "keys/*.key",
        "half-written key": "keys/*.key",
    }.items():
        tries, started = scale.of(40, 4), []
        with home() as settings:
            folder = Path(settings["DAYZERO_HOME"])
            settings["DAYZERO_ARTIFACT_KEYS"] = str(_signed(folder))
            if dayzero(settings, "keys", "show").returncode:
                started.append("it does not even start unharmed")
            paths = sorted(path for path in folder.glob(files) if path.is_file())
            for number in range(tries):
                path, rng = paths[number % len(paths)], random.Random(number)
                whole = path.read_bytes()
                path.write_bytes(whole[: rng.randrange(len(whole))] if "half" in name else _flipped(whole, rng))
                if not _refused(settings):
                    started.append(f"{path.name} (seed {number})")
                path.write_bytes(whole)
        told = f"{tries - len(started)} refused" + (f"; not: {', '.join(started[:3])}" if started else "")
        rows.append(Row(name, "start", tries, told, "all refused", not started))
    return rows


def _signed(folder: Path) -> Path:
    """Sign the toy artefact, whose manifest nothing else vouches for; the file of the public key."""
    key = folder / "maker.key"
    make_key(key, "maker")
    (signed,) = (folder / "artifacts").glob("*/*")
    sign_artefact(signed, read_signer(key))
    return key.with_name("maker.key.pub")


def _flipped(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def _refused(settings: dict[str, str]) -> bool:
    try:
        with server(settings):
            return False
    except (AssertionError, ValueError):  # it said something else than that it listens
        return True


def try_slow_clients(scale: Scale) -> list[Row]:
    """Clients that send a byte now and then, and others that never read, beside one that behaves."""
    slow = scale.of(200, 20)
    with home() as settings, service(settings) as running:
        host, port = running.address.removeprefix("http://").split(":")
        bearer = headers(settings, "score")["Authorization"]
        head = (
            f"POST /score HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\n"
            "Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
        )
        held_open = [socket.create_connection((host, int(port)), timeout=10) for _ in range(slow)]
        for connection in held_open:
            connection.sendall(head.encode() + b"{")
        began = time.monotonic()
        statuses = {running.score() for _ in range(20)}
        waited = timedelta(seconds=time.monotonic() - began) / 20
        for connection in held_open:
            connection.close()
        back, lost = running.recovers(), running.lost()
    held = statuses == {200} and back and not lost and waited < timedelta(seconds=2)
    told = f"others answered {sorted(statuses)}, {waited.total_seconds() * 1000:.0f} ms each"
    return [Row("slow clients", "SQLite", slow, told, "others served", held)]


def _row(promise: str, where: str, tries: int, statuses: list[int], back: bool, lost: int, held: bool) -> Row:
    told = f"answers {statuses}, {'back by itself' if back else 'NOT back'}, {lost} lost"
    return Row(promise, where, tries, told, "503, back, 0 lost", held)
