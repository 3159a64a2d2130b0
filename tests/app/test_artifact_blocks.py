"""Manifest format 2: each block whole or refused by name; format 1 still loads, and has none of them."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.artifacts import load_bundle
from app.errors import SetupError
from app.harm.model import HarmModel
from tests.toy_bundle import as_format_1, write_toy

ARTIFACTS = Path(__file__).parents[2] / "model_artifacts"
Change = Callable[[dict[str, Any]], Any]


def conformal(**members: Any) -> Change:
    return lambda manifest: manifest["robustness"]["conformal"].update(members)


def experience(**members: Any) -> Change:
    return lambda manifest: manifest["robustness"]["experience"].update(members)


def band(**members: Any) -> Change:
    return lambda manifest: manifest["robustness"]["experience"]["bands"][2].update(members)


def drift(**members: Any) -> Change:
    return lambda manifest: manifest["robustness"]["drift"].update(members)


def cell(value: float, row: int = 3, column: int = 3) -> Change:
    def apply(manifest: dict[str, Any]) -> None:
        manifest["robustness"]["experience"]["bands"][1]["precision"][row][column] = value

    return apply


def age_bins(**members: Any) -> Change:
    return lambda manifest: manifest["robustness"]["drift"]["features"]["age_at_offence"].update(members)


BROKEN: dict[str, tuple[Change, str]] = {
    "format 2 without the blocks": (lambda m: m.pop("robustness"), "robustness"),
    "format 2 with null blocks": (lambda m: m.update(robustness=None), "robustness"),
    "format 1 with blocks": (lambda m: m.update(format=1), "robustness"),
    "format 0": (lambda m: m.update(format=0), "format"),
    "format 3": (lambda m: m.update(format=3), "format"),
    "a block missing": (lambda m: m["robustness"].pop("drift"), "robustness.drift"),
    "an unknown block": (lambda m: m["robustness"].update(surprise={}), "robustness.surprise"),
    "blocks a list": (lambda m: m.update(robustness=[]), "robustness"),
    "no thresholds": (conformal(thresholds=[]), "conformal.thresholds"),
    "three thresholds": (conformal(thresholds=[0.1] * 3), "conformal.thresholds"),
    "a threshold above 1": (conformal(thresholds=[0.1, 0.2, 1.1, 0.4]), "conformal.thresholds.2"),
    "a threshold below 0": (conformal(thresholds=[0.1, 0.2, -0.1, 0.4]), "conformal.thresholds.2"),
    "a threshold not a number": (conformal(thresholds=[0.1, 0.2, math.nan, 0.4]), "conformal.thresholds.2"),
    "a threshold a word": (conformal(thresholds=[0.1, 0.2, "high", 0.4]), "conformal.thresholds.2"),
    "odds of nothing": (conformal(odds=[1, 1, 1, 0]), "conformal.odds.3"),
    "odds without end": (conformal(odds=[1, 1, 1, math.inf]), "conformal.odds.3"),
    "level 1": (conformal(level=1), "conformal.level"),
    "nobody behind a threshold": (conformal(people=[0, 1, 1, 1]), "conformal.people.0"),
    "five groups in a set": (conformal(mean_set_size=5), "conformal.mean_set_size"),
    "other measures": (experience(measures=["height"] * 16), "experience.measures"),
    "fewer measures than figures": (experience(measures=["age"]), "experience"),
    "lowest above highest": (experience(lowest=[20_000.0] * 16), "experience: lowest-above-highest"),
    "lowest cut short": (experience(lowest=[0.0]), "experience"),
    "no bands": (experience(bands=[]), "experience.bands"),
    "a band of other lengths": (band(longest=8), "experience.bands"),
    "a band too wide": (band(mean=[1.0] * 17), "experience.bands.2"),
    "a mean without end": (band(mean=[math.inf] * 16), "experience.bands.2.mean.0"),
    "a threshold of nothing": (band(distance=0), "experience.bands.2.distance"),
    "a negative deviation": (band(deviation=-1), "experience.bands.2.deviation"),
    "a precision cut short": (band(precision=[[1.0]]), "experience.bands.2: precision-of-another-shape"),
    "a precision not symmetric": (cell(0.5, column=4), "experience.bands.1: precision-not-symmetric"),
    "a negative precision": (cell(-1.0), "experience.bands.1: precision-not-positive"),
    "a precision of nothing": (cell(0.0), "experience.bands.1: precision-not-positive"),
    "a precision not a number": (cell(math.nan), "experience.bands.1.precision.3.3"),
    "a feature without bins": (lambda m: m["robustness"]["drift"]["features"].pop("gender"), "drift.features"),
    "bins of an unknown feature": (
        lambda m: m["robustness"]["drift"]["features"].update(height={"edges": [], "shares": [1]}),
        "drift.features",
    ),
    "edges that fall": (age_bins(edges=[5, 1]), "edges-not-rising"),
    "edges that stand": (age_bins(edges=[5, 5]), "edges-not-rising"),
    "an edge not a number": (age_bins(edges=[math.nan, 5]), "age_at_offence.edges.0"),
    "a share too few": (age_bins(shares=[0.5, 0.5]), "shares-and-edges-differ-in-number"),
    "shares above 1": (age_bins(shares=[0.5, 0.5, 0.5]), "shares-do-not-sum-to-1"),
    "a negative share": (age_bins(shares=[-0.5, 1, 0.5]), "age_at_offence.shares.0"),
    "group shares that do not sum": (drift(predicted_groups=[0.2] * 4), "drift: shares-do-not-sum-to-1"),
    "true shares that do not sum": (drift(group_shares=[0.3] * 4), "drift: shares-do-not-sum-to-1"),
    "warnings of another kind": (drift(warnings={"rain": 0.5}), "drift.warnings"),
    "an alarm before the watch": (drift(watch=0.5), "drift: watch-not-below-alarm"),
    "too few scores to speak": (drift(fewest=10), "drift.fewest"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "named"), BROKEN.values(), ids=BROKEN)
def test_a_spoilt_block_is_refused_by_name(tmp_path: Path, spoil: Change, named: str) -> None:
    folder = write_toy(tmp_path)
    load_bundle(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    spoil(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SetupError) as refused:
        load_bundle(folder)
    assert named in refused.value.detail
    assert "\n" not in refused.value.detail


def test_format_1_loads_without_the_blocks(tmp_path: Path) -> None:
    model = HarmModel(load_bundle(write_toy(tmp_path, change=as_format_1)))
    assert model.robustness is None


def test_the_first_artefact_of_the_repository_still_loads_beside_the_second() -> None:
    """Its graphs and golden cases are the same bytes; the second carries the blocks besides."""
    first, second = (load_bundle(ARTIFACTS / "stalking-nominal" / version) for version in ("1", "2"))
    assert (first.manifest.format, second.manifest.format) == (1, 2)
    assert first.manifest.files == second.manifest.files
    differing = {
        name
        for name in type(first.manifest).model_fields
        if getattr(first.manifest, name) != getattr(second.manifest, name)
    }
    assert differing == {"format", "version", "robustness"}
    assert second.manifest.robustness is not None
    assert second.manifest.robustness.experience.false_alarms <= 0.02
