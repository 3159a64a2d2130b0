"""The side file says exactly what happened, and how the police saw it."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import SetupError
from app.extract.load import load_extract
from app.harm.harm_index import load_harm_index
from training.labels import label
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.latents import latents_of, read_latents
from training.synthetic.people import People
from training.synthetic.police import NEVER
from training.synthetic.world import WORLDS

CLEAN = replace(WORLDS["published"], dirt=0.0, company_share=0.0)


def test_file_and_table_say_the_same(tmp_path: Path) -> None:
    force = generate(120, 2)
    write(force, tmp_path / "x", world="published", seed=2, nominals=120, latents=tmp_path / "truth.parquet")
    one, other = latents_of(force.latents), read_latents(tmp_path / "truth.parquet")
    assert one.world == other.world == WORLDS["published"]
    for field in fields(People):
        assert np.array_equal(getattr(one.people, field.name), getattr(other.people, field.name)), field.name
    assert np.array_equal(one.acts.day, other.acts.day)
    assert np.array_equal(one.told, other.told)
    assert np.array_equal(one.casework.released, other.casework.released)


def test_everything_recorded_is_there_with_its_day_and_nothing_else_is_told(tmp_path: Path) -> None:
    force = generate(150, 3, CLEAN)
    write(force, tmp_path / "x", world="published", seed=3, nominals=150)
    extract, truth = load_extract(tmp_path / "x", load_harm_index()), latents_of(force.latents)
    row = {name: number for number, name in enumerate(truth.person_id.tolist())}
    nominal = np.array([row.get(name, -1) for name in extract.person_id.tolist()])[extract.person]
    theirs = (extract.role != 4) & (nominal >= 0)
    on_file = sorted(zip(nominal[theirs], extract.occurred[extract.incident[theirs]], strict=True))
    known = truth.told < NEVER
    told = sorted(zip(truth.acts.person[known], truth.told[known], strict=True))
    # "recorded twice" also drops a few true incidents that look the same: at most the difference of one in a hundred
    assert 0 <= len(told) - len(on_file) < len(told) / 100
    assert set(on_file) <= set(told)
    assert (~known).mean() > 0.1
    assert (truth.casework.recorded[~known] == NEVER).all()
    assert len(label(extract).person) == 150


def test_acts_are_ordered_by_person_and_day() -> None:
    acts = latents_of(generate(100, 4).latents).acts
    assert (np.lexsort((acts.day, acts.person)) == np.arange(len(acts))).all()


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing", None])
def test_refuses_what_is_no_latents_file(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "truth.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match="latents file cannot be read"):
        read_latents(path)


def test_refuses_a_table_of_something_else(tmp_path: Path) -> None:
    write(generate(20, 1), tmp_path / "x", world="published", seed=1, nominals=20)
    with pytest.raises(SetupError, match="latents file cannot be read"):
        read_latents(tmp_path / "x" / "persons.parquet")


def test_what_others_did_to_each_victim_is_there_with_its_day(tmp_path: Path) -> None:
    clean = replace(WORLDS["published-victims"], dirt=0.0)
    force = generate(150, 3, clean)
    write(force, tmp_path / "x", world="published-victims", seed=3, nominals=150)
    extract, truth = load_extract(tmp_path / "x", load_harm_index()), latents_of(force.latents)
    known = set(truth.person_id.tolist())
    by_nominals = np.zeros(len(extract.occurred), dtype=np.bool_)
    theirs = np.array([name in known for name in extract.person_id.tolist()])[extract.person] & (extract.role != 4)
    by_nominals[extract.incident[theirs]] = True
    harmed = (extract.role == 4) & ~by_nominals[extract.incident]
    names, days = extract.person_id[extract.person[harmed]], extract.occurred[extract.incident[harmed]]
    suffered = truth.exposed.suffered
    rows = np.flatnonzero(suffered.told < NEVER)
    told = list(zip(truth.exposed_id[suffered.acts.person[rows]], suffered.told[rows], strict=True))
    assert 0 <= len(told) - int(harmed.sum()) <= len(told) / 50, "less those that look alike"
    assert set(zip(names, days, strict=True)) == set(told)
    assert 0.1 < (suffered.told == NEVER).mean() < 0.6
    assert (suffered.by.min(), suffered.by.max()) == (0, 4)
    assert (np.lexsort((suffered.acts.day, suffered.acts.person)) == np.arange(len(suffered.by))).all()


def test_whom_nominals_stalk_is_there_by_name(tmp_path: Path) -> None:
    force = generate(150, 3, CLEAN)
    write(force, tmp_path / "x", world="published", seed=3, nominals=150)
    extract, truth = load_extract(tmp_path / "x", load_harm_index()), latents_of(force.latents)
    assert not len(truth.exposed_id)
    whom = dict(zip(truth.person_id, truth.victim_id, strict=True))
    stalking, names = extract.classes[:, 3], extract.person_id
    victims: dict[int, set[str]] = {}
    for incident, person in zip(extract.incident[extract.role == 4], extract.person[extract.role == 4], strict=True):
        victims.setdefault(int(incident), set()).add(names[person])
    for row in np.flatnonzero((extract.role != 4) & stalking[extract.incident]):
        assert whom[names[extract.person[row]]] in victims[int(extract.incident[row])]
