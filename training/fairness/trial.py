"""Does the audit cry wolf? It is tried where nothing is wrong, twice.

Dealt anew: the very people and answers that are audited, but who belongs to which group is dealt at random. That is how a
synthetic force gives out ethnicity while its recording knob is off, with the real model and the real size.

Fresh forces: small forces with the knob off, each invented from another seed, with a quick model in place of the stack
(`training.fairness.stand_in`): here age and gender belong to the people they belong to.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from app.harm.features import Ints
from app.harm.harm_index import index_in_force
from app.settings import read_settings
from training.fairness.attributes import Attribute, attributes_of
from training.fairness.audit import Divided, measured, verdicts
from training.fairness.rates import Audited, audited, flag_cells, miss_cells
from training.fairness.stand_in import stand_in
from training.fairness.suppression import hidden, shown
from training.harm.fit import prepare
from training.harm.parallel import run
from training.harm.progress import Stages
from training.split import harm_groups
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.truth import true_future_harm
from training.synthetic.world import World

TRIALS = 20
FRESH_NOMINALS = 5_000
_REPLICATES = 200
Findings = list[dict[str, Any]]


def dealt_anew(people: Audited, attributes: list[Attribute], component: Ints, seed: int) -> dict[str, Any]:
    """Twenty audits of the same people with every attribute dealt anew; how many found nothing."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(TRIALS):
        dealt = [attribute.take(rng.permutation(len(attribute.member))) for attribute in attributes]
        found.append(findings(people, dealt, component, seed))
    return _summary(found)


def fresh_forces(jobs: int, stages: Stages) -> dict[str, Any]:
    """Twenty small forces with the recording knob off, audited against true harm; how many gave no finding."""
    tasks = [partial(fresh_force, seed, World(), FRESH_NOMINALS) for seed in range(1, TRIALS + 1)]
    with stages.stage("Fresh forces", TRIALS) as done:
        return {"nominals": FRESH_NOMINALS, "model": "stand-in", **_summary(run(tasks, jobs=jobs, done=done))}


def fresh_force(seed: int, world: World, nominals: int) -> Findings:
    """Findings on one invented force, with the stand-in model and true harm."""
    index = index_in_force(read_settings().harm_index)
    with tempfile.TemporaryDirectory() as place:
        folder, latents = Path(place) / "extract", Path(place) / "latents.parquet"
        write(generate(nominals, seed, world), folder, world="trial", seed=seed, nominals=nominals, latents=latents)
        data = prepare(folder, index, seed, Stages())
        harm = true_future_harm(data.extract, data.labelled, latents, index)
    people = audited(harm_groups(harm, data.split.cuts), stand_in(data, seed))
    return findings(people, attributes_of(data), data.labelled.component, seed)


def findings(people: Audited, attributes: list[Attribute], component: Ints, seed: int) -> Findings:
    """Everything one audit finds, with the attribute it belongs to."""
    divided = {
        one.name: Divided(
            shown(one, hidden(flag_cells(people, one))).attribute, shown(one, hidden(miss_cells(people, one))).attribute
        )
        for one in attributes
    }
    judged = verdicts(measured(people, divided, component, seed=seed, replicates=_REPLICATES), divided)
    return [{"attribute": name, **finding} for name, verdict in judged.items() for finding in verdict["findings"]]


def _summary(found: list[Findings]) -> dict[str, Any]:
    return {
        "trials": len(found),
        "silent": sum(not one for one in found),
        "findings": [finding for one in found for finding in one],
    }
