"""Section "fidelity": the world the artefact learnt in against every figure the report prints, over several seeds."""

from typing import Any

from app.harm.harm_index import index_in_force
from app.settings import read_settings
from training.evaluation.bench import Bench
from training.harm.progress import Stages
from training.synthetic.check import Plan, check

SEEDS = 5
STACK_SEEDS = 2
"""Forces a stack is fitted for as well: minutes each; `dayzero-train synth --check` fits one for every seed."""


def measure_fidelity(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Mean, spread and verdict of every figure, from forces of the artefact's size; the S&H force is left to `synth`."""
    every = tuple(range(bench.seed, bench.seed + SEEDS))
    plan = Plan(bench.name, len(bench.data.labelled.person), every, every[:STACK_SEEDS], ())
    index = index_in_force(read_settings().harm_index)
    return check(plan, index, bench.work.folder / "fidelity", jobs=bench.jobs, stages=stages)
