"""The measured figures as the records speak of them: one flat vocabulary for every text.

A text such as `{{ here.precision }}` finds its figure here and nowhere else. What was not measured says so.
"""

from typing import Any

from app.artifacts import Manifest
from app.harm.caveats import errors_among
from app.harm.explanation import FACTORS
from training.documents.chapters import (
    ablations,
    comparison,
    errors,
    fairness,
    fidelity,
    missed,
    validation,
    workload,
    zoo,
)
from training.documents.chapters.common import MEASURES
from training.documents.dataset import dataset
from training.documents.facts import Facts, View
from training.documents.subjects import STAGES
from training.documents.words import MISSING, UNSAID, figure, share
from training.harm.structure import parse_stack

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SURVIVAL = ("concordance", "integrated_brier")


def vocabulary(facts: Facts) -> dict[str, Any]:
    """Every name a text may use."""
    return {
        "manifest": facts.manifest,
        "manifest_sha256": facts.manifest_sha256,
        "synthetic": facts.synthetic,
        "notice": facts.notice,
        "committee": errors.committee(facts) or UNSAID,
        "about": facts.about,
        "case": facts.case,
        "stack": _stack(facts.manifest),
        "figures": len(facts.manifest.features),
        "survival_figures": len(facts.manifest.survival_features),
        "factors": _factors(facts.manifest),
        "here": _figures(facts, facts.here),
        "sober": _figures(facts, facts.sober),
        "workload": {"sentence": workload.told(facts) or facts.absent("workload")},
        "missed": {"sentence": missed.told(facts) or facts.absent("missed_cases")},
        "fairness": {"sentence": fairness.told(facts) or facts.absent("fairness")},
        "fidelity": {"sentence": fidelity.told(facts) or facts.absent("fidelity")},
        "validation": {"time_sentence": validation.time_told(facts.here) or UNSAID},
        "zoo": {"sentence": zoo.told(facts) or facts.absent("zoo")},
        "dataset": dataset(facts.manifest),
    }


def _factors(manifest: Manifest) -> str:
    """How many factors an answer is explained by: those of which the model reads anything."""
    return _COUNTS[sum(bool(set(members) & set(manifest.features)) for members in FACTORS.values())]


def _stack(manifest: Manifest) -> dict[str, str]:
    """Both stages of the classifier in words, and the name of the second."""
    found = parse_stack(manifest.metrics["fit"]["stack"])
    one, other = (STAGES.get(name, name) for name in found.first)
    return {
        "first": f"{one} and {other}",
        "second": STAGES.get(found.second, found.second),
        "second_name": found.second,
    }


def _figures(facts: Facts, world: View) -> dict[str, str]:
    """Figures of one world; test mix unless the name says otherwise."""
    at_test_mix = world.under("metrics.test_mix")
    found = {name: show(at_test_mix.at(name)) for name, (_, show) in MEASURES.items() if "." not in name}
    found |= {name: figure(world.at(f"survival.shown.population_mix.{name}")) for name in _SURVIVAL}
    cumulative = comparison.rivals_of(world).get("cumulative_harm", View(None))
    return found | {
        **_counts(world.at("metrics.population_mix.confusion")),
        "auc_top_lowest": figure(at_test_mix.at("auc.top_against_lowest")),
        "ece": share(world.at("calibration.population_mix.expected_calibration_error")),
        "flagged_population": share(world.at("metrics.population_mix.flagged")),
        "baseline_top_2_accuracy": share(cumulative.at("top_2_accuracy")),
        "baselines_sentence": comparison.told(world) or UNSAID,
        "oracle_sentence": comparison.oracle_told(world) or _reason(facts, "oracle"),
        "no_gender": ablations.told(world, "no_gender") or f"an amount that was {MISSING}.",
        "no_suspects": ablations.told(world, "no_suspects") or f"an amount that was {MISSING}.",
    }


def _reason(facts: Facts, section: str) -> str:
    """Why a section was left out; nothing where it only was not measured."""
    found = facts.absent(section)
    return "" if found == UNSAID else found


def _counts(confusion: Any) -> dict[str, str]:
    """Flags and false ones out of a thousand people as they come."""
    if not confusion:
        return dict.fromkeys(("flagged_per_1000", "false_per_1000"), MISSING)
    counts = errors_among(errors.OUT_OF, confusion)
    return {"flagged_per_1000": f"{counts.flagged:.0f}", "false_per_1000": f"{counts.falsely:.0f}"}
