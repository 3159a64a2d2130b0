"""Named worlds and the noise knob: harder means harder, and how people differ stays the same; told in the marker."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from app.errors import SetupError
from app.extract.load import load_extract
from app.harm.harm_index import load_harm_index
from training.labels import label
from training.synthetic.command import synth
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.people import People, draw_people
from training.synthetic.process import live
from training.synthetic.world import WORLDS, find_world

WORLD = WORLDS["published"]
END = 19_447


def people_of(noise: float, count: int = 20_000) -> People:
    return draw_people(np.random.default_rng(3), count, replace(WORLD, noise=noise), END)


def auc_of_a_simple_rule(noise: float, folder: Path) -> float:
    """How well the number of incidents known at day zero tells those who do grave harm from those who do none."""
    write(
        generate(3000, 5, find_world("published", noise)), folder, world="published", seed=5, nominals=3000, noise=noise
    )
    labelled = label(load_extract(folder, load_harm_index()))
    grave, none = labelled.future_harm > 300, labelled.future_harm == 0
    return float(roc_auc_score(grave[grave | none], labelled.histories.lengths[grave | none]))


def test_the_worlds_that_are_promised() -> None:
    assert set(WORLDS) == {"published", "sober", "unequal", "published-victims", "sober-victims"}
    assert WORLDS["sober"] == replace(WORLD, noise=WORLDS["sober"].noise)
    assert WORLDS["sober"].noise > WORLD.noise == 0.0
    unequal = WORLDS["unequal"]
    assert unequal.ethnicity_recording_gap > 0.0 == WORLD.ethnicity_recording_gap
    assert replace(unequal, ethnicity_recording_gap=0.0, recorded_share=WORLD.recorded_share) == WORLD


def test_more_noise_makes_a_simple_rule_worse(tmp_path: Path) -> None:
    found = [auc_of_a_simple_rule(noise, tmp_path / f"{noise}") for noise in (0.0, 0.3, 0.65, 1.0)]
    assert all(easier > harder + 0.02 for easier, harder in pairwise(found))
    assert found[0] > 0.74
    assert found[-1] < 0.6


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
def test_noise_draws_its_share_of_people_anew_and_keeps_how_they_differ(noise: float) -> None:
    people, still = people_of(noise), people_of(0.0)
    assert (people.log_rate == still.log_rate).all()
    assert (people.escalation == still.escalation).all()
    anew = people.later_escalation != people.escalation
    assert anew.mean() == pytest.approx(noise, abs=0.012)
    for name in ("later_log_rate", "later_escalation"):
        found, usual = getattr(people, name), getattr(still, name)
        assert found.mean() == pytest.approx(usual.mean(), abs=0.05)
        assert found.std() == pytest.approx(usual.std(), rel=0.03)
    alike = np.corrcoef(people.escalation, people.later_escalation)[0, 1]
    assert alike == pytest.approx(1.0 - noise, abs=0.03)


def test_severity_has_a_long_upper_tail_and_the_spread_it_is_told() -> None:
    people = people_of(0.0)
    level = people.escalation / WORLD.escalation_sd
    assert level.mean() == pytest.approx(0.0, abs=0.03)
    assert level.std() == pytest.approx(0.96, abs=0.04)  # a little off 1, as the tails are cut
    assert np.quantile(level, 0.99) > 1.4 * -np.quantile(level, 0.01)
    even = draw_people(np.random.default_rng(3), 20_000, replace(WORLD, escalation_skew=0.0), END).escalation
    assert np.quantile(even, 0.99) == pytest.approx(-np.quantile(even, 0.01), rel=0.06)


def test_outbursts_are_graver_and_have_nothing_to_do_with_the_person() -> None:
    world = replace(WORLD, outburst_share=0.3, excitement=0.0, stalking_excitement=0.0)
    rng = np.random.default_rng(4)
    people = draw_people(rng, 8000, world, END)
    acts, _ = live(rng, people, world, END)
    outburst = acts.parent >= 0
    assert (acts.severity[outburst] == world.outburst_severity).all()
    assert (acts.day[outburst] > acts.day[acts.parent[outburst]]).all()
    who = np.unique(acts.person[outburst])
    assert people.log_rate[who].mean() == pytest.approx(people.log_rate.mean(), abs=0.1)
    assert people.escalation[who].mean() == pytest.approx(people.escalation.mean(), abs=0.08)


def test_unknown_noise() -> None:
    assert find_world("sober").noise == WORLDS["sober"].noise
    with pytest.raises(SetupError, match="from 0 to 1"):
        find_world("published", 1.5)
    with pytest.raises(SetupError, match="from 0 to 1"):
        find_world("published", float("nan"))
    with pytest.raises(SetupError, match="sober, sober-victims, unequal"):
        find_world("utopia", 0.5)


def run(out: Path, *more: str) -> str:
    arguments = ["--out", str(out), "--nominals", "30", "--seed", "1", *more]
    result = CliRunner().invoke(synth, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return (out / "SYNTHETIC.txt").read_text().splitlines()[0]


def test_the_marker_names_the_world_and_a_noise_of_ones_own(tmp_path: Path) -> None:
    assert run(tmp_path / "a", "--world", "sober").startswith("synthetic people: world sober, generator ")
    assert run(tmp_path / "b", "--noise", "0.9").startswith(
        "synthetic people: world published with noise 0.9, generator "
    )
    own = run(tmp_path / "c", "--world", "published", "--noise", str(WORLDS["sober"].noise))
    assert own.startswith(f"synthetic people: world published with noise {WORLDS['sober'].noise}, ")
    for table in ("incidents", "contacts"):
        contents = [(tmp_path / name / f"{table}.parquet").read_bytes() for name in "abc"]
        assert contents[0] == contents[2] != contents[1]


@pytest.mark.parametrize("noise", ["-0.1", "1.1", "nan", "much"])
def test_a_noise_that_is_none_is_refused(noise: str, tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path / "x"), "--nominals", "30", "--seed", "1", "--noise", noise]
    result = CliRunner().invoke(synth, arguments)
    assert result.exit_code != 0
    assert not (tmp_path / "x").exists()
