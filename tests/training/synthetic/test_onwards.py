"""Living on from a given day must be like having lived through in one go."""

from datetime import date

import numpy as np
import pytest
from scipy.stats import ks_2samp

from training.synthetic.people import People, draw_people
from training.synthetic.process import Acts, Past, live
from training.synthetic.world import WORLDS

WORLD = WORLDS["published"]
END = (WORLD.end - date(1970, 1, 1)).days
BREAK = END - 600


def lived(seed: int) -> tuple[People, Acts]:
    rng = np.random.default_rng(seed)
    people = draw_people(rng, 15_000, WORLD, END)
    return people, live(rng, people, WORLD, END)[0]


def before(acts: Acts, people: People, day: int) -> Past:
    until = np.full(len(people), day)
    return Past(acts.take(np.flatnonzero(acts.day <= day)), until, until)


def counts(acts: Acts, people: People, rows: np.ndarray) -> np.ndarray:
    return np.bincount(acts.person[rows], minlength=len(people))


@pytest.mark.parametrize("stalking", [False, True])
def test_in_two_goes_as_in_one(stalking: bool) -> None:
    people, acts = lived(1)
    onwards, _ = live(np.random.default_rng(2), people, WORLD, END, before(acts, people, BREAK))
    one, two = (
        counts(each, people, np.flatnonzero((each.day > BREAK) & (each.stalking == stalking)))
        for each in (acts, onwards)
    )
    assert one.sum() > 3_000
    assert two.mean() == pytest.approx(one.mean(), abs=4 * np.hypot(one.std(), two.std()) / len(people) ** 0.5)
    assert ks_2samp(one, two).pvalue > 0.01
    # the very same people: whoever did much after the break in one go is who does much in the other
    assert np.corrcoef(one, two)[0, 1] > 0.3


def test_days_after_the_break_come_as_often_as_in_one_go() -> None:
    """Children of the past come at once and then ever fewer: the delays still to come are memoryless."""
    people, acts = lived(3)
    onwards, _ = live(np.random.default_rng(4), people, WORLD, END, before(acts, people, BREAK))
    days = [each.day[(each.day > BREAK) & (each.parent >= 0)] - BREAK for each in (acts, onwards)]
    assert ks_2samp(*days).pvalue > 0.01
    soon = [float((each <= 30).mean()) for each in days]
    assert soon[1] == pytest.approx(soon[0], abs=0.02)


def test_the_past_stays_as_it_was_and_nothing_is_added_to_it() -> None:
    people, acts = lived(5)
    past = before(acts, people, BREAK)
    onwards, _ = live(np.random.default_rng(6), people, WORLD, END, past)
    kept = len(past.acts)
    assert np.array_equal(onwards.day[:kept], past.acts.day)
    assert (onwards.day[kept:] > BREAK).all()


def test_stalking_may_be_settled_further_than_the_rest() -> None:
    people, acts = lived(7)
    until = np.full(len(people), BREAK)
    rows = np.flatnonzero(acts.day <= np.where(acts.stalking, BREAK + 200, BREAK))
    past = Past(acts.take(rows), until, until + 200)
    onwards, _ = live(np.random.default_rng(8), people, WORLD, END, past)
    new = np.arange(len(onwards)) >= len(rows)
    assert (onwards.day[new & onwards.stalking] > BREAK + 200).all()
    assert (onwards.day[new & ~onwards.stalking] > BREAK).all()
    assert (onwards.day[new & ~onwards.stalking] <= BREAK + 200).any()


def test_who_stops_stops_at_their_last_stalking_even_if_it_lies_in_the_past() -> None:
    people, acts = lived(9)
    past = before(acts, people, BREAK)
    onwards, stops = live(np.random.default_rng(10), people, WORLD, END, past)
    stopped = np.flatnonzero(stops < BREAK)
    assert 0.02 < len(stopped) / len(people) < WORLD.stopping_share
    new = np.arange(len(onwards)) >= len(past.acts)
    assert not np.isin(onwards.person[new], stopped).any()
