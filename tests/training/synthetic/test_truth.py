"""True future harm: against a slow count from the tables, never below the recorded, and unequal where recording is."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.errors import SetupError
from app.extract.load import Extract, load_extract
from app.extract.rules import VICTIM_ROLE
from app.harm.features import Floats
from app.harm.harm_index import HarmIndex, load_harm_index
from training.labels import Labelled, label
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.offences import DOMESTIC_NON_CRIME, KIND, KINDS, OTHER_NON_CRIME
from training.synthetic.people import ETHNICITIES
from training.synthetic.truth import kind_harms, true_future_harm

INDEX = load_harm_index()


def force(folder: Path, world: str, nominals: int, seed: int) -> tuple[Extract, Labelled, Path]:
    latents = folder / "truth.parquet"
    write(generate(nominals, seed, world), folder / "x", world=world, seed=seed, nominals=nominals, latents=latents)
    extract = load_extract(folder / "x", INDEX)
    return extract, label(extract), latents


def slow_truth(extract: Extract, labelled: Labelled, latents: Path) -> Floats:
    """Person by person, act by act."""
    lists = {row["person_id"]: row for row in pq.read_table(latents).to_pylist()}
    kinds = {kind.name: kind for kind in KINDS}
    truth = []
    for number, person in enumerate(labelled.person_id):
        begin = int(labelled.histories.day_zero[number])
        total = 0.0
        for row in np.flatnonzero(extract.person == labelled.person[number]):
            incident = extract.incident[row]
            if extract.role[row] != VICTIM_ROLE and 0 < extract.occurred[incident] - begin <= 365:
                total += extract.harm[incident]
        known = lists[person]
        for day, name, told in zip(known["act_on"], known["act_kind"], known["act_told"], strict=True):
            if told is None and timedelta(0) < day - (date(1970, 1, 1) + timedelta(begin)) <= timedelta(365):
                total += kind_harm(kinds[name].codes, name, INDEX)
        truth.append(total)
    return np.array(truth)


def kind_harm(codes: tuple[str, ...], name: str, index: HarmIndex) -> float:
    if name == "domestic non-crime":
        return 0.30 * 1 + 0.25 * 2 + 0.20 * 3 + 0.15 * 5 + 0.10 * 10
    found = [index.lookup(code) for code in codes]
    return sum(offence.harm for offence in found if offence is not None) / len(found) if found else 0.0


def test_truth_is_what_a_slow_count_finds(tmp_path: Path) -> None:
    extract, labelled, latents = force(tmp_path, "published", 400, 3)
    found = true_future_harm(extract, labelled, latents, INDEX)
    assert found == pytest.approx(slow_truth(extract, labelled, latents))
    assert (found >= labelled.future_harm - 1e-9).all()
    assert (found > labelled.future_harm).sum() > 20


def test_harm_of_kinds() -> None:
    harms = kind_harms(INDEX)
    assert harms[KIND["murder"]] == 5475
    assert harms[OTHER_NON_CRIME] == 0
    assert harms[DOMESTIC_NON_CRIME] == pytest.approx(3.15)
    assert (np.delete(harms, OTHER_NON_CRIME) > 0).all()


def test_unequal_recording_shows_in_what_is_recorded_of_what_is_true(tmp_path: Path) -> None:
    """Shares of people with any harm: sums of harm rest on a few grave acts and scatter in a force of this size."""
    shares = {}
    for world in ("published", "unequal"):
        extract, labelled, latents = force(tmp_path / world, world, 4000, 2)
        truth = true_future_harm(extract, labelled, latents, INDEX)
        assert extract.ethnicity is not None
        largest = extract.ethnicity[labelled.person] == next(iter(ETHNICITIES))
        recorded = labelled.future_harm
        shares[world] = [float((recorded[of] > 0).mean() / (truth[of] > 0).mean()) for of in (largest, ~largest)]
    assert shares["published"][1] / shares["published"][0] == pytest.approx(1.0, abs=0.04)
    assert shares["unequal"][1] / shares["unequal"][0] > 1.08


def test_latents_of_another_force_and_none_at_all(tmp_path: Path) -> None:
    extract, labelled, _ = force(tmp_path / "a", "published", 60, 1)
    _, _, smaller = force(tmp_path / "b", "published", 20, 2)
    with pytest.raises(SetupError, match="too few"):
        true_future_harm(extract, labelled, smaller, INDEX)
    with pytest.raises(SetupError, match="cannot be read"):
        true_future_harm(extract, labelled, tmp_path / "nothing.parquet", INDEX)
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(SetupError, match="cannot be read"):
        true_future_harm(extract, labelled, tmp_path / "text.parquet", INDEX)
    with pytest.raises(SetupError, match="cannot be read"):
        true_future_harm(extract, labelled, tmp_path / "a" / "x" / "persons.parquet", INDEX)
