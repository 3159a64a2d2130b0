"""Section "oracle": the proof that it is right, its own metrics, and how far the artefact is from it."""

from collections.abc import Mapping
from typing import Any

from app.harm.features import Floats
from app.harm.harm_index import index_in_force
from app.settings import read_settings
from training.evaluation.bench import Bench
from training.evaluation.classification import measure_metrics
from training.evaluation.intervals import bootstrap, to_mix
from training.evaluation.survival_scores import concordance_of
from training.harm.measure import round_floats
from training.harm.progress import Stages
from training.harm.survival import risk
from training.oracle.distance import distance
from training.oracle.oracle import Oracle, open_oracle, oracle_bench
from training.oracle.proof import prove

OF_VICTIMS = (
    "Simulated onwards for each victim: those known for stalking who have this victim, one or two of them, and everything others "
    "do to the victim, from all that had truly been done by day zero, recorded or not, and what the police make of that.",
    "Who those are, and how exposed the victim is, the oracle knows. Strangers harm nobody twice here, so none comes into it.",
    "Not asked: whether two incidents that look alike were taken for one recorded twice, whether conduct of long ago has had its "
    "outburst already, and whether the second of two who harm the same victim had stopped before.",
)
"""What the oracle of victims is, for the page."""


def measure_oracle(bench: Bench, stages: Stages) -> dict[str, Any]:
    """What could be known at best of the test set, and how far the artefact stays below it."""
    oracle = section_oracle(bench, stages)
    best = oracle_bench(bench, oracle)
    found = {
        "futures": oracle.futures,
        "proof": prove(oracle, bench.data.split.groups, bench.seed),
        "metrics": measure_metrics(best, stages),
        "concordance": _concordance(bench, oracle),
        "distance": distance(bench, oracle, bench.scored.population),
        **({"remarks": list(OF_VICTIMS)} if bench.data.family.subject.perspective == "victim" else {}),
    }
    rounded: dict[str, Any] = round_floats(found)
    return rounded


def section_oracle(bench: Bench, stages: Stages) -> Oracle:
    """The oracle of a bench, simulated once and kept; for every section that measures a distance to it."""
    return open_oracle(bench, index_in_force(read_settings().harm_index), stages)


def _concordance(bench: Bench, oracle: Oracle) -> dict[str, Any]:
    """Concordance of the simulated curves, no further incident by each day, at both mixes."""
    days = bench.data.labelled.first_event_day[bench.data.split.test]
    order = risk(oracle.free)

    def statistic(drawn: Floats) -> Mapping[str, Floats]:
        at_large = to_mix(drawn, bench.groups, bench.data.mix)
        return {
            "test_mix": concordance_of(order, days, drawn),
            "population_mix": concordance_of(order, days, at_large),
        }

    return bootstrap(statistic, bench.component, seed=bench.seed)
