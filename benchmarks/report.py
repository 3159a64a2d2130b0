"""What a comparison found: tables, a plot, and both in benchmarks/README.md.

`python -m benchmarks.report WORK` tells again what `benchmarks.compare` left in its work folder.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.bodies import LENGTHS
from benchmarks.machine import told_machine
from benchmarks.targets import DAY_ZERO, FLOOR, PLAIN, Measured, against_targets, case_of, median
from benchmarks.wrk import Load
from training.plots import COLOURS, INK, legend, panel, svg

DRAWN = {
    FLOOR: "floor: validated, empty",
    DAY_ZERO.format(way="no explanation"): "Day Zero, no explanation",
    DAY_ZERO.format(way="factors"): "Day Zero, factors",
    DAY_ZERO.format(way="both views"): "Day Zero, both views",
    PLAIN: PLAIN,
    f"{PLAIN}, SHAP of the trees": "the same with SHAP of the trees",
}
"""Contestant -> what the plot calls it."""
PICTURE = "by_length.svg"


def write_report(work: Path, readme: Path | None) -> str:
    """Tables (also in `work`/results.md) of `work`/results.json; with a `readme` they and the plot are published there."""
    found = json.loads((work / "results.json").read_text())
    measured = {
        name: {case: [Load(*one) for one in loads] for case, loads in cases.items()}
        for name, cases in found["measured"].items()
    }
    text = f"{told_machine(found['machine'])}\n\n{tables(measured)}"
    (work / "results.md").write_text(text)
    picture = drawing(measured)
    (work / PICTURE).write_text(picture)
    if readme is not None:
        readme.with_name(PICTURE).write_text(picture)
        told = f"{text}\n![p50 of one request by incidents in the history, the last table]({PICTURE})\n"
        publish(readme, "make bench", told)
    return text


def publish(page: Path, name: str, text: str) -> None:
    """Put `text` between the page's two markers of that name. Raises ValueError where they are not there once each."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before = page.read_text(encoding="utf-8")
    if before.count(begin) != 1 or before.count(end) != 1 or before.index(end) < before.index(begin):
        raise ValueError(f"{page} needs the lines {begin} and {end}, once each and in this order")
    around = re.compile(f"(?<={re.escape(begin)}).*(?={re.escape(end)})", re.DOTALL)
    page.write_text(around.sub(lambda _: f"\n{text.strip()}\n", before), encoding="utf-8")


def tables(measured: Measured) -> str:
    """Targets, the mix of histories at each concurrency, and each length of history."""
    return "\n".join([against_targets(measured), _rates(measured), _lengths(measured)])


def _rates(measured: Measured) -> str:
    mixes = {case for cases in measured.values() for case in cases if case.startswith("mix")}
    crowds = sorted(int(case.rpartition(" ")[2]) for case in mixes)
    heads = [f"{what} at {connections}" for connections in crowds for what in ("/s", "p50 ms", "p99 ms")]
    lines = [f"| a mix of histories | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for name, cases in measured.items():
        cells = [cell for crowd in crowds for cell in _cells(cases.get(case_of("mix", crowd)))]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cells(loads: Sequence[Load] | None) -> list[str]:
    if not loads:
        return ["", "", ""]
    return [f"{median(loads, 'rate'):,.0f}", f"{median(loads, 'p50'):.2f}", f"{median(loads, 'p99'):.1f}"]


def _lengths(measured: Measured) -> str:
    """p50 by length of history, one connection."""
    lines = [
        f"| p50 ms by incidents | {' | '.join(map(str, LENGTHS))} |",
        "|---|" + "---|" * len(LENGTHS),
    ]
    for name in measured:
        if found := _by_length(measured, name):
            cells = [f"{found[length]:.2f}" if length in found else "" for length in LENGTHS]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _by_length(measured: Measured, name: str) -> dict[int, float]:
    """Incidents -> p50, ms."""
    cases = measured.get(name, {})
    return {
        length: median(cases[case_of(str(length), 1)], "p50") for length in LENGTHS if case_of(str(length), 1) in cases
    }


def drawing(measured: Measured) -> str:
    """p50 of one request against the length of its history, both axes logarithmic, as SVG."""

    def paint(figure: Figure) -> None:
        axes = panel(figure, "One request, by length of history", x="incidents", y="p50, ms")
        axes.set(xscale="log", yscale="log")
        for (name, short), colour in zip(DRAWN.items(), (INK, *COLOURS), strict=False):
            if found := _by_length(measured, name):
                axes.plot(list(found), list(found.values()), "o-", color=colour, label=short)
        axes.set_xticks(LENGTHS, [str(length) for length in LENGTHS])
        axes.minorticks_off()
        legend(axes, columns=2)

    return svg(paint, width=9.0, height=6.0) + "\n"


if __name__ == "__main__":
    print(write_report(Path(sys.argv[1]), Path(__file__).with_name("README.md")))
