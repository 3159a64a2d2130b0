"""An extract cut back to a day knows nothing of later days, and forgets nothing of earlier ones."""

import numpy as np

from app.extract.known import roles_known
from app.extract.rules import ELIMINATED_ROLE, OFFENDER_ROLE
from app.harm.features import NO_DAY
from training.evaluation.bench import Bench
from training.harm.fit import assemble
from training.harm.population import shares
from training.labels import label
from training.validation.time_forward import as_on_record, at_mix, forward


def test_roles_up_to_the_day_are_as_they_were(bench: Bench) -> None:
    extract = bench.data.extract
    cut = extract.end - 730
    then = as_on_record(extract, cut)
    kept = np.flatnonzero((extract.recorded <= cut)[extract.incident])
    assert 0.5 < len(kept) / len(extract.incident) < 0.95
    for day in (cut, cut - 100, cut - 2_000):
        assert np.array_equal(roles_known(then, day), roles_known(extract, day)[kept])
    # and what is known in the end is what was known on that day
    assert np.array_equal(roles_known(then, then.end), roles_known(extract, cut)[kept])
    undone = (roles_known(extract, extract.end)[kept] != roles_known(then, then.end)).sum()
    assert undone > 20


def test_nothing_in_it_is_later_than_the_day(bench: Bench) -> None:
    cut = bench.data.extract.end - 730
    then = as_on_record(bench.data.extract, cut)
    assert max(each.max() for each in (then.recorded, then.occurred, then.custody_day, then.contact_day)) <= cut
    for days in (then.charged, then.eliminated):
        assert (days[days != NO_DAY] <= cut).all()
    dated = bench.data.extract.eliminated != NO_DAY
    assert dated[bench.data.extract.role == ELIMINATED_ROLE].any()
    assert then.end == cut
    assert (np.diff(then.incident_id.astype(str).argsort(kind="stable")) == 1).all()


def test_same_incidents_and_people_by_name(bench: Bench) -> None:
    extract = bench.data.extract
    cut = extract.end - 730
    then = as_on_record(extract, cut)
    for row in range(0, len(then.incident), 997):
        incident = np.flatnonzero(extract.incident_id == then.incident_id[then.incident[row]])[0]
        assert then.harm[then.incident[row]] == extract.harm[incident]
        there = (extract.incident == incident) & (extract.person == then.person[row])
        assert there.any()


def test_cut_at_its_end_it_is_the_whole(bench: Bench) -> None:
    extract = bench.data.extract
    whole = as_on_record(extract, extract.end)
    assert np.array_equal(whole.incident_id, extract.incident_id)
    assert np.array_equal(whole.role, extract.role)
    assert np.array_equal(label(whole).future_harm, bench.data.labelled.future_harm)
    assert (extract.role == OFFENDER_ROLE).any()


def test_moments_to_judge_lie_after_everything_learnt(bench: Bench) -> None:
    day = bench.data.extract.end - 730
    then = assemble(as_on_record(bench.data.extract, day), 13)
    assert (then.labelled.histories.day_zero + 365 <= day).all()
    mix = shares(bench.groups)
    later = forward(bench.data, then, day, mix, seed=1)
    rows = later.split.test
    assert (later.labelled.histories.day_zero[rows] > day).all()
    np.testing.assert_allclose(shares(later.split.groups[rows]), mix, atol=0.02)
    assert np.array_equal(later.split.cuts, then.split.cuts)


def test_drawing_at_a_mix_takes_as_many_as_there_are() -> None:
    groups = np.repeat(np.arange(4), [100, 50, 10, 8])
    rows = at_mix(np.arange(168), groups, np.array([0.6, 0.2, 0.1, 0.1]), seed=1)
    assert np.bincount(groups[rows]).tolist() == [48, 16, 8, 8]
    assert len(np.unique(rows)) == len(rows)
