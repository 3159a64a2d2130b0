"""Opening what a deployment keeps: the database and the keys that belong to it."""

import getpass
import os

from sqlalchemy import Engine

from app.database import check_schema, is_sqlite, open_database, upgrade
from app.keys import Keys, ensure_keys
from app.settings import Settings

LOCAL_ISSUER = "dayzero-command"
"""Who vouches for the callers of commands on this machine: nobody but the operating system."""


def open_store(settings: Settings) -> tuple[Engine, Keys]:
    """The database, its schema checked, and the keys that belong to it; only SQLite migrates itself."""
    engine = open_database(settings.database)
    if is_sqlite(engine):
        upgrade(engine)
    check_schema(engine)
    return engine, ensure_keys(settings.home, engine)


def local_subject() -> str:
    """Who runs this command, as the audit log names them; a number where the system knows no name."""
    try:
        return f"local:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"local:uid-{os.getuid()}"
