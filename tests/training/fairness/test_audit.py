"""The audit catches what is planted, is silent where nothing is, and is not fooled by base rates."""

import numpy as np
import pytest
from scipy.stats import norm

from tests.training.fairness.lives import Group, Lives, lives, undivided
from training.fairness.audit import EXPLAINED, NONE, OVER, UNDER, UNEQUAL, Measured, measured, verdicts
from training.fairness.rates import Audited

COUNT = 12_000
_SURE = 1e-3


def judged(found: Lives, people: Audited) -> dict[str, object]:
    divided = undivided(found.attribute)
    rates = measured(people, divided, np.arange(len(people.true)), seed=1, replicates=200)
    return verdicts(rates, divided)["kind"]


def findings(verdict: dict[str, object]) -> set[tuple[str, str]]:
    assert isinstance(verdict["findings"], list)
    return {(one["group"], one["finding"]) for one in verdict["findings"]}


def test_eager_recording_is_seen_against_true_harm_and_only_there() -> None:
    found = lives(COUNT, 1, {"many": Group(0.65, recorded=0.6), "watched": Group(0.35, recorded=0.95)})
    true = judged(found, found.true)
    assert true["verdict"] == UNEQUAL
    assert findings(true) == {("watched", OVER), ("many", UNDER)}
    assert all(one["everyone_else"] != one["finding"] for one in true["findings"])
    assert findings(judged(found, found.recorded)) == set(), "recorded outcomes confirm the score"


def test_a_score_that_leans_on_the_group_is_seen_by_either_account() -> None:
    found = lives(COUNT, 2, {"many": Group(0.65), "leant on": Group(0.35, leaning=0.5)})
    for people in (found.recorded, found.true):
        assert ("leant on", OVER) in findings(judged(found, people))


@pytest.mark.parametrize("base", [-0.5, 0.5])
def test_differing_base_rates_alone_are_no_finding(base: float) -> None:
    found = lives(COUNT, 3, {"many": Group(0.65), "others": Group(0.35, base=base)})
    for people in (found.recorded, found.true):
        verdict = judged(found, people)
        assert verdict["verdict"] == EXPLAINED, "error rates do differ"
        assert findings(verdict) == set()


@pytest.mark.slow
def test_silent_where_nothing_is_wrong() -> None:
    """Twenty forces, five groups each: 19 must be silent, about what a level of .05 promises at worst."""
    shares = {"a": Group(0.6), "b": Group(0.2), "c": Group(0.1), "d": Group(0.06), "e": Group(0.04)}
    silent = 0
    for seed in range(20):
        found = lives(6_000, seed, shares)
        silent += judged(found, found.true)["verdict"] != UNEQUAL
    assert silent >= 19


def told(z: dict[str, float]) -> Measured:
    """Values so many standard errors from 0."""
    spread = np.array([-1.0, 1.0])
    return Measured(dict(z), {name: value + spread for name, value in z.items()})


def pair(equal_harm: float, equal_score: float) -> Measured:
    found = lives(50, 1, {"one": Group(0.5), "other": Group(0.5)})
    names = measured(found.true, undivided(found.attribute), np.arange(50), seed=1, replicates=2).values
    z = dict.fromkeys(names, 0.0)
    z["kind.one.flagged_at_equal_harm"], z["kind.one.found_to_expected_to_rest"] = equal_harm, equal_score
    return told(z)


@pytest.mark.parametrize(
    ("equal_harm", "equal_score", "finding"),
    [(4, -4, OVER), (-4, 4, UNDER), (4, 4, None), (-4, -4, None), (4, 0, None), (0, -4, None), (4, -1.5, None)],
)
def test_both_questions_must_be_answered_yes(equal_harm: float, equal_score: float, finding: str | None) -> None:
    divided = undivided(lives(50, 1, {"one": Group(0.5), "other": Group(0.5)}).attribute)
    verdict = verdicts(pair(equal_harm, equal_score), divided)["kind"]
    assert [one["finding"] for one in verdict["findings"]] == ([finding] if finding else [])
    assert verdict["verdict"] == (UNEQUAL if finding else NONE)


def test_p_is_the_larger_of_the_two_and_holm_corrects_it() -> None:
    divided = undivided(lives(50, 1, {"one": Group(0.5), "other": Group(0.5)}).attribute)
    finding = verdicts(pair(5.0, -3.0), divided)["kind"]["findings"][0]
    assert finding["p"] == pytest.approx(4 * norm.sf(3.0)), "two groups, two directions: four tests"


def test_a_step_down_by_hand() -> None:
    """z of 2.6, 2.3 and 0 in six tests: 6 x .0093 > .05, so nothing after it counts either."""
    divided = undivided(lives(50, 1, {"one": Group(0.5), "other": Group(0.5)}).attribute)
    names = pair(0, 0).values
    plain = dict.fromkeys(names, 0.0) | {"kind.one.flag_rate_to_rest": 2.6, "kind.other.flag_rate_to_rest": 2.3}
    assert verdicts(told(plain), divided)["kind"]["differences"] == []
    plain["kind.one.flag_rate_to_rest"], plain["kind.other.flag_rate_to_rest"] = 2.7, 2.6
    found = verdicts(told(plain), divided)["kind"]["differences"]
    assert [one["measure"] for one in found] == ["flag_rate", "flag_rate"]
    assert [one["p"] for one in found] == pytest.approx([6 * 2 * norm.sf(2.7), 5 * 2 * norm.sf(2.6)])


def test_one_group_has_nobody_to_differ_from() -> None:
    found = lives(200, 1, {"all": Group(1.0)})
    assert judged(found, found.true)["verdict"] == NONE
