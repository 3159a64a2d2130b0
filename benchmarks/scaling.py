"""What a national service needs, computed from measured costs: `python -m benchmarks.scaling --help`.

`--bulk` is the file that `python -m benchmarks.bulk --keep FILE` wrote; the other figures are those of `benchmarks.compare` (one
score with its durable record) and of `make torture` (records a second). Prints the table of docs/scaling.md.
"""

import json
from pathlib import Path
from typing import NamedTuple

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
    def scores_a_year(self) -> int:
        """New crimes, and everyone again each week."""
        return self.crimes + WEEKS * self.crimes


NATION = Demand("England and Wales", 117_973)
"""Crimes recorded as stalking, year to March 2022 (the report, section 1, after the Home Office)."""
LARGEST = Demand("West Midlands", 7_956)
"""Stalking incidents in the same year, reclassified harassment between partners included (the report, section 2.1)."""
AVERAGE = Demand("an average force", NATION.crimes // FORCES)
PEAK_SHARE = 0.1
"""Of a week's new crimes that are sent in its busiest hour: an assumption, on the safe side of an even 0.6 %."""


class Costs(NamedTuple):
    """What was measured: bulk a second on all `jobs` processes, KiB of ledger a score, milliseconds of one single score with its
    record, records a second appended and verified."""

    bulk_rate: float
    jobs: int
    ledger_kib: float
    single_ms: float
    append_rate: float
    verify_rate: float


def needs(demand: Demand, costs: Costs) -> list[str]:
    """The cells of one row."""
    busiest_second = PEAK_SHARE * demand.crimes / WEEKS / 3600
    return [
        demand.name,
        f"{demand.crimes / WEEKS:,.0f}",
        f"{100 * busiest_second * costs.single_ms / 1000:.3f} %",
        f"{demand.crimes / costs.bulk_rate / 60:,.1f} min",
        f"{demand.scores_a_year / HOURS_A_YEAR / 3600:.2f}",
        f"{demand.scores_a_year * costs.ledger_kib / 2**20:,.1f} GiB",
        f"{demand.scores_a_year / costs.verify_rate / 60:,.1f} min",
    ]


@click.command()
@click.option("--bulk", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--single-ms", type=float, required=True, help="One POST /score without explanation, its record durable.")
@click.option("--append", type=float, required=True, help="Records a second the ledger takes.")
@click.option("--verify", type=float, required=True, help="Records a second that `dayzero audit verify` checks.")
def main(bulk: Path, single_ms: float, append: float, verify: float) -> None:
    """Print inputs and table."""
    run = max(json.loads(bulk.read_text()), key=lambda one: one["nominals"] / one["seconds"])
    rate = run["nominals"] / run["seconds"]
    costs = Costs(rate, run["jobs"], 1024 * run["ledger"] / run["nominals"], single_ms, append, verify)
    print(
        f"Measured: {rate:,.0f} nominals/s in bulk on {costs.jobs} processes, {costs.ledger_kib:.1f} KiB of ledger a score, "
        f"{single_ms:g} ms a single score, {append:,.0f} records/s appended, {verify:,.0f} verified.\n"
    )
    print("| | new crimes a week | one core busy in the busiest hour | weekly full re-score | records a second, mean "
          "| ledger a year | full check of a year |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for demand in (AVERAGE, LARGEST, NATION):
        print(f"| {' | '.join(needs(demand, costs))} |")
    print(
        f"\nA ledger takes {append * HOURS_A_YEAR * 3600 / NATION.scores_a_year:,.0f} times what all forces together write."
    )


if __name__ == "__main__":
    main()
