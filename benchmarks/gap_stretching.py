"""Does `timing` follow time? All gaps of a record four times as long: `python -m benchmarks.gap_stretching --extract DIR`.

The longer ago everything is, the less there is to expect; so the estimate falls, and what it loses should be what `timing`
loses. Ages, custody, decays and rates are worked out again, as for a real record with those dates. Each row of the table is
one way to read that as a rank correlation; docs/explanations.md says what they mean.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import click
import numpy as np
from scipy.stats import spearmanr

from app.extract.load import load_extract
from app.harm import explanation
from app.harm.explanation import FACTORS, factor_effects
from app.harm.features import COLUMN, ROWS, Features, Histories, Ints, features
from app.harm.model import HarmModel
from app.harm.service import Scorer, load_scorer
from app.harm.shapley import Floats
from app.harm.targets import TARGETS
from app.settings import read_settings
from training.labels import Labelled, label

FACTOR = 4
SHORTEST = 3
TIMING = list(FACTORS).index("timing")
FAMILY = "stalking-nominal"


def stretched(histories: Histories, factor: int = FACTOR) -> Histories:
    """The same incidents, each `factor` times as long before day zero."""
    known = histories.incidents
    zero = histories.day_zero[known.nominal]
    return replace(histories, incidents=replace(known, day=zero - factor * (zero - known.day)))


def effects(model: HarmModel, records: Features, lengths: Ints) -> Floats:
    """Contributions (N, 10) of the factors to the top group of each record (N, 20, 19)."""
    rows = np.minimum(lengths, ROWS).tolist()
    return np.array(
        [factor_effects(model, records[at : at + 1], rows[at]).contributions[:, 0] for at in range(len(rows))]
    )


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's."""
    return float(spearmanr(one, other)[0])


def readings(model: HarmModel, plain: Features, late: Features, lengths: Ints) -> list[tuple[str, float]]:
    """Each way to read the promise with its figure; `plain` and `late` (N, 20, 19) the same people."""
    value, after = (TARGETS["harm"].values(model, records)[:, 0] for records in (plain, late))
    lost = value - after
    before, then = effects(model, plain, lengths), effects(model, late, lengths)
    timing, change = before[:, TIMING], before[:, TIMING] - then[:, TIMING]
    earliest = np.array([record[ROWS - min(count, ROWS), 2] for record, count in zip(plain, lengths, strict=True)])
    usual = model.bundle.reference[ROWS - np.minimum(lengths, ROWS), COLUMN["days_to_day_zero"]]
    tight, loose = earliest < usual, earliest > usual
    return [
        ("the estimate falls when everything is longer ago, share of people", float((lost > 0).mean())),
        ("the `timing` effect falls, share of people", float((change > 0).mean())),
        ("rank: loss of the estimate, loss of the `timing` effect", rank_correlation(lost, change)),
        ("sum over people: loss of the `timing` effect as a share of the loss of the estimate", change.sum() / lost.sum()),
        ("rank: loss of the estimate as a share of it, `timing` effect as a share of it",
         rank_correlation(lost / value, timing / value)),
        ("rank: loss of the estimate, `timing` effect before", rank_correlation(lost, timing)),
        ("rank: loss of the estimate, the estimate itself", rank_correlation(lost, value)),
        ("`timing` above zero where the record spans less time than the reference, share", float((timing[tight] > 0).mean())),
        ("`timing` above zero where it spans more, share", float((timing[loose] > 0).mean())),
    ]  # fmt: skip


def index_alone(medians: Features, own: Features, _: int) -> Features:
    """The reference that was turned down: the index incident and nothing before it."""
    reference = np.zeros_like(own)
    reference[-1] = medians[-1]
    reference[:, COLUMN["gender"]] = own[:, COLUMN["gender"]]
    return reference


def sample(labelled: Labelled, people: int, unknown_age: float, seed: int) -> tuple[Features, Features, Ints]:
    """Features of as many people with three incidents or more, as they are and stretched, and their lengths."""
    lengths = labelled.histories.lengths
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(lengths >= SHORTEST))[:people]
    both = (labelled.histories, stretched(labelled.histories))
    plain, late = (features(one, labelled.nominals, unknown_age=unknown_age)[rows] for one in both)
    return plain, late, lengths[rows]


def table(columns: Sequence[tuple[str, list[tuple[str, float]]]]) -> str:
    """Markdown, a reading a line."""
    names = [name for name, _ in columns[0][1]]
    lines = ["| reading | " + " | ".join(heading for heading, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for at, name in enumerate(names):
        lines.append(f"| {name} | " + " | ".join(f"{found[at][1]:.2f}" for _, found in columns) + " |")
    return "\n".join(lines)


@click.command()
@click.option("--extract", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--people", default=200, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(extract: Path, people: int, seed: int) -> None:
    """Print the table for the newest artefact, with the reference in use and with the one that was turned down."""
    settings = read_settings()
    scorer: Scorer = load_scorer(settings.artifacts, settings.harm_index)
    model = scorer.models[FAMILY]
    labelled = label(load_extract(extract, scorer.index))
    plain, late, lengths = sample(labelled, people, model.bundle.manifest.index_age_median, seed)
    turned_down: Callable[[Features, Features, int], Features] = index_alone
    columns = [("medians by position (in use)", readings(model, plain, late, lengths))]
    with patch.object(explanation, "_reference", turned_down):
        columns.append(("index incident alone (turned down)", readings(model, plain, late, lengths)))
    click.echo(table(columns))


if __name__ == "__main__":
    main()
