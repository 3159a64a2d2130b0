"""Relative risk by ethnicity, as the report's appendix 3 prints it, computed again from its own counts.

RR = (A / B) / (C / D): A people of the ethnicity on record, B of all, C the *population* of the ethnicity, D of all.
B and D are the sums of the listed rows. It is the risk within the ethnicity, A/C, against everyone's, B/D, and the interval
is that of such a ratio: exp(ln RR +- 1.96 sqrt(1/A - 1/C + 1/B - 1/D)). Nothing here comes from
an extract: the counts (`relative_risk.csv`) are those of tables 5 (stalkers) and 6 (victims).
"""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from training.evaluation.bench import Bench
from training.harm.progress import Stages

TABLE = Path(__file__).with_name("relative_risk.csv")
SOURCE = "report, appendix 3, tables 5 (stalkers) and 6 (victims of stalking)"
DIGITS = 4
_Z = 1.96
_OTHER_BLACK, _BRITISH = "Any Other Black/African/Caribbean background", "English/Welsh/Scottish/Northern Irish/British"
FIGURE_5 = 9.01
"""Relative risk of `_OTHER_BLACK` against `_BRITISH` in section 2.2 and figure 5."""
REMARKS = (
    "The worked example prints 4,471,435 for C, the population without the stalkers; with it the result would be 0.8457. "
    "The printed 0.8387 takes the population, 4,508,800, as do all rows.",
    "The printed interval has (D - C) in its second term. The printed bounds follow with (D - B), the usual formula; only "
    "the first row of each table is precise enough to tell them apart.",
    "The columns are headed 5 % and 95 %; the factor 1.96 makes them the 2.5 % and 97.5 % bounds.",
    "B is 57,283, the sum of the rows. It is neither the 28,279 stalking nominals nor the 102,906 of stalking and "
    "harassment; the report does not say whom it counts.",
)


class Printed(NamedTuple):
    """One row as printed: `cases` A, `population` C, `others` C - A, the risk and its bounds."""

    table: str
    ethnicity: str
    cases: int
    population: int
    others: int
    relative_risk: float
    low: float
    high: float


class Risk(NamedTuple):
    """A relative risk with its 95 % interval."""

    value: float
    low: float
    high: float


def relative_risk(cases: int, all_cases: int, population: int, all_population: int) -> Risk:
    """Risk of one group relative to everyone, from counts above 0 (`cases` A, `all_cases` B, C and D)."""
    value = (cases / all_cases) / (population / all_population)
    error = math.sqrt(1 / cases - 1 / population + 1 / all_cases - 1 / all_population)
    return Risk(value, value * math.exp(-_Z * error), value * math.exp(_Z * error))


def printed_rows() -> list[Printed]:
    """Both tables as the report prints them."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            Printed(
                row["table"],
                row["ethnicity"],
                *(int(row[name]) for name in ("cases", "population", "others")),
                *(float(row[name]) for name in ("relative_risk", "low", "high")),
            )
            for row in csv.DictReader(file)
        ]


def measure_relative_risk(_: Bench, stages: Stages) -> dict[str, Any]:
    """The section: it takes nothing from the bench."""
    with stages.stage("Relative risk", 1):
        return compared_tables()


def compared_tables() -> dict[str, Any]:
    """Every row printed and computed, whether they agree to the printed digits, and what cannot be reproduced."""
    rows = printed_rows()
    stalkers = {row.ethnicity: row.cases / row.population for row in rows if row.table == "5"}
    told = [_compared(row, [other for other in rows if other.table == row.table]) for row in rows]
    return {
        "source": SOURCE,
        "rows": told,
        "agreeing": sum(row["agrees"] for row in told),
        "not_reproduced": [
            {
                "what": f"{_OTHER_BLACK} against {_BRITISH}, section 2.2 and figure 5",
                "printed": FIGURE_5,
                "computed": round(stalkers[_OTHER_BLACK] / stalkers[_BRITISH], 2),
                "why": "the ratio of the two rows of table 5 is another number; the pairs of the figure are not in the tables",
            }
        ],
        "remarks": list(REMARKS),
    }


def _compared(row: Printed, table: Sequence[Printed]) -> dict[str, Any]:
    all_cases, all_population = sum(one.cases for one in table), sum(one.population for one in table)
    found = relative_risk(row.cases, all_cases, row.population, all_population)
    rounded = Risk(*(round(value, DIGITS) for value in found))
    printed = Risk(row.relative_risk, row.low, row.high)
    return {
        "table": row.table,
        "ethnicity": row.ethnicity,
        "cases": row.cases,
        "population": row.population,
        "printed": printed._asdict(),
        "computed": rounded._asdict(),
        "agrees": rounded == printed and row.population - row.cases == row.others,
    }
