"""`dayzero`: serve, score, check. Exit code 0, 1 a check failed, 2 usage; one line on stderr, never a traceback."""

import csv
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import app
from app.artifact_commands import artifacts
from app.audit.commands import audit
from app.bulk.commands import table
from app.errors import DayZeroError, Fault, InputError, SetupError, VerificationFailed
from app.scopes import MAX_HOURS, SCOPES
from app.settings import read_settings
from app.upkeep import db, erase, keys

if TYPE_CHECKING:
    from app.harm.explaining import By
    from app.harm.targets import Of

DEFAULT_SUBJECT = "local"


class OneLineErrors(click.Group):
    """Turns every error raised on purpose into one line and exit code 1."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except DayZeroError as error:
            faults = "; ".join(_told(fault) for fault in error.faults[:10])
            click.echo(f"{context.info_name}: {error.detail} {faults}".rstrip(), err=True)
            context.exit(1)
        except OSError as error:
            click.echo(f"{context.info_name}: {error.filename or 'the file'}: {error.strerror}", err=True)
            context.exit(1)


def _told(fault: Fault) -> str:
    words = f" (one of {', '.join(fault.allowed)})" if fault.allowed else ""
    return f"{fault.pointer or '/'}: {fault.rule}{words}"


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(app.__version__, prog_name="dayzero")
def main() -> None:
    """Day Zero: score stalking nominals, explain each score, and keep a record nobody can quietly alter.

    Settings come from the environment, DAYZERO_ in front: DAYZERO_HOME (data and keys), DAYZERO_ARTIFACTS (models),
    DAYZERO_DATABASE_URL, DAYZERO_HOST, DAYZERO_PORT, DAYZERO_TIMEZONE. docs/settings.md lists them all.
    """


@main.command()
@click.option("--host", help="Address to listen on (default: DAYZERO_HOST, else 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: DAYZERO_PORT, else 8000).")
def serve(host: str | None, port: int | None) -> None:
    """Run the service until it is told to stop (SIGTERM or Ctrl-C)."""
    gc.disable()  # what a start makes stays: looking through it for garbage takes a tenth of the start
    from app.serving import serve as run  # noqa: PLC0415 - each command loads only what it needs

    run(read_settings(), host, port)


@main.command()
@click.option(
    "--subject", default=DEFAULT_SUBJECT, show_default=True, help="Who the token speaks for; goes into the record."
)
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="What it allows; repeat."
)
@click.option("--hours", type=click.FloatRange(0.01, MAX_HOURS), default=MAX_HOURS, show_default=True, help="Validity.")
def token(subject: str, scopes: tuple[str, ...], hours: float) -> None:
    """Print a bearer token for this machine. No scope implies another.

    Where an identity provider is set (DAYZERO_JWKS_URL) the service takes its tokens only, unless DAYZERO_LOCAL_TOKENS=true.
    """
    from app.security import issue_token  # noqa: PLC0415
    from app.storage import open_store  # noqa: PLC0415

    settings = read_settings()
    if not settings.takes_local_tokens:
        raise SetupError(
            "Local tokens are off here: the service takes those of the identity provider (DAYZERO_JWKS_URL). Get one "
            "there, or set DAYZERO_LOCAL_TOKENS=true for the service and for this command."
        )
    _, own_keys = open_store(settings)
    click.echo(issue_token(own_keys, subject, scopes, hours))


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def features(file: Path) -> None:
    """Print the 20 rows of features of a request (JSON, as posted to /score) as CSV, oldest first.

    Rows a nominal does not have are zeros. Anyone may check the arithmetic against docs/features.md.
    """
    from app.harm.features import FEATURES  # noqa: PLC0415
    from app.harm.history import build_case  # noqa: PLC0415
    from app.harm.records import read_request  # noqa: PLC0415
    from app.harm.service import load_scorer  # noqa: PLC0415

    settings = read_settings()
    scorer = load_scorer(settings.artifacts, settings.harm_index, settings.artifact_keys)
    request = read_request(file.read_bytes())
    model = scorer.model_for(request)
    case = build_case(request, scorer.index, settings.today(), model.bundle.manifest.subject)
    table = scorer.features(case, model)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(FEATURES)
    writer.writerows([[f"{value:.9g}" for value in row] for row in table[0].tolist()])


@main.command()
@click.argument("given", metavar="FILE|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write here instead of the terminal: Parquet where the name ends in .parquet, else NDJSON.",
)
@click.option("--server", help="Send to this service (bearer token in DAYZERO_TOKEN) instead of scoring here.")
@click.option("--scheduler", help="Score on the Dask cluster of this scheduler, such as tls://scheduler:8786.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="Processes (batches: threads) to score in here (default: one a core)."
)
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Extracts: the day to score for (default: their last day)."
)
@click.option(
    "--explain",
    type=click.Choice(["none", "factors"]),
    default="none",
    show_default=True,
    help="Extracts: explain too.",
)
@click.option("--model", help="Extracts: the model family to ask (default: stalking-nominal).")
@click.option(
    "--record",
    type=click.Choice(["batch", "each"]),
    help="Extracts: what the ledger gets: a record for each nominal, or for each batch of a table (see docs/bulk.md).",
)
def score(given: Path, **options: Any) -> None:
    """Score one request (JSON), many (NDJSON, one request a line), or everyone of an extract folder (docs/bulk.md).

    Without --server they are recorded in the ledger of DAYZERO_HOME as `local:<your user name>`. What cannot be scored gives a
    problem in its place and exit code 1 at the end. With --out, a run that was cut off goes on when it is started again
    with the same arguments, and scores nobody twice; --server begins anew.
    """
    from app.bulk.run import Options  # noqa: PLC0415
    from app.bulk.run import score as run  # noqa: PLC0415
    from app.storage import local_subject  # noqa: PLC0415

    if options["server"] and options["scheduler"]:
        raise click.UsageError("--server and --scheduler exclude each other.")
    as_of = options.pop("as_of")
    chosen = Options(**options, as_of=as_of and as_of.date(), token=os.environ.get("DAYZERO_TOKEN"))
    failed = run(read_settings(), given, chosen, local_subject())
    if failed:
        raise InputError(f"{failed} of the requests could not be scored; the problems stand in their places.")


@main.command()
@click.argument("score_id")
def replay(score_id: str) -> None:
    """Score a stored request again with the artefact that made its score, and print what differs, as JSON.

    Exit code 0 where all is identical, or within 1e-6 on another kind of machine; 1 where anything else differs.
    """
    from app.replaying import replay_score  # noqa: PLC0415
    from app.storage import local_subject  # noqa: PLC0415

    answer = replay_score(read_settings(), score_id, local_subject())
    click.echo(answer.model_dump_json(indent=1))
    if answer.result == "different":
        raise VerificationFailed(f"{len(answer.differences)} fields came out otherwise than they are stored.")


@main.command()
@click.argument("score_id")
@click.option(
    "--by", type=click.Choice(["factors", "incidents"]), default="factors", show_default=True, help="The view."
)
@click.option(
    "--of",
    type=click.Choice(["harm", "survival"]),
    default="harm",
    show_default=True,
    help="The highest group of harm, or one year without a further incident.",
)
@click.option("--as", "form", type=click.Choice(["words", "json", "svg"]), default="words", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of the terminal.")
def explain(score_id: str, by: "By", of: "Of", form: str, out: Path | None) -> None:
    """Explain a score in the ledger of DAYZERO_HOME, whatever it was given with.

    The same numbers as GET /scores/{id}/explanation, to the bit. The reading is recorded as `local:<your user name>`.
    """
    from app.explain_command import explain_stored  # noqa: PLC0415
    from app.files import written_whole  # noqa: PLC0415
    from app.media import JSON, SVG, TEXT  # noqa: PLC0415
    from app.storage import local_subject  # noqa: PLC0415

    media = {"words": TEXT, "json": JSON, "svg": SVG}[form]
    view = explain_stored(read_settings(), score_id, by, of, media, local_subject()).rstrip("\n")
    if out is None:
        click.echo(view)
        return
    with written_whole(out, private=True) as file:
        file.write(f"{view}\n".encode())


@main.group("harm-index")
def harm_index() -> None:
    """The table of offence codes and their harm."""


@harm_index.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def harm_index_import(file: Path) -> None:
    """Replace the harm index by the official CCHI workbook, saved as CSV.

    The new table goes to DAYZERO_HOME and is used from the next start on, by training too. A model that learnt with
    another table refuses to score until it is fitted again.
    """
    from app.harm.harm_index import index_in_force  # noqa: PLC0415
    from app.harm.harm_workbook import import_workbook  # noqa: PLC0415

    settings = read_settings()
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    report = import_workbook(file, index_in_force(settings.harm_index), settings.harm_index)
    for unusable in report.unusable:
        click.echo(f"row {unusable.row} not used: {unusable.reason}", err=True)
    for found in report.disagreements:
        scores = ", ".join(f"{days:g}" for days in found.scores)
        click.echo(f"{found.code}: rows disagree ({scores}); {found.taken:g} taken", err=True)
    click.echo(
        f"{report.rows} rows read, {report.imported} codes imported ({len(report.added)} of them new), "
        f"{len(report.kept)} kept as they were, {len(report.unusable)} rows not used. Written: {settings.harm_index}"
    )
    click.echo("Fit the models again: an artefact that learnt with another table does not answer.")


main.add_command(artifacts)
audit.add_command(table)
main.add_command(audit)
main.add_command(keys)
main.add_command(db)
main.add_command(erase)


if __name__ == "__main__":
    main()
