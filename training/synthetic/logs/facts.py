"""What is said of an incident given its score, as a table of chances, and so what can be known of the score at all.

A log answers some of a dozen questions (`facts.toml`). Each answer is an observation: who says it, whether they say or
deny it, and what. Given the score the observations are independent of one another and of everything else in the log, so
the chance of the score given the whole log is a product of table entries, and nobody who reads logs can be right more
often than whoever always names the likeliest score: the Bayes limit, ours to know because the generator is ours.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from app.harm.features import Floats, Ints
from training.synthetic.logs.grammar import Phrase, parse, read_tables
from training.synthetic.offences import NON_CRIME_HARMS

SCORES: Floats = NON_CRIME_HARMS
CLARITY = 3.5
"""How strongly severity shows, the one knob: set so that the published network comes near the published accuracy."""
_SCALE = np.linspace(-1.0, 1.0, len(SCORES))
ABSENT = -1


class Source(NamedTuple):
    """Who says it: how often they are asked, how far what they say goes with what was, how often they deny."""

    name: str
    share: float
    reliable: float
    denies: float


SOURCES = (
    Source("complainant", 0.46, 1.0, 0.08),
    Source("officer", 0.24, 1.2, 0.10),
    Source("witness", 0.16, 0.7, 0.15),
    Source("accused", 0.14, -0.25, 0.55),
)
"""The accused's word goes a little the other way: whoever did little has less to play down (ours)."""


class Observation(NamedTuple):
    """One thing that can be said: by which source (row of `SOURCES`), denied or not, which of the clauses."""

    source: int
    denied: bool
    clauses: tuple[Phrase, ...]


@dataclass(frozen=True)
class Slot:
    """One question: chance that it comes up and that it is answered again, the O possible answers, their chances (O, 5)."""

    name: str
    mentioned: float
    again: float
    observations: tuple[Observation, ...]
    chances: Floats


@cache
def slots(clarity: float = CLARITY) -> tuple[Slot, ...]:
    """Every question, with the chances of its answers given each score."""
    return tuple(_slot(table, clarity) for table in read_tables("facts.toml")["slot"])


def draw(rng: np.random.Generator, score: Ints, clarity: float = CLARITY) -> Ints:
    """Observations of N incidents whose scores stand at `score` (N,) in `SCORES`: int64 (N, 2 x slots), `ABSENT` for none.

    Columns 2k and 2k + 1 are the first and the second answer to question k; the second may contradict the first.
    """
    columns = []
    for slot in slots(clarity):
        reached = np.cumsum(slot.chances, axis=0)[:, score]
        for share in (slot.mentioned, slot.again):
            picked = (reached < rng.random(len(score))).sum(axis=0).clip(max=len(slot.observations) - 1)
            columns.append(np.where(rng.random(len(score)) < share, picked, ABSENT))
    return np.column_stack(columns)


def log_chances(observed: Ints, clarity: float = CLARITY) -> Floats:
    """Log-likelihood of each score given the observations, (N, 5), up to a constant per row.

    Whether a question comes up at all does not depend on the score and drops out.
    """
    total = np.zeros((len(observed), len(SCORES)))
    for number, slot in enumerate(slots(clarity)):
        table = np.vstack([np.log(slot.chances), np.zeros(len(SCORES))])
        total += table[observed[:, 2 * number]] + table[observed[:, 2 * number + 1]]
    return total


class Limit(NamedTuple):
    """The best anyone could do on balanced scores: share right, its standard error, quadratic kappa, logs drawn."""

    accuracy: float
    standard_error: float
    kappa: float
    logs: int


def bayes_limit(seed: int, logs: int = 200_000, clarity: float = CLARITY) -> Limit:
    """The Bayes limit at equal numbers of each score, by drawing logs and taking the likeliest score of each.

    An upper bound for a reader of the text: misspelt or unknown words can only take from what the observations tell.
    """
    rng = np.random.default_rng(seed)
    score = np.arange(logs) % len(SCORES)
    likelihood = log_chances(draw(rng, score, clarity), clarity)
    likelihood -= likelihood.max(axis=1, keepdims=True)
    posterior = np.exp(likelihood) / np.exp(likelihood).sum(axis=1, keepdims=True)
    best = posterior.max(axis=1)  # its mean is the accuracy, with less noise than counting the hits
    named = posterior.argmax(axis=1)
    apart, spread = np.square(named - score).mean(), np.square(named[:, None] - np.arange(len(SCORES))).mean()
    return Limit(float(best.mean()), float(best.std() / np.sqrt(logs)), float(1 - apart / spread), logs)


def _slot(table: dict[str, Any], clarity: float) -> Slot:
    values = table["value"]
    leans = np.array([value["lean"] if "lean" in value else value["grade"] * _SCALE for value in values])
    weights = np.array([value["weight"] for value in values])
    clauses = [tuple(parse(said) for said in value["said"]) for value in values]
    deniable = np.array([value.get("deny", True) for value in values])
    observations, chances = [], []
    for number, source in enumerate(SOURCES):
        for denied in (False, True):
            share = source.share * (source.denies if denied else 1 - source.denies)
            allowed = np.flatnonzero(deniable if denied else np.ones_like(deniable))
            if not len(allowed) or table.get("only", source.name) != source.name:
                continue
            strength = clarity * source.reliable * (-1 if denied else 1)
            weight = weights[allowed, None] * np.exp(strength * leans[allowed])
            observations += [Observation(number, denied, clauses[value]) for value in allowed]
            chances.append(share * weight / weight.sum(axis=0))
    found = np.vstack(chances)
    return Slot(table["name"], table["mentioned"], table["again"], tuple(observations), found / found.sum(axis=0))
