"""Who may do what in a PostgreSQL ledger: the owner migrates, one role serves, one role erases.

The serving role can add records and read; it owns nothing, so it can neither switch the append-only triggers off nor delete
what a record holds. Only the erasing role can delete contents, and it, too, cannot touch the tree.
"""

from sqlalchemy import Engine, text

from app.database import is_sqlite, read_transaction, write_transaction
from app.errors import SetupError

EVERYTHING = (
    "log_head", "entry", "node", "checkpoint", "payload", "data_key", "ledger_key", "subject_index", "idempotency",
    "alembic_version",
)  # fmt: skip
ADVANCED = "(size, frontier, last_time)"  # not the key epoch: who holds rotated keys must not set it back
SERVES = {
    "SELECT": EVERYTHING,
    "INSERT": ("entry", "node", "checkpoint", "payload", "data_key", "ledger_key", "subject_index", "idempotency"),
    f"UPDATE {ADVANCED}": ("log_head",),
    "DELETE": ("idempotency",),
}
ERASES = {
    "SELECT": EVERYTHING,
    "INSERT": ("entry", "node", "payload", "data_key"),
    f"UPDATE {ADVANCED}": ("log_head",),
    "UPDATE (body_tag)": ("idempotency",),
    "DELETE": ("payload", "data_key", "subject_index"),
}


def grant(engine: Engine, serving: str | None, erasing: str | None) -> None:
    """Gives the two roles, which must exist, exactly these rights and takes back all others.

    Errors: SetupError on SQLite, which has no roles, and for a role that does not exist; Unavailable.
    """
    if is_sqlite(engine):
        raise SetupError("SQLite has no roles: who may read the file may do everything.")
    wanted = [(role, rights) for role, rights in ((serving, SERVES), (erasing, ERASES)) if role]
    for role, _ in wanted:
        _demand_role(engine, role)
    quote = engine.dialect.identifier_preparer.quote_identifier
    with write_transaction(engine) as connection:
        for role, rights in wanted:
            connection.execute(text(f"REVOKE ALL ON {', '.join(EVERYTHING)} FROM {quote(role)}"))
            for right, tables in rights.items():
                connection.execute(text(f"GRANT {right} ON {', '.join(tables)} TO {quote(role)}"))


def owns_tables(engine: Engine) -> bool:
    """Whether this role could switch the append-only triggers off; always so on SQLite."""
    if is_sqlite(engine):
        return True
    query = "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'entry'::regclass"
    with read_transaction(engine) as connection:
        return bool(connection.execute(text(query)).scalar_one())


def _demand_role(engine: Engine, role: str) -> None:
    with read_transaction(engine) as connection:
        known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first()
    if known is None:
        raise SetupError("One of the roles does not exist: make it first (CREATE ROLE name LOGIN PASSWORD ...).")
