"""The synthetic force: exact size, same bytes for the same seed, prison stops offending, latents stay outside."""

import filecmp
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from app.errors import SetupError
from app.extract.load import Extract, load_extract
from app.extract.rules import ELIMINATED_ROLE
from app.harm.harm_index import load_harm_index
from training.labels import label
from training.synthetic.casefile import in_prison
from training.synthetic.folder import write
from training.synthetic.force import Force, generate
from training.synthetic.latents import latents_of
from training.synthetic.offences import KINDS
from training.synthetic.people import ETHNICITIES, draw_people
from training.synthetic.police import NEVER, drop_acts_in_prison, work
from training.synthetic.process import live
from training.synthetic.tables import SCHEMAS
from training.synthetic.world import WORLDS

WORLD = WORLDS["published"]
END = (WORLD.end - date(1970, 1, 1)).days


def loaded(force: Force, folder: Path) -> Extract:
    write(force, folder, world="published", seed=0, nominals=0)
    return load_extract(folder, load_harm_index())


@pytest.mark.parametrize("nominals", [1, 2, 7, 60, 500])
@pytest.mark.parametrize("seed", [0, 1])
def test_exact_number_of_labelled_nominals(nominals: int, seed: int, tmp_path: Path) -> None:
    extract = loaded(generate(nominals, seed), tmp_path / "x")
    assert extract.end == END
    assert len(label(extract).person) == nominals


def test_those_cleared_before_recording_are_not_counted_as_labelled(tmp_path: Path) -> None:
    hasty = replace(WORLD, eliminated_share=0.5, elimination_days=1.0)
    extract = loaded(generate(200, 1, hasty), tmp_path / "x")
    cleared = (extract.role == ELIMINATED_ROLE) & (extract.eliminated <= extract.recorded[extract.incident])
    assert cleared.sum() > 100
    assert len(label(extract).person) == 200


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        write(generate(80, seed), tmp_path / name, world="published", seed=seed, nominals=80)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["SYNTHETIC.txt", *sorted(f"{table}.parquet" for table in SCHEMAS)]
    assert filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", names, shallow=False)[0] == names
    assert filecmp.cmpfiles(tmp_path / "a", tmp_path / "c", names, shallow=False)[1] == names


def test_real_dates_and_no_harm_scores_for_crimes() -> None:
    tables = generate(80, 4).tables
    assert {name: table.schema for name, table in tables.items()} == SCHEMAS
    incidents = tables["incidents"]
    assert pc.all(pc.equal(pc.is_null(incidents["offence_code"]), incidents["is_non_crime"])).as_py()
    scored = incidents.filter(pc.is_valid(incidents["harm_score"]))
    assert set(scored["harm_score"].to_pylist()) == {1.0, 2.0, 3.0, 5.0, 10.0}
    assert pc.all(pc.and_(scored["is_non_crime"], scored["is_domestic"])).as_py()


def test_every_code_is_in_the_harm_index() -> None:
    index = load_harm_index()
    assert all(index.lookup(code) is not None for kind in KINDS for code in kind.codes)


def test_dirt_of_every_kind_and_none_when_asked(tmp_path: Path) -> None:
    dirty = loaded(generate(1500, 2), tmp_path / "dirty").counts
    clean = loaded(generate(1500, 2, replace(WORLD, dirt=0.0)), tmp_path / "clean").counts
    made = {
        *("repeated-row", "several-roles-on-incident", "unknown-birth-date", "date-before-birth", "recorded-twice"),
        *("date-in-the-future", "unknown-code", "slashed-code", "domestic-non-crime-unscored"),
    }
    assert all(dirty[rule] > 0 for rule in (*made, "placeholder-1-january", "recorded-a-year-late"))
    # Some of it happens by itself: two arrests on a day, two like incidents on a day, a companion who is the victim too.
    natural = {"repeated-row": 40, "several-roles-on-incident": 60, "recorded-twice": 40, "date-before-birth": 10}
    assert all(clean[rule] <= natural.get(rule, 0) for rule in made)
    assert all(dirty[rule] > 2 * clean[rule] for rule in made)


def test_latents_are_not_in_the_extract(tmp_path: Path) -> None:
    force = generate(60, 1)
    delivered = {name for table in force.tables.values() for name in table.column_names}
    assert not delivered & (set(force.latents.column_names) - {"person_id"})
    write(force, tmp_path / "x", world="published", seed=1, nominals=60, latents=tmp_path / "side" / "truth.parquet")
    assert (tmp_path / "side" / "truth.parquet").is_file()
    persons = set(force.tables["persons"]["person_id"].to_pylist())
    assert set(force.latents["person_id"].to_pylist()) <= persons


def test_nobody_offends_from_inside_prison_nor_because_of_what_never_happened() -> None:
    rng = np.random.default_rng(8)
    people = draw_people(rng, 4000, WORLD, END)
    acts, _ = live(rng, people, WORLD, END)
    casework = work(rng, people, acts, WORLD, END)
    happens = drop_acts_in_prison(acts, casework)
    rows = np.flatnonzero(happens)
    assert (~happens).sum() > 500
    inside = in_prison(acts.person[rows], casework.take(rows), acts.person[rows], acts.day[rows] - 1)
    assert not (inside & in_prison(acts.person[rows], casework.take(rows), acts.person[rows], acts.day[rows])).any()
    excited = rows[acts.parent[rows] >= 0]
    assert happens[acts.parent[excited]].all()
    assert (acts.day[excited] >= acts.day[acts.parent[excited]]).all()


def test_stages_come_in_order() -> None:
    rng = np.random.default_rng(9)
    people = draw_people(rng, 2000, WORLD, END)
    acts, stops = live(rng, people, WORLD, END)
    casework = work(rng, people, acts, WORLD, END)
    assert (acts.day >= people.career_start[acts.person]).all()
    assert (acts.day <= stops[acts.person]).all()
    for later, earlier in (
        (casework.recorded, acts.day),
        (casework.charged, casework.recorded),
        (casework.eliminated, casework.recorded),
        (casework.imprisoned, casework.charged),
        (casework.released, casework.imprisoned),
    ):
        come = later < NEVER
        assert come.any()
        assert (later[come] >= earlier[come]).all()
    assert not ((casework.charged < NEVER) & (casework.eliminated < NEVER)).any()


def test_incidents_excite_incidents() -> None:
    """With excitement the days after an incident see more of the next; without, no more than any others."""
    calm = replace(WORLD, excitement=0.0, stalking_excitement=0.0, outburst_share=0.0)
    shares = []
    for world in (WORLD, calm):
        rng = np.random.default_rng(10)
        acts, _ = live(rng, draw_people(rng, 3000, world, END), world, END)
        shares.append(float((acts.parent >= 0).mean()))
    assert shares[0] > 0.1
    assert shares[1] == 0.0


def test_ethnicity_changes_recording_only_with_the_knob() -> None:
    largest = next(iter(ETHNICITIES))

    def recorded_share(gap: float) -> tuple[float, float]:
        force = generate(1500, 3, replace(WORLD, ethnicity_recording_gap=gap))
        persons = force.tables["persons"].combine_chunks()
        ethnicity = dict(zip(persons["person_id"].to_pylist(), persons["ethnicity"].to_pylist(), strict=True))
        ids = force.latents["person_id"].to_pylist()
        of_largest = np.array([ethnicity[person] == largest for person in ids])
        truth = latents_of(force.latents)
        missed = np.bincount(truth.acts.person[truth.told == NEVER], minlength=len(ids))
        rate = np.exp(truth.people.log_rate)
        return tuple(float(missed[rows].sum() / rate[rows].sum()) for rows in (of_largest, ~of_largest))

    off, on = recorded_share(0.0), recorded_share(1.5)
    assert 0.75 < off[1] / off[0] < 1.33
    assert on[1] / on[0] < 0.5


def test_companions_never_chain_beyond_their_company(tmp_path: Path) -> None:
    labelled = label(loaded(generate(1500, 6), tmp_path / "x"))
    sizes = np.unique(labelled.component, return_counts=True)[1]
    assert 1 < sizes.max() <= len(WORLD.group_shares)


def test_unknown_world_and_size() -> None:
    with pytest.raises(SetupError, match="published"):
        generate(10, 1, "utopia")
    with pytest.raises(SetupError, match="at least one"):
        generate(0, 1)
