"""Section "fidelity": the world the artefact learnt in against every figure the report prints, over several seeds."""

from typing import Any

from app.harm.harm_index import index_in_force
from app.settings import read_settings
from training.evaluation.bench import Bench
from training.evaluation.worlds import Origin, origin_of
from training.families import PUBLISHED_NOMINALS, SH_NOMINAL, STALKING_NOMINAL, Family
from training.harm.progress import Stages
from training.synthetic.check import Plan, check

SEEDS = 5
STACK_SEEDS = 2
"""Forces a stack is fitted for as well: minutes each; `dayzero-train synth --check` fits one for every seed."""
LARGE_SEEDS = 2
"""Forces of all who stalk or harass: three times as many people."""


def measure_fidelity(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Mean, spread and verdict of every figure, from forces of the artefact's size and population."""
    index = index_in_force(read_settings().harm_index)
    asked = plan(bench.name, bench.data.family, origin_of(bench.model.bundle), bench.seed)
    return check(asked, index, bench.work.folder / "fidelity", jobs=bench.jobs, stages=stages)


def plan(world: str, family: Family, origin: Origin, seed: int) -> Plan:
    """What is invented and measured: the figures of the report's own stack only for the family it is of."""
    every = tuple(range(seed, seed + SEEDS))
    if family is SH_NOMINAL:
        nominals = round(origin.nominals * PUBLISHED_NOMINALS / SH_NOMINAL.parts.labelled)
        return Plan(world, nominals, (), (), every[:LARGE_SEEDS])
    return Plan(world, origin.nominals, every, every[:STACK_SEEDS] if family is STALKING_NOMINAL else (), ())
