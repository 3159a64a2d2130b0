"""Targets beside what was measured: each row a ratio of two things measured in one run."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.wrk import Load

Measured = Mapping[str, Mapping[str, Sequence[Load]]]
"""Contestant -> case (`case_of`) -> a load of each counted round."""
DAY_ZERO = "Day Zero, {way}, SQLite"
PLAIN, FLOOR = "FastAPI and the libraries", "floor: validated, empty"
SERVERS = ("MLServer", "BentoML", "LitServe")


def case_of(sent: str, connections: int) -> str:
    """Name of what was varied: a mix of histories at a concurrency, or one length of history at one connection."""
    return f"mix, {connections}" if sent == "mix" else f"{sent} incidents"


def median(loads: Sequence[Load], what: str) -> float:
    """Median over rounds of one member of `Load`."""
    return statistics.median(getattr(one, what) for one in loads)


class Target(NamedTuple):
    """A ratio of `over` to `under`, each (contestant, case, member of `Load`); it holds at most, or at least, `limit`. Without
    `under` it is a figure in ms."""

    what: str
    over: tuple[str, str, str]
    under: tuple[str, str, str] | None
    limit: float
    at_most: bool = True

    def row(self, measured: Measured) -> tuple[str, str, str, bool] | None:
        """Name, target, measured, holds; None where one side was not measured."""
        value = _value(measured, self.over)
        below = 1.0 if self.under is None else _value(measured, self.under)
        if value is None or below is None:
            return None
        unit = " ms" if self.under is None else " times"
        found = value / below
        holds = found <= self.limit if self.at_most else found >= self.limit
        return self.what, f"{'<=' if self.at_most else '>='} {self.limit:g}{unit}", f"{found:.1f}{unit}", holds


def _value(measured: Measured, of: tuple[str, str, str]) -> float | None:
    name, case, what = of
    loads = measured.get(name, {}).get(case)
    return median(loads, what) if loads else None


def _targets() -> Iterable[Target]:
    scored, explained = DAY_ZERO.format(way="no explanation"), DAY_ZERO.format(way="factors")
    alone, crowd = case_of("mix", 1), case_of("mix", 16)
    rate = (scored, crowd, "rate")
    yield Target("`/score`, p50 at concurrency 1, against the empty validated endpoint",
                 (scored, alone, "p50"), (FLOOR, alone, "p50"), 5)  # fmt: skip
    yield Target(f"`/score`, a second at concurrency 16, against {PLAIN}", rate, (PLAIN, crowd, "rate"), 10, False)
    for name in SERVERS:
        for kind, limit in (("the libraries", 5), ("our graphs", 2)):
            yield Target(f"the same against {name}, {kind}", rate, (f"{name}, {kind}", crowd, "rate"), limit, False)
    yield Target("`/score` with factors, p50, a mix of histories", (explained, alone, "p50"), None, 25)
    for length in (20, 100, 500):
        case = case_of(str(length), 1)
        yield Target(f"`/score` with factors, p50, {length} incidents", (explained, case, "p50"), None, 40)
    long, usual = case_of("500", 1), case_of("20", 1)
    yield Target("`/score`, p50, 500 incidents against 20", (scored, long, "p50"), (scored, usual, "p50"), 2)


TARGETS = tuple(_targets())


def held(rows: Iterable[tuple[str, str, str, bool]]) -> str:
    """A table of what was promised and what was found."""
    lines = ["| target | promised | measured | holds |", "|---|---|---|---|"]
    lines += [
        f"| {what} | {promised} | {found} | {'yes' if holds else '**no**'} |" for what, promised, found, holds in rows
    ]
    return "\n".join(lines) + "\n"


def against_targets(measured: Measured) -> str:
    """`held` for every target of which both sides were measured."""
    rows = (one.row(measured) for one in TARGETS)
    return held(row for row in rows if row is not None)
