"""Real databases for tests: SQLite files, and a PostgreSQL server of our own or the one DAYZERO_TEST_POSTGRES names."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from app.database import open_database, upgrade

START_SECONDS = 60


class Postgres:
    """A server that can be stopped and started; databases are made from a migrated template, which takes milliseconds."""

    def __init__(self, url: URL, folder: Path | None = None) -> None:
        self._url = url
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._template = f"dayzero_template_{uuid4().hex}"

    @property
    def can_stop(self) -> bool:
        return self._folder is not None

    @property
    def data(self) -> Path | None:
        """The folder of its files, where they are on this machine."""
        return self._folder / "data" if self._folder else None

    def url(self, database: str = "postgres") -> str:
        return self._url.set(database=database).render_as_string(hide_password=False)

    def new_database(self) -> str:
        """The URL of a fresh, migrated database."""
        name = f"dayzero_{uuid4().hex}"
        self.administer(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        self.administer(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    def make_template(self) -> None:
        self.administer(f'CREATE DATABASE "{self._template}"')
        engine = open_database(self.url(self._template))
        upgrade(engine)
        engine.dispose()

    def drop_template(self) -> None:
        self.administer(f'DROP DATABASE "{self._template}" WITH (FORCE)')

    def start(self) -> None:
        """Runs the server and waits until it answers."""
        port = ["-p", str(self._url.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        sizes = ["-c", "shared_buffers=32MB", "-c", "max_connections=60"]
        command = [_tool("postgres"), "-D", str(self._folder / "data"), *port, *sizes]
        self._process = _as_servant(command)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError("the test PostgreSQL did not start")
            if self._process.poll() is not None:  # while it was down, a connection of another test may have its port
                self._process = _as_servant(command)
            time.sleep(0.02)

    def stop(self, *, crash: bool = False) -> None:
        """Fast shutdown, or what a crash leaves: SIGQUIT ends every process without a checkpoint."""
        self._process.send_signal(3 if crash else 2)
        self._process.wait(START_SECONDS)

    def _answers(self) -> bool:
        try:
            psycopg.connect(_plain(self.url()), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def administer(self, statement: str) -> None:
        with psycopg.connect(_plain(self.url()), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """DAYZERO_TEST_POSTGRES (a URL whose user may create databases), else a server of our own; skips where there is none."""
    given = os.environ.get("DAYZERO_TEST_POSTGRES")
    if given:
        server = Postgres(make_url(given).set(drivername="postgresql"))
        server.make_template()
        yield server
        server.drop_template()
        return
    if _tool("postgres") is None or _tool("initdb") is None:
        pytest.skip("no PostgreSQL: put initdb and postgres on PATH, or set DAYZERO_TEST_POSTGRES")
    folder = Path(tempfile.mkdtemp(prefix="dayzero-postgres-"))  # not tmp_path: only its owner may enter that
    try:
        server = _own_server(folder)
        server.start()
        try:
            server.make_template()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own_server(folder: Path) -> Postgres:
    folder.chmod(0o755)
    (folder / "data").mkdir(mode=0o700)
    servant = _servant()
    if servant:
        os.chown(folder / "data", servant.pw_uid, servant.pw_gid)
    initdb = [_tool("initdb"), "-D", str(folder / "data"), "-U", "dayzero", "--auth=trust", "--no-sync", "-E", "UTF8"]
    if _as_servant([*initdb, "--locale=C"]).wait(60) != 0:
        raise RuntimeError("initdb failed")
    return Postgres(URL.create("postgresql", "dayzero", host="127.0.0.1", port=_free_port()), folder)


def _as_servant(command: list[str]) -> subprocess.Popen[bytes]:
    """PostgreSQL refuses to run as root."""
    servant = _servant()
    identity = {"user": servant.pw_uid, "group": servant.pw_gid, "extra_groups": []} if servant else {}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **identity)


def _servant() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _tool(name: str) -> str | None:
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(debian[-1]) if debian else None)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
