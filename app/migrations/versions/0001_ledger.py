"""The audit ledger: append-only tree, encrypted payloads, look-up tables.

There is no way back: a downgrade would drop the record of everything the service did.
Later revisions must not use Alembic's batch mode on entry, node or checkpoint: it loses a table's triggers.
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

HASH = sa.LargeBinary(32)
APPEND_ONLY = {"entry": ("sequence", "record_id"), "node": ("level", '"index"'), "checkpoint": ("size",)}


def upgrade() -> None:
    _tree_tables()
    _payload_tables()
    _lookup_tables()
    refuse = _sqlite_triggers if op.get_bind().dialect.name == "sqlite" else _postgres_triggers
    refuse()


def _tree_tables() -> None:
    head = op.create_table(
        "log_head",
        sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1", name="log_head_one_row"), primary_key=True),
        sa.Column("log_id", sa.String(36), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("last_time", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "log_id": str(uuid4()), "size": 0, "frontier": b"", "last_time": 0}])
    op.create_table(
        "entry",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
        ),
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("leaf_hash", HASH, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("actor_ref", HASH, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("manifest", HASH),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("record_id", name="entry_record_id"),
    )
    for column in ("event", "actor_ref", "manifest"):  # times rise with the sequence and need no index
        op.create_index(f"entry_{column}", "entry", [column, "sequence"])
    op.create_table(
        "node",
        sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", HASH, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
    )


def _payload_tables() -> None:
    op.create_table(
        "payload",
        sa.Column("record_id", sa.String(36), primary_key=True),
        sa.Column("nonce", sa.LargeBinary(12), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "data_key",
        sa.Column("record_id", sa.String(36), primary_key=True),
        sa.Column("wrapped_key", sa.LargeBinary(60), nullable=False),
        sa.Column("kek_id", sa.String(16), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_key",
        sa.Column("purpose", sa.String(16), primary_key=True),
        sa.Column("key_id", sa.String(16), nullable=False),
    )


def _lookup_tables() -> None:
    op.create_table(
        "subject_index",
        sa.Column("tag", HASH, primary_key=True),
        sa.Column("record_id", sa.String(36), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("subject_index_record_id", "subject_index", ["record_id"])
    op.create_table(
        "idempotency",
        sa.Column("key_tag", HASH, primary_key=True),
        sa.Column("actor_ref", HASH, nullable=False),
        sa.Column("route", sa.String(64), nullable=False),
        sa.Column("body_tag", HASH, nullable=False),
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_created_at", "idempotency", ["created_at"])


def _sqlite_triggers() -> None:
    """The third one exists because INSERT OR REPLACE removes the old row without firing a DELETE trigger."""
    for table, keys in APPEND_ONLY.items():
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for action in ("update", "delete"):
            op.execute(f"CREATE TRIGGER {table}_refuse_{action} BEFORE {action.upper()} ON {table} {refuse}")
        op.execute(
            f"CREATE TRIGGER {table}_refuse_insert BEFORE INSERT ON {table} WHEN {_exists(table, keys)} {refuse}"
        )


def _exists(table: str, keys: tuple[str, ...]) -> str:
    """SQL: whether a row with the new row's key stands. entry has two keys of one column, node one key of two."""
    same = [f"{key} = NEW.{key}" for key in keys]
    alternatives = [" AND ".join(same)] if table == "node" else same
    return " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {one})" for one in alternatives)  # noqa: S608


def _postgres_triggers() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        for name, actions in ((f"{table}_refuse_change", "UPDATE OR DELETE"), (f"{table}_refuse_truncate", "TRUNCATE")):
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {actions} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
