"""The order of appendix 7: what may move a nominal, what may not, and that the words say what the keys do."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.artifacts import GROUPS
from app.triage.priority import Candidate, Known, Position, days_free, in_order

scores = st.builds(Known, st.integers(0, 3), st.integers(0, 365))
few = st.builds(Known, st.integers(0, 3), st.sampled_from([40, 200]))  # so that ties happen


@st.composite
def lists(draw: st.DrawFn) -> list[Candidate]:
    known = draw(st.sampled_from([scores, few]))
    made = st.builds(Candidate, st.uuids().map(str), known, st.lists(known, max_size=2).map(tuple), st.booleans())
    return draw(st.lists(made, min_size=1, max_size=8, unique_by=lambda one: one.score_id))


def places(candidates: list[Candidate]) -> dict[str, int]:
    return {found.candidate.score_id: found.position for found in in_order(candidates)}


def slow_place(one: Candidate, everyone: list[Candidate]) -> int:
    """The rule once more, by comparing with each of the others."""

    def stands_above(other: Candidate) -> bool:
        if other.nominal.group != one.nominal.group:
            return other.nominal.group > one.nominal.group
        mine, theirs = ([0, *(v.group for v in c.victims)] for c in (one, other))
        if max(mine) != max(theirs):
            return max(theirs) > max(mine)
        mine, theirs = ([c.nominal.days_free, *(v.days_free for v in c.victims)] for c in (one, other))
        return min(theirs) < min(mine)

    return 1 + sum(stands_above(other) for other in everyone)


@given(lists(), st.randoms(use_true_random=False))
def test_the_order_is_the_rule_s_whatever_the_order_sent(everyone: list[Candidate], chance: object) -> None:
    found = in_order(everyone)
    assert places(everyone) == {one.score_id: slow_place(one, everyone) for one in everyone}
    mixed = sorted(everyone, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert in_order(mixed) == found
    for each in found:
        assert each.shared_by == sum(other.position == each.position for other in found)


@given(lists(), st.data())
def test_a_higher_group_of_their_own_never_lowers_a_nominal(everyone: list[Candidate], data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(everyone))
    raised = replace(one, nominal=one.nominal._replace(group=data.draw(st.integers(one.nominal.group, 3))))
    after = places([raised if other is one else other for other in everyone])
    assert after[one.score_id] <= places(everyone)[one.score_id]


@given(lists(), st.data())
def test_no_victim_s_score_takes_away_what_a_nominal_s_own_group_gives(
    everyone: list[Candidate], data: st.DataObject
) -> None:
    """However low the victims' scores become, nobody of a lower group comes to stand above."""
    one = data.draw(st.sampled_from(everyone))
    lowered = replace(one, victims=tuple(Known(0, 365) for _ in one.victims))
    after = places([lowered if other is one else other for other in everyone])
    for other in everyone:
        if other.nominal.group < one.nominal.group:
            assert after[one.score_id] < after[other.score_id]


@given(lists(), scores, st.data())
def test_a_victim_s_score_never_lowers_a_nominal(everyone: list[Candidate], victim: Known, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(everyone))
    more = replace(one, victims=(*one.victims, victim))
    assert (
        places([more if other is one else other for other in everyone])[one.score_id] <= places(everyone)[one.score_id]
    )


@given(lists())
def test_words_follow_the_numbers(everyone: list[Candidate]) -> None:
    found = in_order(everyone)
    for place, each in enumerate(found):
        one, said = each.candidate, each.reason
        assert said.startswith(f"Own group {GROUPS[one.nominal.group]};")
        assert f"{one.days_free} of 365 days" in said
        assert ("share this position" in said) == (each.shared_by > 1)
        assert ("no sign of low risk" in said) == one.index_only
        assert ("no victim's score was sent" in said) == (not one.victims)
        higher = [other for other in found[:place] if other.position < each.position]
        assert_says_why(each, higher[-1] if higher else None)


def assert_says_why(each: Position, above: Position | None) -> None:
    said = each.reason
    told = {
        "first": "Nobody here stands higher" in said,
        "own": "of a higher group." in said and "victim of" not in said,
        "victim": "victim of a higher group" in said,
        "curve": "whose curve falls sooner" in said,
    }
    if above is None:
        expected = "first"
    elif above.candidate.nominal.group != each.candidate.nominal.group:
        expected = "own"
    elif above.candidate.victim_group != each.candidate.victim_group:
        expected = "victim"
    else:
        expected = "curve"
    assert [name for name, true in told.items() if true] == [expected]


def test_of_two_high_ones_the_one_whose_victim_is_high_and_whose_curve_falls_sooner_comes_first() -> None:
    """The report's own case, and the one it warns of: a high nominal with a low victim is still before a lower one."""
    high, low = Known(3, 100), Known(0, 350)
    everyone = [
        Candidate("both-soon", high, (Known(3, 50),)),
        Candidate("both-late", high, (Known(3, 340),)),
        Candidate("only-nominal", high, (low,)),
        Candidate("nobody-known", high),
        Candidate("only-victim", Known(2, 20), (Known(3, 10),)),
    ]
    assert places(everyone) == {
        "both-soon": 1, "both-late": 2, "nobody-known": 3, "only-nominal": 3, "only-victim": 5,
    }  # fmt: skip
    assert not any(re.search(r"\bcause|\bdanger", found.reason) for found in in_order(everyone))


@pytest.mark.parametrize(("curve", "days"), [(np.ones(366), 365), (np.r_[1.0, np.zeros(365)], 0)])
def test_days_free_are_the_sum_of_the_curve(curve: np.ndarray, days: int) -> None:
    assert days_free(curve) == days
    half = np.r_[np.ones(101), np.zeros(265)]
    assert days_free(half) == 100
