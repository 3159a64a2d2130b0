"""`make torture`: every promise of the ledger, tried many times on this machine, as one table.

The full run takes an hour or more on two cores; `--share 0.01` takes minutes. Needs PostgreSQL's `initdb` and `postgres`, or
DAYZERO_TEST_POSTGRES; as root also tries a full disk, with faketime installed also a wrong clock.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tests.databases import Postgres, running_postgres
from tests.torture import clean, kills, outages, rates, tampering
from tests.torture.report import Row, Scale


def trials(scale: Scale, server: Postgres) -> dict[str, Callable[[], list[Row]]]:
    """Every part of the run by name, in the order of the table."""
    return {
        "tampering": partial(tampering.try_all, scale),
        "false-alarms": partial(clean.try_checks, scale, server),
        "kills": partial(kills.try_workers, scale, server),
        "crashes": partial(kills.try_server, scale, server),
        "exactly-once": partial(kills.try_exactly_once, scale, server),
        "no-gaps": partial(kills.try_no_gaps, scale, server),
        "rates": partial(rates.try_writers, scale, server),
        "large-log": partial(rates.try_large_log, scale, server),
        "disk": partial(outages.try_disk, scale),
        "database": partial(outages.try_database, scale, server),
        "clock": partial(outages.try_clock, scale),
        "bits": partial(outages.try_bits, scale),
        "slow-clients": partial(outages.try_slow_clients, scale),
    }


def run(
    scale: Scale, only: tuple[str, ...] = (), told: Callable[[str, float], None] = lambda *_: None
) -> Iterator[Row]:
    """The rows, as they come; `told` hears which part took how many seconds."""
    with running_postgres() as server:
        for name, trial in trials(scale, server).items():
            if not only or name in only:
                began = time.monotonic()
                yield from trial()
                told(name, time.monotonic() - began)


@click.command(help=__doc__)
@click.option(
    "--share", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Of all tries."
)
@click.option("--only", multiple=True, help="Just this part; may be given again.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table as Markdown.")
def main(share: float, only: tuple[str, ...], out: Path | None) -> None:
    """Exit code 1 where a promise was not held."""
    progress = Console(stderr=True)
    rows = []
    for row in run(Scale(share), only, lambda name, seconds: progress.print(f"{name}: {seconds:.0f} s")):
        rows.append(row)
        progress.print(f"{row.promise} ({row.where}): {row.result}", style="green" if row.held else "bold red")
    Console(width=150).print(_table(rows))
    if out is not None:
        out.write_text(_markdown(rows), encoding="utf-8")
    sys.exit(0 if all(row.held for row in rows) else 1)


def _table(rows: list[Row]) -> Table:
    table = Table("promise", "where", "tries", "result", "target", "")
    for row in rows:
        verdict = "[green]held[/]" if row.held and row.target else "[bold red]NOT HELD[/]" if not row.held else ""
        table.add_row(row.promise, row.where, f"{row.tries:,}", row.result, row.target, verdict)
    return table


def _markdown(rows: list[Row]) -> str:
    lines = ["| promise | where | tries | result | target | |", "|---|---|---|---|---|---|"]
    for row in rows:
        verdict = "held" if row.held and row.target else "**not held**" if not row.held else ""
        lines.append(f"| {row.promise} | {row.where} | {row.tries:,} | {row.result} | {row.target} | {verdict} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
