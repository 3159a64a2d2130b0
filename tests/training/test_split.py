"""Split properties: nobody straddles, counts are exact, cuts and test set agree with each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import SetupError
from app.harm.features import Floats, Histories, Incidents, Ints, Nominals
from training.families import FAMILIES, STALKING_NOMINAL, Family
from training.labels import Labelled
from training.split import QUANTILES, Split, harm_cuts, harm_groups, split

PARTS = STALKING_NOMINAL.parts


def labelled_of(harm: Floats, component: Ints) -> Labelled:
    """Labelled nominals of whom only harm and company matter."""
    nothing, count = np.zeros(0, dtype=np.int64), len(harm)
    incidents = Incidents(nothing, nothing, nothing, np.zeros(0), np.zeros((0, 5), bool), np.zeros(0, np.int8))
    return Labelled(
        person_id=np.array([f"P{number}" for number in range(count)], dtype=object),
        histories=Histories(incidents, np.zeros(count + 1, np.int64), np.zeros(count, np.int64), nothing),
        nominals=Nominals(np.zeros(count), np.zeros(count, np.int8), np.zeros(count), nothing, nothing),
        future_harm=harm,
        first_event_day=np.full(count, np.nan),
        worst_event_day=np.full(count, np.nan),
        component=component,
        person=np.arange(count),
        index_incident=np.arange(count),
        counts={},
    )


def draw_labelled(seed: int, count: int, *, lumpy: bool, company: float) -> Labelled:
    """Harm like the report's: over half none, the rest long-tailed, in lumps or all different."""
    rng = np.random.default_rng(seed)
    harm = rng.lognormal(3.0, 2.2, count)
    if lumpy:
        harm = np.rint(harm / 5) * 5 + 1
    harm[rng.random(count) < 0.535] = 0.0
    component = np.arange(count)
    joined = rng.random(count) < company
    component[joined] = component[np.maximum(np.flatnonzero(joined) - 1, 0)]
    return labelled_of(harm, component)


def check(labelled: Labelled, found: Split) -> None:
    parts = (found.train, found.calibration, found.test, found.rest)
    together = np.concatenate(parts)
    assert np.array_equal(np.sort(together), np.arange(len(labelled.future_harm)))
    company = [set(labelled.component[part]) for part in parts]
    assert not company[2] & (company[0] | company[1] | company[3])
    assert not company[0] & company[1]
    outside = np.setdiff1d(np.arange(len(labelled.future_harm)), found.test)
    positive = labelled.future_harm[outside][labelled.future_harm[outside] > 0]
    assert np.array_equal(found.cuts, np.quantile(positive, QUANTILES))
    below = [(labelled.future_harm >= cut).astype(int) for cut in found.cuts]
    assert np.array_equal(found.groups, sum(below))


def sizes(found: Split, part: Ints) -> list[int]:
    return np.bincount(found.groups[part], minlength=4).tolist()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(400, 3000), st.booleans(), st.floats(0.0, 0.3))
def test_properties(seed: int, count: int, lumpy: bool, company: float) -> None:
    labelled = draw_labelled(seed, count, lumpy=lumpy, company=company)
    found = split(labelled, parts=PARTS, seed=seed)
    check(labelled, found)
    assert sizes(found, found.test) == np.rint(np.array(PARTS.test) * count / 28_279).astype(int).tolist()


@pytest.mark.parametrize("lumpy", [True, False])
@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_published_counts_are_exact(family: Family, lumpy: bool) -> None:
    parts, seed = family.parts, 1
    labelled = draw_labelled(seed, parts.labelled, lumpy=lumpy, company=0.1)
    labelled.future_harm[labelled.future_harm == 0] = np.where(
        np.random.default_rng(seed).random(int((labelled.future_harm == 0).sum())) < 0.03, 2.0, 0.0
    )
    found = split(labelled, parts=parts, seed=seed)
    check(labelled, found)
    assert sizes(found, found.test) == list(parts.test)
    assert sizes(found, found.calibration) == list(parts.calibration)
    assert sizes(found, found.train) == list(parts.train)


def test_deterministic_by_seed() -> None:
    labelled = draw_labelled(1, 2000, lumpy=True, company=0.1)
    first, again, other = (split(labelled, parts=PARTS, seed=seed) for seed in (5, 5, 6))
    for name in Split.__dataclass_fields__:
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.test, other.test)


def test_one_giant_component_goes_to_the_training_side() -> None:
    labelled = draw_labelled(2, 3000, lumpy=True, company=0.0)
    labelled.component[:900] = 0
    found = split(labelled, parts=PARTS, seed=1)
    check(labelled, found)
    assert labelled.component[found.test].min() > 0


def test_test_set_is_drawn_at_random_within_groups() -> None:
    """Every tenth of the people ordered by number is drawn from alike."""
    drawn = np.zeros(3000)
    labelled = draw_labelled(3, 3000, lumpy=True, company=0.1)
    for seed in range(40):
        drawn[split(labelled, parts=PARTS, seed=seed).test] += 1
    tenths = drawn.reshape(10, -1).sum(axis=1)
    assert tenths.min() > 0.75 * tenths.mean()
    assert tenths.max() < 1.25 * tenths.mean()


def test_groups_at_their_cuts() -> None:
    cuts = np.array([10.0, 20.0, 30.0])
    assert harm_groups(np.array([0.0, 9.9, 10.0, 19.9, 20.0, 30.0, 99.0]), cuts).tolist() == [0, 0, 1, 1, 2, 3, 3]


def test_cuts_ignore_those_without_harm() -> None:
    assert harm_cuts(np.array([0.0] * 50 + [1.0, 2.0, 3.0])).tolist() == [2.0, 2.6, 2.8]


@pytest.mark.parametrize("harm", [np.zeros(500), np.r_[np.zeros(500), 1.0, 2.0]], ids=["nobody", "two"])
def test_too_little_harm_to_split(harm: Floats) -> None:
    with pytest.raises(SetupError):
        split(labelled_of(harm, np.arange(len(harm))), parts=PARTS, seed=0)
