"""The force of everyone known for stalking or harassment: its figures, its size, its bytes, and what it leaves alone."""

import filecmp
import hashlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from app.extract.load import Extract, load_extract
from app.harm.harm_index import load_harm_index
from training.families import SH_NOMINAL
from training.labels import label
from training.synthetic.command import synth
from training.synthetic.conduct import COERCIVE_CONTROL_BECAME_AN_OFFENCE, draw_conduct
from training.synthetic.fidelity_rows import Row
from training.synthetic.fidelity_sh import sh_fidelity
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.offences import COERCIVE_CONTROL, HARASSMENT, MALICIOUS_COMMUNICATIONS, RECLASSIFIED
from training.synthetic.people import draw_people
from training.synthetic.population import POPULATIONS
from training.synthetic.world import WORLDS, of_population

WORLD = of_population(WORLDS["published"], "sh")
# What chance adds to the tolerance at 3,000 nominals, in the figure's own unit.
CHANCE = {
    "S&H: labelled nominals (table 9)": 0,
    "S&H: known nominals (2.1)": 60,
    "S&H: incidents (2.1)": 250,
    "S&H: other incidents (2.1)": 5000,
    "S&H: harassment (2.2)": 0.02,
    "S&H: malicious communications (2.2)": 0.02,
    "S&H: stalking (2.2)": 0.02,
    "S&H: coercive control (2.2)": 0.01,
    "S&H: racially aggravated harassment (2.2)": 0.005,
}


def load(folder: Path) -> Extract:
    return load_extract(folder, load_harm_index())


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Extract:
    out = tmp_path_factory.mktemp("sh") / "x"
    write(generate(3000, 11, WORLD), out, world="published", seed=11, nominals=3000)
    return load(out)


@pytest.fixture(scope="module")
def rows(extract: Extract) -> dict[str, Row]:
    labelled = SH_NOMINAL.label(extract)
    return {row.name: row for row in sh_fidelity(extract, labelled, nominals=3000)}


@pytest.mark.parametrize("name", CHANCE)
def test_published_figure(name: str, rows: dict[str, Row]) -> None:
    row = rows[name]
    assert abs(row.measured - row.published) <= row.tolerance + CHANCE[name], row


def test_table_9_is_shown(rows: dict[str, Row]) -> None:
    groups = {name: row for name, row in rows.items() if name not in CHANCE}
    assert list(groups) == [f"S&H: group {name} (table 9)" for name in ("0-50", "50-80", "80-90", "90-100")]
    for measure in ("published", "measured"):
        assert sum(getattr(row, measure) for row in groups.values()) == pytest.approx(1.0)


def test_people_begin_with_any_kind_of_conduct(extract: Extract) -> None:
    """Few of those known for harassment have stalked: labelling from stalking finds a part of them only."""
    everyone = SH_NOMINAL.label(extract)
    stalkers = label(extract)
    assert set(stalkers.person) < set(everyone.person)
    assert 0.2 < len(stalkers.person) / len(everyone.person) < 0.5
    later = dict(zip(everyone.person.tolist(), everyone.histories.day_zero.tolist(), strict=True))
    moved = [
        later[person] - day
        for person, day in zip(stalkers.person.tolist(), stalkers.histories.day_zero.tolist(), strict=True)
    ]
    assert min(moved) >= 0
    assert max(moved) > 0


def test_conduct_is_what_it_could_be_called_on_its_day() -> None:
    """Nobody is recorded for an offence that did not exist yet, and harassment of a partner counts as stalking."""
    rng = np.random.default_rng(2)
    people = draw_people(rng, 4000, WORLD, int(np.datetime64("2023-03-31").astype(int)))
    person = np.arange(len(people))
    late = np.full(len(people), COERCIVE_CONTROL_BECAME_AN_OFFENCE)
    for day, names in ((late - 1, {COERCIVE_CONTROL}), (late, set[int]())):
        kind, partner = draw_conduct(rng, people, WORLD, person, day)
        assert set(np.unique(kind)) == set(POPULATIONS["sh"].conduct) - names
        assert partner[kind == RECLASSIFIED].all()
        assert not partner[kind == HARASSMENT].any()
    assert partner[kind == COERCIVE_CONTROL].mean() > 0.6
    assert 0.05 < partner[kind == MALICIOUS_COMMUNICATIONS].mean() < 0.6


@pytest.mark.parametrize("nominals", [1, 40])
def test_exact_number_and_same_bytes(nominals: int, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(generate(nominals, 4, WORLD), tmp_path / name, world="published", seed=4, nominals=nominals)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", names, shallow=False)[0] == names
    assert len(SH_NOMINAL.label(load(tmp_path / "a")).person) == nominals


def test_stalkers_are_what_a_world_has_by_itself() -> None:
    for world in WORLDS.values():
        assert of_population(world, "stalking") == world
        assert of_population(of_population(world, "stalking"), "sh") == of_population(world, "sh")


def test_every_population_names_its_forms() -> None:
    for population in POPULATIONS.values():
        assert {kind for kind, _ in population.forms} <= set(population.conduct)
        assert sum(share for _, share in population.forms) == pytest.approx(1.0, abs=0.01)


def test_command_writes_and_marks_the_population(tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path / "x"), "--nominals", "25", "--population", "sh"]
    result = CliRunner().invoke(synth, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "S&H: incidents (2.1)" in result.output
    assert "population sh" in (tmp_path / "x" / "SYNTHETIC.txt").read_text()
    first = hashlib.sha256((tmp_path / "x" / "incidents.parquet").read_bytes()).hexdigest()
    CliRunner().invoke(synth, arguments, catch_exceptions=False)
    assert hashlib.sha256((tmp_path / "x" / "incidents.parquet").read_bytes()).hexdigest() == first
