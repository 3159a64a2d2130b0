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
