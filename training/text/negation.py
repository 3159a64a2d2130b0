"""What a model of logs makes of negations: the same log with a grave fact, and with that fact denied."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.errors import SetupError
from app.text.model import TextModel, expected_harm

NEGATIONS = Path(__file__).with_name("negated_logs.csv")
"""Logs that nobody generated, each with a gap for a grave fact or its denial."""
GRAVE_FROM = 3
"""Place in `SCORES` from which a score counts as grave: 5 and 10 days."""


class Negation(NamedTuple):
    """Shares, over pairs or logs: see `docs/text.md`."""

    logs: int
    pairs: int
    lower: float
    higher_score: float
    facts_grave: float
    denials_mild: float
    unread: float


def read_negations(path: Path) -> list[dict[str, str]]:
    """Rows of `log` with a gap `{}`, `there` and `denied` to fill it with. Raises SetupError for another table."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or any(set(row) != {"log", "there", "denied"} or "{}" not in row["log"] for row in rows):
        raise SetupError(f"{path.name} must have columns log (with a gap {{}}), there and denied, and a row at least.")
    return rows


def measure_negation(model: TextModel, rows: Sequence[Mapping[str, str]]) -> Negation:
    """Read each row of (`log`, `there`, `denied`) both ways."""
    facts, denials = (model.counts([row["log"].format(row[part]) for row in rows]) for part in ("there", "denied"))
    said, denied = model.probabilities(facts), model.probabilities(denials)
    named, named_denied = said.argmax(axis=1), denied.argmax(axis=1)
    unread = ~np.concatenate([facts, denials]).any(axis=1)
    return Negation(
        logs=2 * len(rows),
        pairs=len(rows),
        lower=float((expected_harm(denied) < expected_harm(said)).mean()),
        higher_score=float((named_denied > named).mean()),
        facts_grave=float((named >= GRAVE_FROM).mean()),
        denials_mild=float((named_denied < GRAVE_FROM).mean()),
        unread=float(unread.mean()),
    )
