"""The ledger's tables as the migrations make them; a test compares the two."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, SmallInteger, String, Table

metadata = MetaData()

log_head = Table(
    "log_head",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("log_id", String(36), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("last_time", BigInteger, nullable=False),
    Column("key_epoch", Integer, nullable=False, server_default="0"),
)
"""One row, id 1: the tree's size and frontier, the latest time in it (microseconds since 1970), rotations of keys so far."""

entry = Table(
    "entry",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("record_id", String(36), nullable=False, unique=True),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Column("event", String(32), nullable=False),
    Column("actor_ref", LargeBinary(32), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("manifest", LargeBinary(32)),
    Column("envelope", LargeBinary, nullable=False),
)
"""`envelope` is the exact leaf; the columns before it copy some of its fields, to search by, and are checked against it."""

node = Table(
    "node",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)
"""Perfect subtrees of two leaves and more; the leaves' own hashes are in entry."""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", LargeBinary, nullable=False),
)
"""Signed notes, each over the first `size` records."""

payload = Table(
    "payload",
    metadata,
    Column("record_id", String(36), primary_key=True),
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
)

data_key = Table(
    "data_key",
    metadata,
    Column("record_id", String(36), primary_key=True),
    Column("wrapped_key", LargeBinary(60), nullable=False),
    Column("kek_id", String(16), nullable=False),
)
"""No row here for an entry means that its payload was erased."""

subject_index = Table(
    "subject_index",
    metadata,
    Column("tag", LargeBinary(32), primary_key=True),
    Column("record_id", String(36), primary_key=True),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_tag", LargeBinary(32), primary_key=True),
    Column("actor_ref", LargeBinary(32), nullable=False),
    Column("route", String(64), nullable=False),
    Column("body_tag", LargeBinary(32), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""`key_tag` covers actor, route and key. Tags are keyed hashes: a bare hash of a key or body could be guessed back."""
