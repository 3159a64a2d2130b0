"""The report's own table of 168 models, and its seven single ones (tables 7 and 8), from `published.csv`."""

import csv
from functools import cache
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).with_name("published.csv")
_COUNTS = ("rank", "max_correct", "max_false", "max_missed")


@cache
def published() -> dict[str, dict[str, Any]]:
    """Figures by name, best net harm first; `rank` only where two models are combined. Harm in days, on 2,591 nominals."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {row.pop("name"): _numbers(row) for row in csv.DictReader(file)}


def _numbers(row: dict[str, str]) -> dict[str, Any]:
    return {column: int(value) if column in _COUNTS else float(value) for column, value in row.items() if value}
