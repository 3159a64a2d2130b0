"""Commands that look after a deployment: keys, database, erasure. Imports only what each command needs."""

import sys
from typing import TYPE_CHECKING

import click

from app.purposes import ERASURE_REASONS, KEY_PURPOSES
from app.settings import read_settings

if TYPE_CHECKING:
    from app.audit.rotation import Rotated


@click.group()
def keys() -> None:
    """The keys below DAYZERO_HOME/keys. docs/keys.md says what each is for and what a lost or stolen one means."""


@keys.command("create")
def keys_create() -> None:
    """Create the keys that are missing; never replaces one that exists."""
    from app.keys import create_keys  # noqa: PLC0415

    made = create_keys(read_settings().home)
    click.echo(f"Created: {', '.join(made)}." if made else "All keys exist already; nothing was changed.")


@keys.command("show")
def keys_show() -> None:
    """Print the public id of each key, and the verifier key of the log's checkpoints.

    The verifier key is what auditors and the witness check with: hand it to them yourself, not through the service.
    """
    from app.audit.signing import Checkpoints  # noqa: PLC0415
    from app.storage import open_store  # noqa: PLC0415

    settings = read_settings()
    engine, own_keys = open_store(settings)
    for purpose, identity in own_keys.ids.items():
        click.echo(f"{purpose}: {identity}")
    now, *earlier = Checkpoints(engine, own_keys, settings.origin).verifiers
    click.echo(f"verifier: {now}")
    for verifier in earlier:
        click.echo(f"verifier before a rotation: {verifier}")


@keys.command("rotate")
@click.argument("purpose", type=click.Choice(KEY_PURPOSES))
def keys_rotate(purpose: str) -> None:
    """Exchange one key for a new one, and bring older records under it. Restart every process of the service afterwards.

    Of the note key's rotation the handover note goes to standard output alone: `dayzero keys rotate note > handover.note`.
    May be interrupted and run again. Needs the owner's database role (DAYZERO_MIGRATION_URL) on PostgreSQL. With several
    machines, run it on one and copy DAYZERO_HOME/keys to the others.
    """
    from app.audit.rotation import Rotation  # noqa: PLC0415
    from app.database import check_schema, open_database  # noqa: PLC0415
    from app.progress import checking_bar  # noqa: PLC0415
    from app.storage import LOCAL_ISSUER, local_subject  # noqa: PLC0415

    settings = read_settings()
    engine = open_database(settings.migration_database)
    check_schema(engine)
    rotation = Rotation(settings.home, engine, LOCAL_ISSUER, local_subject(), settings.origin, settings.witness_state)
    with checking_bar() as progress:
        done = rotation.rotate(purpose, progress)
    _tell_rotated(purpose, done)


def _tell_rotated(purpose: str, done: "Rotated") -> None:
    aside = done.handover is not None
    if done.before == done.after:
        click.echo(f"An interrupted rotation of the {purpose} key was finished: {done.after}.", err=aside)
    else:
        click.echo(f"{purpose}: {done.before} -> {done.after}", err=aside)
    if purpose in {"index", "encryption"}:
        click.echo(f"{done.changed} records brought under the new key.")
    if done.left:
        click.echo(
            f"{done.left} records do not open and stay under the old key, which is kept: run `dayzero audit verify --open`, "
            "restore them, and rotate again.",
            err=True,
        )
    if done.handover is not None:
        click.echo(done.handover.decode(), nl=False)
        click.echo(
            "Auditors and the witness need this note, which both keys signed, and the new verifier key.", err=True
        )
    click.echo("Restart every process of the service now.", err=True)


@click.group()
def db() -> None:
    """The database of DAYZERO_DATABASE_URL, as its owner (DAYZERO_MIGRATION_URL)."""


@db.command("upgrade")
@click.option("--serving-role", help="PostgreSQL: the role of DAYZERO_DATABASE_URL; gets just what serving needs.")
@click.option("--erasing-role", help="PostgreSQL: the role of DAYZERO_ERASURE_URL; gets just what erasing needs.")
def db_upgrade(serving_role: str | None, erasing_role: str | None) -> None:
    """Create or migrate the tables. SQLite does this by itself on `serve`; PostgreSQL never does."""
    from app.database import open_database, upgrade  # noqa: PLC0415
    from app.database_roles import grant  # noqa: PLC0415

    engine = open_database(read_settings().migration_database)
    upgrade(engine)
    if serving_role or erasing_role:
        grant(engine, serving_role, erasing_role)
    click.echo("The database is up to date.")


@db.command("scrub")
def db_scrub() -> None:
    """Rewrite the parts of the database files that erasures left unused, so that nothing of them can be read there.

    Locks one table after the other (SQLite: the file) while it is rewritten; do it in a quiet hour. docs/erasure.md says
    what a PostgreSQL administrator has to do besides.
    """
    from app.audit.erasing import scrub  # noqa: PLC0415
    from app.database import check_schema, open_database  # noqa: PLC0415

    engine = open_database(read_settings().migration_database)
    check_schema(engine)
    scrub(engine)
    click.echo("The tables that hold contents were rewritten.")


@click.command()
@click.option("--authority", required=True, help="Reference of the decision, such as a case number; no names.")
@click.option("--reason", required=True, type=click.Choice(ERASURE_REASONS))
@click.option("--yes", is_flag=True, help="Do not ask again.")
def erase(authority: str, reason: str, yes: bool) -> None:
    """Erase everything that is held on one nominal. Their id is asked for, or read from standard input.

    (An id on the command line would stay in the shell's history.) It cannot be undone. The ledger keeps the proof that
    records were there and were erased, on which authority; docs/erasure.md says what is left to do afterwards.
    """
    from app.audit.erasing import Eraser, Order  # noqa: PLC0415
    from app.audit.erasure_routes import ErasureRequest, remaining  # noqa: PLC0415
    from app.database import is_sqlite, open_database  # noqa: PLC0415
    from app.forms import check_form  # noqa: PLC0415
    from app.storage import LOCAL_ISSUER, local_subject, open_store  # noqa: PLC0415

    settings = read_settings()
    nominal_id = click.prompt("Nominal id") if sys.stdin.isatty() else sys.stdin.readline().strip()
    asked = {"nominal_id": nominal_id, "authority": authority, "reason": reason}
    wanted = check_form(asked, ErasureRequest)
    if not yes and sys.stdin.isatty():
        click.confirm("Erase all that is held on this nominal? It cannot be undone.", abort=True)
    engine, own_keys = open_store(settings)
    eraser = Eraser(open_database(settings.erasure_database), own_keys)
    done = eraser.erase(Order(wanted.nominal_id, LOCAL_ISSUER, local_subject(), wanted.authority, wanted.reason))
    click.echo(f"{done.records} records erased; recorded as {done.appended.sequence}, {done.appended.leaf_hash}")
    for place in remaining(sqlite=is_sqlite(engine), log_emptied=done.log_emptied):
        click.echo(f"still to go: {place}")
