"""The oracle: how often the simulated futures of each nominal, or victim, fall into each harm group.

Nothing that reads records can know more than it does, so a model above it has seen what it should not have.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypedDict

import numpy as np

from app.errors import SetupError
from app.harm.features import Floats, Ints
from app.harm.harm_index import HarmIndex
from training.evaluation.bench import Bench, Scored
from training.evaluation.code import code_digest
from training.evaluation.work import Work
from training.harm.decision import choose_weights
from training.harm.population import mix_weights, shares
from training.harm.progress import Stages
from training.harm.survival import HORIZON
from training.metrics import GROUP_COUNT
from training.oracle.futures import FUTURES, LARGE_FUTURES, Futures, chunks, simulate
from training.oracle.scenes import scoring_moments
from training.oracle.victim_futures import simulate_victims
from training.oracle.victims import victim_moments
from training.split import harm_groups
from training.synthetic.latents import Latents, read_latents

_PRIOR_FUTURES = 1.0
"""One more future spread as the population is: no frequency is 0, which no number of futures can show (ours)."""


class _Settings(TypedDict):
    seed: int
    futures: int
    jobs: int
    done: Callable[[], None]


class Oracle(NamedTuple):
    """Of N labelled nominals or victims: `counts` (N, 4) futures in each group; `below`, `equal` (N,) futures with less harm than
    the real one, with as much; `free` (T, 366) share of the test people's futures without a further incident by each
    day; `mix` (4,) the population's."""

    counts: Ints
    below: Ints
    equal: Ints
    free: Floats
    mix: Floats

    @property
    def futures(self) -> int:
        """How many futures everyone has."""
        return int(self.counts[0].sum())

    @property
    def population(self) -> Floats:
        """Probabilities of the four groups at the population mix, (N, 4)."""
        return frequencies(self.counts, self.mix)


def frequencies(counts: Ints, mix: Floats) -> Floats:
    """Probabilities (N, 4) from `counts` (N, 4) of futures: one more future is spread as the population is."""
    return np.asarray((counts + _PRIOR_FUTURES * mix) / (counts.sum(axis=1, keepdims=True) + _PRIOR_FUTURES))


def open_oracle(bench: Bench, index: HarmIndex, stages: Stages, *, futures: int | None = None) -> Oracle:
    """Simulate everyone labelled, or read what was simulated before with the same seed.

    Raises SetupError where the bench has no latents: a force's own extract has no known truth.
    """
    labelled, mix = bench.data.labelled, bench.data.mix
    futures = futures or bench.repeats(FUTURES, LARGE_FUTURES)
    with stages.stage("Oracle: simulated futures", chunks(len(labelled.person))) as done:
        found = _shared(bench.work).arrays(
            "oracle", lambda: _simulated(bench, index, futures, done), seed=bench.seed, futures=futures
        )
    return Oracle(**found, mix=mix)


def _shared(work: Work) -> Work:
    """The same work whichever section asks: all of them use one simulation."""
    key = {name: value for name, value in work.key.items() if name not in ("section", "code")}
    return replace(work, key={**key, "code": code_digest(__name__)})


def _simulated(bench: Bench, index: HarmIndex, futures: int, done: Callable[[], None]) -> dict[str, np.ndarray]:
    if bench.latents is None:
        raise SetupError("An oracle needs the latents of a synthetic extract.")
    labelled = bench.data.labelled
    found = _futures(bench, read_latents(bench.latents), index, futures, done)
    groups = harm_groups(found.harm, np.asarray(bench.manifest.cuts))
    happened = labelled.future_harm[:, None]
    first_day = found.first_day[bench.data.split.test]
    return {
        "counts": np.stack([(groups == group).sum(axis=1) for group in range(GROUP_COUNT)], axis=1),
        "below": (found.harm < happened).sum(axis=1),
        "equal": (found.harm == happened).sum(axis=1),
        "free": np.stack([(first_day > day).mean(axis=1) for day in range(HORIZON + 1)], axis=1),
    }


def _futures(bench: Bench, latents: Latents, index: HarmIndex, futures: int, done: Callable[[], None]) -> Futures:
    """Futures of whomever the bench's family is about."""
    person_id, day_zero = bench.data.labelled.person_id, bench.data.labelled.histories.day_zero
    settings: _Settings = {"seed": bench.seed, "futures": futures, "jobs": bench.jobs, "done": done}
    if bench.data.family.subject.perspective == "victim":
        return simulate_victims(latents, victim_moments(latents, person_id, day_zero), index, **settings)
    return simulate(latents, scoring_moments(latents, person_id, day_zero), index, **settings)


def oracle_bench(bench: Bench, oracle: Oracle) -> Bench:
    """The same bench scored by the oracle, with decision weights chosen for it on the training part."""
    split = bench.data.split
    at_training = shares(split.groups[split.train])
    probabilities = shifted(oracle.population, bench.data.mix, at_training)
    row_weights = mix_weights(split.groups[split.train], shares(bench.groups))
    weights = choose_weights(probabilities[split.train], split.groups[split.train], row_weights)
    test = probabilities[split.test]
    predicted = np.argmax(test * weights, axis=1).astype(np.int64)
    return replace(bench, scored=Scored(test, oracle.population[split.test], predicted, oracle.free))


def shifted(probabilities: Floats, from_mix: Floats, to_mix: Floats) -> Floats:
    """Probabilities (N, 4) right at one mix of groups as they are right at another (Bayes' rule)."""
    moved = probabilities * (to_mix / from_mix)
    return np.asarray(moved / moved.sum(axis=1, keepdims=True))
