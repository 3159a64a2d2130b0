"""`dayzero audit table`: a table of scores held against the ledger. Imports what it needs when it runs."""

from pathlib import Path

import click

from app.errors import SetupError, VerificationFailed
from app.settings import read_settings


@click.command("table")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def table(file: Path) -> None:
    """Check a table that `dayzero score EXTRACT --record batch` wrote: recompute every row's hash and hold it against the ledger.

    Told are rows that were changed, are missing or were added, and how many are erased. Needs the ledger and the keys of
    DAYZERO_HOME; `dayzero audit verify` checks the ledger itself. Exit code 1 where anything differs.
    """
    from app.audit.store import Store  # noqa: PLC0415
    from app.bulk.sources import NEEDS_ARROW  # noqa: PLC0415
    from app.storage import open_store  # noqa: PLC0415

    try:
        from app.bulk.table.check import check_table  # noqa: PLC0415 - Arrow is an extra
    except ImportError:
        raise SetupError(NEEDS_ARROW) from None
    report = check_table(file, Store(*open_store(read_settings())))
    for line in report.wrong:
        click.echo(line, err=True)
    if report.untold:
        click.echo(f"and {report.untold} more", err=True)
    click.echo(f"{report.rows} rows in {report.batches} batches, {report.erased} of them erased")
    if report.wrong:
        raise VerificationFailed("The table is not as it was recorded; what was found stands above.")
    click.echo("Every row is as it was recorded, and none is missing.")
