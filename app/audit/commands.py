"""`dayzero audit`: what is checked, exported and cosigned from a terminal. Imports only what each command needs."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from app.errors import SetupError, VerificationFailed
from app.files import written_whole
from app.progress import checking_bar
from app.settings import read_settings

if TYPE_CHECKING:
    from app.audit.checking import Progress, Report
    from app.audit.checkpoint import Checkpoint
    from app.audit.note import Verifier
    from app.audit.witness import Source

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
KEY_HELP = "The log's verifier key, as `dayzero keys show` prints it; get it from its owner, not from the file."
ORIGIN_HELP = "Name of the log; the key must be of this name."
Command = TypeVar("Command", bound=Callable[..., None])


@click.group()
def audit() -> None:
    """Check, export and witness the audit ledger. docs/auditors.md says what each check proves."""


def key_options(required: bool) -> Callable[[Command], Command]:
    """--key and --origin, the two things an auditor was given beforehand."""

    def add(command: Command) -> Command:
        with_origin = click.option("--origin", required=required, help=ORIGIN_HELP)(command)
        return click.option("--key", "vkey", required=required, metavar="VKEY", help=KEY_HELP)(with_origin)

    return add


@audit.command("verify")
@click.argument("export", required=False, type=FILE)
@click.option(
    "--since", type=FILE, help="A checkpoint kept from an earlier day; the log must continue it. Needs --key."
)
@click.option("--key", "vkeys", multiple=True, metavar="VKEY", help=f"{KEY_HELP} Once for each key the log has had.")
@click.option("--origin", help=ORIGIN_HELP)
@click.option("--open", "every", is_flag=True, help="Also open every sealed payload with the keys of DAYZERO_HOME.")
def verify(export: Path | None, since: Path | None, vkeys: tuple[str, ...], origin: str | None, every: bool) -> None:
    """Recompute the whole ledger and compare: leaves, tree, order, times, sealed payloads, checkpoints.

    Without EXPORT the database of DAYZERO_HOME or DAYZERO_DATABASE_URL is checked; with it a file written by
    `dayzero audit export`, for which neither database nor secrets are needed, or a receipt. Where the keys are at hand,
    records without content are held against the erasures. Exit code 1 where anything differs.
    """
    from app.audit.checkpoint import open_checkpoint  # noqa: PLC0415
    from app.audit.receipt import MAX_RECEIPT_BYTES, is_receipt  # noqa: PLC0415

    if not vkeys and (since is not None or origin is not None):
        raise click.UsageError("--since and --origin need --key.")
    if export is not None and every:
        raise click.UsageError("--open is for the database: an export holds no payloads.")
    verifiers = [_verifier(vkey, origin) for vkey in vkeys]
    if export is not None and export.stat().st_size <= MAX_RECEIPT_BYTES and is_receipt(export.read_bytes()):
        if not verifiers:
            raise click.UsageError("A receipt is checked with --key.")
        _show_receipt(export, verifiers)
        return
    old = open_checkpoint(since.read_bytes(), *verifiers) if since else None
    with checking_bar() as progress:
        if export is not None:
            faults, report = _verify_file(export, verifiers, old, progress)
        else:
            faults, report = _verify_database(verifiers, old, progress, every=every)
    _tell(faults, report)
    signed = "" if export is None or not verifiers else "The file carries the log's signature. "
    click.echo(f"Every record is as it was appended. {signed}{report.caveat}")


@audit.command("export")
@click.option("--out", required=True, type=NEW_FILE, help="File to write.")
@click.option("--format", "kind", type=click.Choice(["ndjson", "csv"]), default="ndjson", show_default=True)
def export(out: Path, kind: str) -> None:
    """Write the ledger's public part: NDJSON is evidence that `dayzero audit verify FILE` checks anywhere, CSV a table.

    The export is recorded as `local:<your user name>`, and covered by a checkpoint signed for it.
    """
    from app.audit.export import export_csv, export_ndjson  # noqa: PLC0415
    from app.audit.local import LocalLog  # noqa: PLC0415

    log = LocalLog(read_settings())
    signed = log.record("export", {"command": "audit export", "format": kind})
    write = export_csv if kind == "csv" else export_ndjson
    with written_whole(out) as file:
        file.writelines(write(log.engine, signed))
    click.echo(f"Written: {out}, {signed.checkpoint.size} records")


@audit.command("receipt")
@click.argument("score_id")
@click.option("--out", required=True, type=NEW_FILE, help="File to write.")
def receipt(score_id: str, out: Path) -> None:
    """Write all that anyone needs to check that one score stands in the ledger: record, proof, checkpoint, key.

    It holds no personal data: the record's public part only. Making one is recorded as `local:<your user name>`.
    """
    from app.audit.local import LocalLog  # noqa: PLC0415
    from app.audit.receipt import make_receipt  # noqa: PLC0415

    log = LocalLog(read_settings())
    entry = log.store.entry_of(score_id)
    signed = log.record("read", {"command": "audit receipt", "score_id": score_id})
    with written_whole(out) as file:
        file.write(make_receipt(log.engine, entry, signed, log.checkpoints.verifier))
    click.echo(f"Written: {out}, record {entry.sequence} of {signed.checkpoint.size}")


@audit.command("verify-receipt")
@click.argument("file", type=FILE)
@click.option("--key", "vkey", required=True, metavar="VKEY", help=KEY_HELP)
def verify_receipt(file: Path, vkey: str) -> None:
    """Check a receipt, anywhere and offline: the signature, and that the proof leads from the record to its root."""
    _show_receipt(file, [_verifier(vkey, None)])


@audit.command("witness")
@click.option("--state", required=True, type=NEW_FILE, help="The witness's memory; its key lies beside it.")
@key_options(required=True)
@click.option("--trust-first", is_flag=True, help="Allow the first run, after the key was compared by other means.")
@click.option(
    "--name", default="dayzero-witness", show_default=True, help="Name of the witness; taken at the first run."
)
@click.option("--server", metavar="URL", help="Ask this service (bearer token with scope audit in DAYZERO_TOKEN).")
@click.option("--checkpoint", type=FILE, help="Or read the checkpoint from this file ...")
@click.option("--proof", type=FILE, help="... and the consistency proof, as the service gives it, from this one.")
def witness(
    state: Path, vkey: str, origin: str, trust_first: bool, name: str, server: str | None, checkpoint: Path | None,
    proof: Path | None,
) -> None:  # fmt: skip
    """Cosign the ledger's newest checkpoint, if it continues the one cosigned last; refuse, with exit code 1, if not.

    Run it on another machine, under another owner, every hour. Prints the cosigned note; --state is the same note.
    """
    from app.audit.witness import Witness  # noqa: PLC0415
    from app.audit.witness_sources import FileSource, ServerSource  # noqa: PLC0415

    if (server is None) == (checkpoint is None) or (proof is not None and checkpoint is None):
        raise click.UsageError("Give either --server, or --checkpoint and --proof.")
    source: Source
    if checkpoint is not None:
        source = FileSource(checkpoint, proof)
    else:
        source = ServerSource(server or "", os.environ.get("DAYZERO_TOKEN"))
    own = Witness(state, _verifier(vkey, origin), name)
    cosigned = own.cosign(source, trust_first=trust_first)
    click.echo(cosigned.note.decode(), nl=False)
    compared = "seen for the first time" if cosigned.before is None else f"continues {cosigned.before} records"
    click.echo(f"Cosigned {cosigned.checkpoint.size} records, {compared}. Witness key: {own.verifier()}", err=True)


def _verifier(vkey: str, origin: str | None) -> "Verifier":
    from app.audit.note import LOG, parse_verifier  # noqa: PLC0415

    verifier = parse_verifier(vkey)
    if verifier.kind != LOG or (origin is not None and origin != verifier.name):
        raise VerificationFailed("The key is not that of the log of this origin.")
    return verifier


def _verify_file(
    export: Path, verifiers: "Sequence[Verifier]", since: "Checkpoint | None", progress: "Progress"
) -> tuple[list[str], "Report"]:
    from app.audit.export import verify_export  # noqa: PLC0415

    return [], verify_export(export, progress, verifiers=verifiers, since=since)


def _verify_database(
    verifiers: "Sequence[Verifier]", since: "Checkpoint | None", progress: "Progress", *, every: bool
) -> tuple[list[str], "Report"]:
    from app.audit.contents import Contents  # noqa: PLC0415
    from app.audit.verify import verify_database  # noqa: PLC0415
    from app.database import REVISION, current_revision, open_database, schema_faults  # noqa: PLC0415
    from app.keys import load_keys  # noqa: PLC0415

    settings = read_settings()
    engine = open_database(settings.database)
    revision = current_revision(engine)
    if revision is None:
        raise SetupError("There is no ledger in this database yet.")
    if revision < REVISION:
        raise SetupError(
            "The database was written by an older Day Zero: run `dayzero db upgrade`, on a copy if it is evidence."
        )
    contents = None
    try:
        contents = Contents(engine, load_keys(settings.home, engine), every=every)
    except SetupError as error:
        if every:
            raise
        click.echo(f"Without the keys it is not checked who erased what was erased: {error.detail}", err=True)
    report = verify_database(engine, progress, verifiers=verifiers, since=since, contents=contents)
    return schema_faults(engine), report


def _tell(faults: list[str], report: "Report") -> None:
    """Errors: VerificationFailed where anything was found."""
    for fault in faults:
        click.echo(f"the database: {fault}", err=True)
    for problem in report.problems:
        place = "the log as a whole" if problem.sequence is None else f"record {problem.sequence}"
        click.echo(f"{place}: {problem.what}", err=True)
    click.echo(f"log {report.log_id}: {report.size} records, {report.erased} erased, root {report.root}")
    if faults or not report.ok:
        raise VerificationFailed("The ledger is not as it should be; what was found stands above.")


def _show_receipt(file: Path, verifiers: "Sequence[Verifier]") -> None:
    from app.audit.receipt import MAX_RECEIPT_BYTES  # noqa: PLC0415
    from app.audit.receipt import verify_receipt as check  # noqa: PLC0415

    with file.open("rb") as opened:
        proven = check(opened.read(MAX_RECEIPT_BYTES + 1), *verifiers)
    envelope = proven.envelope
    click.echo(f"{envelope.event} {envelope.record_id}, recorded {envelope.time}, purpose {envelope.purpose}")
    click.echo(f"record {proven.sequence}, leaf {proven.leaf_hash}")
    if envelope.manifest_sha256 is not None:
        click.echo(f"model manifest {envelope.manifest_sha256}")
    covered = f"the checkpoint of {proven.checkpoint.size} records of {proven.checkpoint.origin}"
    click.echo(f"The record stands in the log: the proof leads to {covered}, checked {datetime.now(UTC):%Y-%m-%d}.")
