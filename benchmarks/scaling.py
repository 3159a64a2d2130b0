"""What a national service needs, computed from measured costs: `python -m benchmarks.scaling --help`.

`--bulk` is the file that `python -m benchmarks.bulk --keep FILE` wrote, with runs of both kinds of record; the other figures
are those of `benchmarks.compare` (one score with its durable record) and of `make torture` (records a second). Prints the table
of docs/scaling.md.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import click

WEEKS = 52
HOURS_A_YEAR = 365 * 24
FORCES = 43


class Demand(NamedTuple):
    """Who has to be scored. `crimes` of stalking recorded in a year; whoever had one within the year is scored again each week.

    One nominal for each crime is the most there can be: repeat offenders make it fewer.
    """

    name: str
    crimes: int

    @property
    def rescored(self) -> int:
        """Everyone again each week, in a year."""
        return WEEKS * self.crimes


NATION = Demand("England and Wales", 117_973)
"""Crimes recorded as stalking, year to March 2022 (the report, section 1, after the Home Office)."""
LARGEST = Demand("West Midlands", 7_956)
"""Stalking incidents in the same year, reclassified harassment between partners included (the report, section 2.1)."""
AVERAGE = Demand("an average force", NATION.crimes // FORCES)
PEAK_SHARE = 0.1
"""Of a week's new crimes that are sent in its busiest hour: an assumption, on the safe side of an even 0.6 %."""


class Costs(NamedTuple):
    """What was measured: nominals a second into a table on all `jobs` processes, KiB of ledger for one of them and for a score
    with a record of its own, milliseconds of such a score, records a second appended and verified."""

    bulk_rate: float
    jobs: int
    batch_kib: float
    each_kib: float
    single_ms: float
    append_rate: float
    verify_rate: float


BATCH = 2048
"""Nominals that share a record (`app.bulk.table.part.COLUMN_PART`, named here so that no Arrow is needed)."""


def needs(demand: Demand, costs: Costs) -> list[str]:
    """The cells of one row: new crimes with a record each, everyone again each week by batches."""
    records = demand.crimes + demand.rescored / BATCH
    ledger = demand.crimes * costs.each_kib + demand.rescored * costs.batch_kib
    busiest_second = PEAK_SHARE * demand.crimes / WEEKS / 3600
    return [
        demand.name,
        f"{demand.crimes / WEEKS:,.0f}",
        f"{100 * busiest_second * costs.single_ms / 1000:.3f} %",
        f"{demand.crimes / costs.bulk_rate:,.0f} s",
        f"{records / HOURS_A_YEAR / 3600:.4f}",
        f"{ledger / 2**20:,.2f} GiB",
        f"{records / costs.verify_rate:,.1f} s",
    ]


@click.command()
@click.option("--bulk", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--single-ms", type=float, required=True, help="One POST /score without explanation, its record durable.")
@click.option("--append", type=float, required=True, help="Records a second the ledger takes.")
@click.option("--verify", type=float, required=True, help="Records a second that `dayzero audit verify` checks.")
def main(bulk: Path, single_ms: float, append: float, verify: float) -> None:
    """Print inputs and table."""
    runs = json.loads(bulk.read_text())
    run, each = (_best(runs, record) for record in ("batch", "each"))
    rate = run["nominals"] / run["seconds"]
    costs = Costs(rate, run["jobs"], _ledger_kib(run), _ledger_kib(each), single_ms, append, verify)
    print(
        f"Measured: {rate:,.0f} nominals/s into a table on {costs.jobs} processes, {1024 * costs.batch_kib:.0f} bytes of "
        f"ledger a nominal; {costs.each_kib:.1f} KiB a score with a record of its own, {single_ms:g} ms a single score, "
        f"{append:,.0f} records/s appended, {verify:,.0f} verified.\n"
    )
    print("| | new crimes a week | one core busy in the busiest hour | weekly full re-score | records a second, mean "
          "| ledger a year | full check of a year |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for demand in (AVERAGE, LARGEST, NATION):
        print(f"| {' | '.join(needs(demand, costs))} |")
    written = NATION.crimes + NATION.rescored / BATCH
    print(f"\nA ledger takes {append * HOURS_A_YEAR * 3600 / written:,.0f} times what all forces together write.")


def _best(runs: list[dict[str, Any]], record: str) -> dict[str, Any]:
    """The fastest run of this kind. Raises click's error where there is none."""
    found = [one for one in runs if one["record"] == record]
    if not found:
        raise click.UsageError(f"The file has no run with --record {record}: let benchmarks.bulk measure both.")
    return max(found, key=lambda one: float(one["nominals"] / one["seconds"]))


def _ledger_kib(run: dict[str, Any]) -> float:
    return float(1024 * run["ledger"] / run["nominals"])


if __name__ == "__main__":
    main()
