"""How often the log's keys were rotated: a process that loaded its keys before the last time must not append with them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("log_head", sa.Column("key_epoch", sa.Integer, nullable=False, server_default="0"))
