"""The data set: crimes of low harm with their logs, the same number of each score, 80 : 20 (report, appendix 8)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import SetupError
from app.extract.logs import Logs
from app.harm.features import Ints
from app.harm.harm_index import HarmIndex
from app.text.manifest import SCORES
from app.text.records import MAX_TEXT

A_SCORE = 25_000
TEST_SHARE = 0.2
_FEWEST = 50
EXCLUDED = frozenset(
    {
        "Miscellaneous crimes against society", "Bicycle theft", "Other theft offences", "Shoplifting", "Theft from the person",
        "Vehicle offences", "Residential burglary", "Non-residential burglary", "Possession of drugs", "Trafficking of drugs",
    }
)  # fmt: skip
"""Subgroups of the harm index left out, as in the report: miscellaneous, theft (ours: with burglary and vehicle crime, as
the official groups have it), drugs. Fraud stands among the miscellaneous; what is not notifiable has no code in the index."""


@dataclass(frozen=True)
class DataSet:
    """Texts with their score as a place in `SCORES`; rows of the training and the test part; how many rows each rule met."""

    texts: list[str]
    places: Ints
    train: Ints
    test: Ints
    counts: dict[str, int]


def choose(logs: Logs, index: HarmIndex, seed: int, *, a_score: int = A_SCORE) -> DataSet:
    """Draw the data set: at most `a_score` logs of each score, as many of each as of the rarest.

    Raises SetupError naming a score that next to no crime has.
    """
    place, counts = _usable(logs, index)
    by_score = [np.flatnonzero(place == number) for number in range(len(SCORES))]
    size = min(a_score, *(len(rows) for rows in by_score))
    if size < _FEWEST:
        rare = ", ".join(f"{score:g}" for score, rows in zip(SCORES, by_score, strict=True) if len(rows) < _FEWEST)
        raise SetupError(
            f"Fewer than {_FEWEST} crimes with a log have harm {rare}. Give harm_score in the logs, or import the official "
            "index (`dayzero harm-index import`): medians of offence groups do not reach every score."
        )
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(rows)[:size] for rows in by_score]
    tests = round(TEST_SHARE * size)
    rows = np.concatenate(chosen)
    test = np.concatenate([np.arange(tests) + number * size for number in range(len(SCORES))])
    return DataSet(
        texts=[logs.text[row] for row in rows],
        places=place[rows].astype(np.int64),
        train=np.setdiff1d(np.arange(len(rows)), test),
        test=test,
        counts={
            **counts,
            "usable": int((place >= 0).sum()),
            "a-score": size,
            "train": len(rows) - len(test),
            "test": len(test),
        },
    )


def _usable(logs: Logs, index: HarmIndex) -> tuple[Ints, dict[str, int]]:
    """Place of each log's score in `SCORES`, -1 for a log that is not used, and how many each rule left out, in order."""
    offences = [index.lookup(code) for code in logs.code]
    by_code = np.array([np.nan if offence is None else offence.harm for offence in offences])
    harm = np.where(np.isnan(logs.harm), by_code, logs.harm)
    place = np.where(np.isin(harm, SCORES), np.searchsorted(SCORES, harm).clip(max=len(SCORES) - 1), -1)
    rules = {
        "non-crime": logs.non_crime,
        "not-notifiable": np.array([offence is None for offence in offences]),
        "excluded-offence": np.array([offence is not None and offence.subgroup in EXCLUDED for offence in offences]),
        "other-harm": place < 0,
        "text-too-long": np.array([len(text) > MAX_TEXT for text in logs.text]),
        "same-text": _repeated(logs.text),
    }
    left = np.ones(len(logs.text), dtype=np.bool_)
    counts = {"logs": len(logs.text)}
    for name, rule in rules.items():
        counts[name] = int((left & rule).sum())
        left &= ~rule
    return np.where(left, place, -1), counts


def _repeated(texts: list[str]) -> NDArray[np.bool_]:
    """True for a text that stood before: the same words on both sides of the split would be a leak."""
    first = {text: row for row, text in reversed(list(enumerate(texts)))}
    return np.array([first[text] != row for row, text in enumerate(texts)])
