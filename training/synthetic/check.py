"""A world against every published figure, over several seeds: what `dayzero-train synth --check` runs.

Seeds are independent of one another, and what each gave is kept in the work folder, so that a killed run goes on where
it was. The result is plain JSON (section "fidelity" of an evaluation): see `gathered`.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from app.errors import SetupError
from app.extract.load import load_extract
from app.harm.harm_index import HarmIndex
from training.evaluation.work import Json, Work
from training.families import SH_NOMINAL, STALKING_NOMINAL, STALKING_VICTIM
from training.harm.artefact import library_versions
from training.harm.fit import prepare
from training.harm.measure import round_floats
from training.harm.progress import Stages
from training.synthetic.fidelity import fidelity
from training.synthetic.fidelity_curves import Curves, sh_curves, stalking_curves
from training.synthetic.fidelity_rows import Row, as_json
from training.synthetic.fidelity_sh import sh_fidelity
from training.synthetic.fidelity_stack import fit_answers, stack_rows
from training.synthetic.fidelity_victims import fit_victims, victim_rows, victim_stack_rows
from training.synthetic.folder import write
from training.synthetic.force import STAGES, generate
from training.synthetic.gather import EXTRACT, SH, STACK, VICTIM_STACK, VICTIMS, gathered
from training.synthetic.sources import code_digest
from training.synthetic.world import VERSION, find_world, of_population


@dataclass(frozen=True)
class Plan:
    """What is measured: `nominals` labelled stalking nominals, the S&H force in proportion; `seeds` of the stalking
    force, those of them a stack is fitted for, and seeds of the S&H force."""

    world: str
    nominals: int
    seeds: tuple[int, ...]
    stack_seeds: tuple[int, ...]
    sh_seeds: tuple[int, ...]

    @property
    def sh_nominals(self) -> int:
        """Labelled nominals of the S&H force."""
        return max(1, round(self.nominals * SH_NOMINAL.parts.labelled / STALKING_NOMINAL.parts.labelled))


@dataclass(frozen=True)
class _Setting:
    """Where and how everything is measured."""

    plan: Plan
    index: HarmIndex
    folder: Path
    jobs: int
    stages: Stages

    @contextmanager
    def force(self, population: str, nominals: int, seed: int) -> Iterator[Path]:
        """The folder of a force invented for the time being."""
        world = of_population(find_world(self.plan.world), population)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            place = Path(tempfile.mkdtemp(prefix="force-", dir=self.folder))
        except OSError as error:
            raise SetupError(f"{self.folder} cannot be used: {error.strerror}. Name another --work folder.") from None
        try:
            with self.stages.stage(f"Force {population}, seed {seed}", len(STAGES) + 1) as done:
                force = generate(nominals, seed, world, on_stage=lambda _: done())
                write(force, place / "extract", world=self.plan.world, seed=seed, nominals=nominals)
            del force
            yield place / "extract"
        finally:
            shutil.rmtree(place, ignore_errors=True)


def check(plan: Plan, index: HarmIndex, folder: Path, *, jobs: int = 2, stages: Stages | None = None) -> Json:
    """Measure every row for every seed, keeping each in `folder`.

    Raises SetupError where there are too few nominals for the groups a stack needs, or the folder cannot be written.
    """
    setting = _Setting(plan, index, folder, jobs, stages or Stages())
    made_with = {"generator": VERSION, "libraries": library_versions(), "harm_index": index.edition}
    world = find_world(plan.world)
    work = Work(folder, {**made_with, "harm_index": index.sha256, "code": code_digest(), "world": repr(world)})
    parts: dict[str, list[Json]] = {EXTRACT: [], STACK: [], SH: [], VICTIMS: [], VICTIM_STACK: []}
    of_seed, of_stack_seed = {EXTRACT: _extract}, {STACK: _stack}
    if world.others_rate:
        of_seed, of_stack_seed = of_seed | {VICTIMS: _victims}, of_stack_seed | {VICTIM_STACK: _victim_stack}
    for seed in plan.seeds:
        key: dict[str, Any] = {"nominals": plan.nominals, "seed": seed}
        for part, measured in (of_seed | (of_stack_seed if seed in plan.stack_seeds else {})).items():
            parts[part].append(work.step(part, partial(measured, setting, seed), **key))
    for seed in plan.sh_seeds:
        parts[SH].append(work.step(SH, partial(_sh, setting, seed), nominals=plan.sh_nominals, seed=seed))
    told = asdict(plan) | {"sh_nominals": plan.sh_nominals, "end": str(world.end)}
    return gathered(told, made_with, parts)


def _extract(setting: _Setting, seed: int) -> Json:
    nominals = setting.plan.nominals
    with setting.force("stalking", nominals, seed) as folder:
        extract = load_extract(folder, setting.index)
        labelled = STALKING_NOMINAL.label(extract)
        return _found(fidelity(extract, labelled, nominals=nominals), stalking_curves(extract, labelled))


def _stack(setting: _Setting, seed: int) -> Json:
    with setting.force("stalking", setting.plan.nominals, seed) as folder:
        data = prepare(folder, setting.index, seed, setting.stages)
    answers = fit_answers(data, seed, setting.jobs, setting.stages)
    return _found(stack_rows(data, answers, setting.plan.world), {})


def _sh(setting: _Setting, seed: int) -> Json:
    nominals = setting.plan.sh_nominals
    with setting.force("sh", nominals, seed) as folder:
        extract = load_extract(folder, setting.index)
        labelled = SH_NOMINAL.label(extract)
        return _found(sh_fidelity(extract, labelled, nominals=nominals), sh_curves(extract))


def _victims(setting: _Setting, seed: int) -> Json:
    nominals = setting.plan.nominals
    with setting.force("stalking", nominals, seed) as folder:
        extract = load_extract(folder, setting.index)
        return _found(victim_rows(extract, STALKING_VICTIM.label(extract), nominals=nominals), {})


def _victim_stack(setting: _Setting, seed: int) -> Json:
    with setting.force("stalking", setting.plan.nominals, seed) as folder:
        data = prepare(folder, setting.index, seed, setting.stages, STALKING_VICTIM)
    answers = fit_victims(data, seed, setting.jobs, setting.stages)
    return _found(victim_stack_rows(data.split.groups[data.split.test], *answers, setting.plan.world), {})


def _found(rows: list[Row], curves: Curves) -> Json:
    found: Json = round_floats({"rows": [as_json(row) for row in rows], "curves": dict(curves)})
    return found
