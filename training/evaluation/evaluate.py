"""All sections on all benches, one after the other, each kept as soon as it is done; then the one file."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from app.artifacts import Bundle, load_bundle
from app.documents import EVALUATION
from app.errors import SetupError
from app.files import written_whole
from app.harm.harm_index import HarmIndex
from training.documents.write import write_documents
from training.evaluation import worlds
from training.evaluation.bench import Bench, check_index, open_bench
from training.evaluation.code import code_digest
from training.evaluation.intervals import nested
from training.evaluation.joining import Results, joined, reasons
from training.evaluation.left_out import ON_REQUEST, left_out
from training.evaluation.sections import SECTIONS, Measured, Section
from training.evaluation.standing import OWN, stands_for, worlds_beside
from training.evaluation.work import Work
from training.families import find_family
from training.harm.artefact import library_versions
from training.harm.progress import Stages

FORMAT = 1
_PREPARING = 2
_FITTING = 5
_SYNTHETIC = (
    "Measured on synthetic people: nobody in it exists. It shows how the method behaves and that every figure can be "
    "checked, not how well it would do on a force's own records."
)
_OWN = "Measured on the extract of a force. What needs an invented one (oracle, worlds, fidelity) is left out."


@dataclass(frozen=True)
class Run:
    """One evaluation: the artefact, what to measure it on (`own` a force's extract, or None for invented worlds), which
    sections (`only`, empty for all), and what is not measured, name -> reason (`left_out`)."""

    bundle: Bundle
    index: HarmIndex
    work: Work
    own: Path | None
    only: frozenset[str]
    seed: int
    jobs: int
    stages: Stages
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def benches(self) -> tuple[str, ...]:
        """Names of the benches, the artefact's own first."""
        if self.own is not None:
            return (OWN,)
        beside = worlds_beside(worlds.origin_of(self.bundle).world)
        return tuple(name for name in beside if stands_for(name) not in self.left_out)

    def sections(self, bench: str) -> list[Section]:
        """What is measured on a bench; sections at the top of the file only on the artefact's own."""
        return [
            section
            for section in SECTIONS
            if section.belongs(bench)
            and (section.name in self.only or section.name not in self.left_out)
            and (section.of_world or bench == self.benches[0])
            and (not self.only or section.name in self.only)
        ]


def evaluate(
    artefact: Path,
    folder: Path,
    index: HarmIndex,
    *,
    own: Path | None = None,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
    join: bool = False,
    seed: int = 1,
    jobs: int = 2,
    stages: Stages | None = None,
) -> Path:
    """Measure one artefact; steps are kept in `folder`. Returns the file written: `evaluation.json` beside the artefact,
    with all documents made from it, or, where `only` some sections were asked for, in `folder`; `join` puts these into the
    file beside the artefact instead. Sections `without` are left out, and the file says so.

    Raises SetupError where the artefact did not learn from `own` (from this generator where `own` is None) with `index`,
    or where the file to join was not measured of the same artefact with the same seed and libraries.
    """
    unknown = {*only, *without} - {section.name for section in SECTIONS}
    if unknown:
        raise SetupError(f"No section of that name. Known sections: {', '.join(section.name for section in SECTIONS)}.")
    work = Work(folder, {"format": FORMAT, "libraries": library_versions()})
    bundle = load_bundle(artefact)
    missing = left_out(find_family(bundle.manifest.family).name)
    if set(only) & set(missing):
        raise SetupError(f"Of {bundle.manifest.family} these sections are not measured: {', '.join(missing)}.")
    check_index(bundle, index)
    before = reasons(artefact / EVALUATION) if join else dict.fromkeys(without, ON_REQUEST)
    missing = {**before, **missing}
    run = Run(bundle, index, work, own, frozenset(only), seed, jobs, stages or Stages(), missing)
    total = sum(_minutes(run, bench) for bench in run.benches)
    with run.stages.stage("Evaluation", total) as done:
        measured = {bench: _measure(run, bench, done) for bench in run.benches}
    beside = join or not only
    if join:
        measured = joined(artefact / EVALUATION, _header(run), run.benches, measured)
    target = (artefact if beside else folder) / EVALUATION
    with written_whole(target) as file:
        file.write(_text(run, measured))
    if beside:
        write_documents(artefact)
    return target


def _measure(run: Run, name: str, done: Callable[[], None]) -> dict[str, Any]:
    """Sections of one bench, name -> result; the bench is only opened if one of them is not kept."""
    sections = run.sections(name)
    if not sections:
        return {}
    ground, bundle = _prepared(run, name)
    scope = run.work.under(bench=name, artefact=bundle.manifest_sha256, extract=ground.digest, seed=run.seed)
    for _ in range(_preparing(run, name)):
        done()
    opened: list[Bench] = []

    def measured(section: Section, own_work: Work) -> Measured:
        if not opened:
            opened.append(_open(run, name, ground, bundle, scope))
        started = time.monotonic()
        found = section.measure(replace(opened[0], work=own_work), run.stages)
        run.stages.say(f"{name}: {section.name} measured in {time.monotonic() - started:.0f} s")
        return found

    results: dict[str, Any] = {"learnt_from": bundle.manifest.learnt_from}
    for section in sections:
        own_work = scope.under(section=section.name, code=code_digest(section.measure.__module__))
        results[section.name] = own_work.step(f"{name}-{section.name}", partial(measured, section, own_work))
        for _ in range(section.minutes):
            done()
    return results


def _prepared(run: Run, name: str) -> tuple[worlds.Ground, Bundle]:
    if run.own is not None:
        return worlds.own_extract(run.own), run.bundle
    origin = worlds.origin_of(run.bundle)
    ground = worlds.invent(name, origin, run.work, run.stages)
    if name == origin.world:
        return ground, run.bundle
    return ground, worlds.fitted(name, ground, run.index, run.bundle, run.work, run.jobs, run.stages)


def _open(run: Run, name: str, ground: worlds.Ground, bundle: Bundle, scope: Work) -> Bench:
    return open_bench(
        name,
        ground.folder,
        bundle,
        run.index,
        work=scope,
        latents=ground.latents,
        seed=run.seed,
        jobs=run.jobs,
        stages=run.stages,
    )


def _preparing(run: Run, bench: str) -> int:
    return _PREPARING if bench == run.benches[0] else _PREPARING + _FITTING


def _minutes(run: Run, bench: str) -> int:
    sections = run.sections(bench)
    return sum(section.minutes for section in sections) + _preparing(run, bench) if sections else 0


def _header(run: Run) -> dict[str, Any]:
    """On what, with what; no times, no paths."""
    manifest = run.bundle.manifest
    return {
        "format": FORMAT,
        "notice": notice_of(run.own),
        "artefact": {
            "family": manifest.family,
            "version": manifest.version,
            "manifest_sha256": run.bundle.manifest_sha256,
            "learnt_from": manifest.learnt_from,
        },
        "seed": run.seed,
        "libraries": library_versions(),
    }


def notice_of(own: Path | None) -> str:
    """The first line of every document: measured on invented people, or on a force's own extract."""
    return _SYNTHETIC if own is None else _OWN


def _text(run: Run, measured: Results) -> bytes:
    """The file: what was measured, under what it was measured on."""
    top = {section.name for section in SECTIONS if not section.of_world}
    home = measured[run.benches[0]]
    missing = {name: why for name, why in run.left_out.items() if not _found(name, measured)}
    document = {
        **_header(run),
        **({"left_out": missing} if missing else {}),
        **nested({name: found for name, found in home.items() if name in top}),
        "worlds": {
            bench: nested({name: found for name, found in results.items() if name not in top})
            for bench, results in measured.items()
            if results
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _found(name: str, measured: Results) -> bool:
    """Was it measured after all, now or when the file was first written?"""
    return any(name in results for results in measured.values())
