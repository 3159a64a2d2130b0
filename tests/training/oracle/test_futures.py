"""The oracle is right, and its proof fails as soon as it is not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.errors import SetupError
from app.harm.harm_index import load_harm_index
from tests.training.benches import toy_bench
from training.evaluation.bench import Bench
from training.families import SH_NOMINAL
from training.metrics import GROUP_COUNT
from training.oracle import futures as module
from training.oracle.futures import Futures, simulate
from training.oracle.oracle import Oracle
from training.oracle.proof import prove
from training.oracle.scenes import Moments, scenes, scoring_moments
from training.split import harm_groups
from training.synthetic.force import generate
from training.synthetic.latents import Latents, latents_of, read_latents
from training.synthetic.process import live

INDEX = load_harm_index()


def truth(bench: Bench) -> tuple[Latents, Moments]:
    assert bench.latents is not None
    latents, labelled = read_latents(bench.latents), bench.data.labelled
    return latents, scoring_moments(latents, labelled.person_id, labelled.histories.day_zero)


def compared(bench: Bench, found: Futures) -> Oracle:
    happened = bench.data.labelled.future_harm[:, None]
    groups = harm_groups(found.harm, bench.data.split.cuts)
    counts = np.stack([(groups == group).sum(axis=1) for group in range(GROUP_COUNT)], axis=1)
    below, equal = (found.harm < happened).sum(axis=1), (found.harm == happened).sum(axis=1)
    return Oracle(counts, below, equal, np.empty((0, 366)), bench.data.mix)


def p_values(proof: dict[str, Any]) -> list[float]:
    return [
        proof["rank_test"]["p_value"],
        *(part["p_value"] for part in proof["reliability"].values()),
        *(row["p_value"] for row in proof["shares"]),
    ]


def test_the_real_future_is_a_draw_like_any_other(bench: Bench, oracle: Oracle) -> None:
    proof = prove(oracle, bench.data.split.groups, seed=1)
    assert min(p_values(proof)) > 0.01, proof
    assert sum(proof["rank_test"]["ranks"]) == 1_500
    assert oracle.futures == 60


def livelier(latents: Latents) -> Latents:
    return replace(latents, people=replace(latents.people, later_log_rate=latents.people.later_log_rate + 0.3))


def graver(latents: Latents) -> Latents:
    return replace(latents, people=replace(latents.people, later_escalation=latents.people.later_escalation + 0.5))


def seldom_recorded(latents: Latents) -> Latents:
    return replace(latents, world=replace(latents.world, recorded_share=0.6))


def strangers(latents: Latents) -> Latents:
    order = np.random.default_rng(1).permutation(len(latents.people))
    moved = {name: getattr(latents.people, name)[order] for name in ("later_log_rate", "later_escalation")}
    return replace(latents, people=replace(latents.people, **moved))


@pytest.mark.parametrize("wrong", [livelier, graver, seldom_recorded, strangers])
def test_a_wrong_oracle_is_found_out(bench: Bench, wrong: Callable[[Latents], Latents]) -> None:
    latents, moments = truth(bench)
    found = simulate(wrong(latents), moments, INDEX, seed=1, futures=15)
    assert min(p_values(prove(compared(bench, found), bench.data.split.groups, seed=1))) < 1e-3


def test_without_the_condition_on_later_stalking_it_is_wrong(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is known to have no further stalking on record is a smaller risk than whoever may have."""
    latents, moments = truth(bench)
    draw = module._draw
    monkeypatch.setattr(module, "_draw", lambda *given: (np.ones_like(draw(*given)[0]), draw(*given)[1]))
    found = simulate(latents, moments, INDEX, seed=1, futures=15)
    assert min(p_values(prove(compared(bench, found), bench.data.split.groups, seed=1))) < 1e-3


def test_kept_futures_are_the_first_that_meet_the_condition(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    """Against a plain loop, with conditions met by chance and each future numbered."""
    latents, moments = truth(bench)
    few, rng, drawn = moments.take(np.arange(4)), np.random.default_rng(5), []

    def fake(_: Any, cast: Any, *__: Any) -> tuple[np.ndarray, Futures]:
        _, first = np.unique(cast.people.company, return_index=True)
        moment = cast.moment[first]
        meets, harm = rng.random(len(moment)) < 0.3, rng.random(len(moment))
        drawn.append((moment, meets, harm))
        return meets, Futures(harm, np.zeros(len(moment), dtype=np.int64))

    monkeypatch.setattr(module, "_draw", fake)
    found = simulate(latents, few, INDEX, seed=1, futures=7)
    for moment in range(4):
        kept = [
            h for m, meets, harm in drawn for one, ok, h in zip(m, meets, harm, strict=True) if ok and one == moment
        ]
        assert found.harm[moment].tolist() == kept[:7]


def test_conditions_hardly_any_future_meets(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    latents, moments = truth(bench)
    rng = np.random.default_rng(6)

    def fake(_: Any, cast: Any, *__: Any) -> tuple[np.ndarray, Futures]:
        count = len(np.unique(cast.people.company))
        return rng.random(count) < 0.02, Futures(np.ones(count), np.ones(count, dtype=np.int64))

    monkeypatch.setattr(module, "_draw", fake)
    assert simulate(latents, moments.take(np.arange(3)), INDEX, seed=1, futures=30).harm.tolist() == [[1.0] * 30] * 3


def test_impossible_conditions_end_in_one_line(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    latents, moments = truth(bench)
    draw = module._draw
    monkeypatch.setattr(module, "_draw", lambda *given: (np.zeros_like(draw(*given)[0]), draw(*given)[1]))
    monkeypatch.setattr(module, "_ROUNDS", 3)
    monkeypatch.setattr(module, "_LATE_ROUNDS", 2)
    with pytest.raises(SetupError, match="Too few futures"):
        simulate(latents, moments.take(np.arange(3)), INDEX, seed=1, futures=5)


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    latents, moments = truth(bench)
    monkeypatch.setattr(module, "_CHUNK", 4)
    few = moments.take(np.arange(8))
    one, two = (simulate(latents, few, INDEX, seed=3, futures=9, jobs=jobs) for jobs in (1, 2))
    assert np.array_equal(one.harm, two.harm)
    assert np.array_equal(one.first_day, two.first_day)
    other = simulate(latents, few, INDEX, seed=4, futures=9)
    assert not np.array_equal(one.harm, other.harm)


def test_harm_and_first_day_agree_on_whether_anything_came(bench: Bench) -> None:
    latents, moments = truth(bench)
    found = simulate(latents, moments.take(np.arange(300)), INDEX, seed=2, futures=20)
    assert found.first_day.min() >= 1
    assert found.first_day.max() == 366
    assert ((found.first_day <= 365) | (found.harm == 0)).all()


def test_scenes_hold_what_is_settled_and_nothing_later(bench: Bench) -> None:
    latents, moments = truth(bench)
    stage = scenes(latents, moments)
    acts, owner = stage.past.acts, stage.past.acts.person
    assert (np.diff(owner) >= 0).all()
    assert stage.plays_self.sum() == len(moments.person)
    assert 0 < (~stage.plays_self).sum() < len(moments.person) / 5
    day_zero = moments.day_zero[stage.moment[owner]]
    assert (acts.day[~acts.stalking] <= day_zero[~acts.stalking]).all()
    late = acts.day > day_zero
    assert (moments.index_day[stage.moment[owner]][late] >= acts.day[late]).all()
    # everyone's index incident is among it
    for place in range(len(moments.person)):
        mine = (stage.moment[owner] == place) & stage.plays_self[owner] & acts.stalking
        assert (acts.day[mine] == moments.index_day[place]).any()


def test_repeated_scenes_are_the_same_scenes_over_and_over(bench: Bench) -> None:
    latents, moments = truth(bench)
    stage = scenes(latents, moments.take(np.arange(30)))
    times = np.arange(30) % 3
    cast = stage.repeated(times)
    assert np.array_equal(cast.moment[cast.plays_self], np.repeat(np.arange(30), times))
    for scene, moment in enumerate(np.repeat(np.arange(30), times)):
        rows, source = np.flatnonzero(cast.people.company == scene), np.flatnonzero(stage.moment == moment)
        assert np.array_equal(cast.people.log_rate[rows], stage.people.log_rate[source])
        acts, known = np.isin(cast.past.acts.person, rows), np.isin(stage.past.acts.person, source)
        assert np.array_equal(cast.past.acts.day[acts], stage.past.acts.day[known])
        assert np.array_equal(cast.casework.released[acts], stage.casework.released[known])
        assert np.array_equal(cast.past.acts.person[acts] - rows[0], stage.past.acts.person[known] - source[0])


def test_latents_of_another_extract_are_refused(bench: Bench) -> None:
    labelled = bench.data.labelled
    with pytest.raises(SetupError, match="not those of this extract"):
        scoring_moments(latents_of(generate(1_500, 12).latents), labelled.person_id, labelled.histories.day_zero)


@pytest.fixture(scope="module")
def harassers(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return toy_bench(tmp_path_factory.mktemp("sh"), 3_000, 5, SH_NOMINAL, "sh")


def p_of(bench: Bench, latents: Latents, moments: Moments) -> float:
    found = simulate(latents, moments, INDEX, seed=1, futures=20)
    return min(p_values(prove(compared(bench, found), bench.data.split.groups, seed=1)))


@pytest.mark.slow
def test_it_is_right_of_forces_known_for_more_than_stalking(harassers: Bench) -> None:
    """There an incident of conduct may be an ordinary one, which excites no more of its like: the latents say which."""
    latents, moments = truth(harassers)
    conduct = latents.world.is_conduct(latents.acts.kind)
    assert 0.1 < (conduct & ~latents.acts.as_conduct).sum() / conduct.sum() < 0.9
    assert (latents.people.onset[moments.person] > moments.day_zero).any()
    assert p_of(harassers, latents, moments) > 0.01


@pytest.mark.slow
def test_taking_other_conduct_for_ordinary_incidents_is_found_out(harassers: Bench) -> None:
    latents, moments = truth(harassers)
    stalking = replace(latents.acts, as_conduct=latents.acts.stalking)
    assert p_of(harassers, replace(latents, acts=stalking), moments) < 1e-3


def test_whoever_went_on_after_all_their_conduct_has_not_stopped(harassers: Bench) -> None:
    latents, moments = truth(harassers)
    past = scenes(latents, moments).past
    assert past.went_on is not None
    assert 0 < past.went_on.sum() < len(past.went_on) / 2
    always = replace(latents.world, stopping_share=1.0)
    _, stops = live(np.random.default_rng(1), scenes(latents, moments).people, always, moments.end, past)
    assert (stops[past.went_on] > past.until[past.went_on]).all()
    assert (stops[~past.went_on] <= past.until[~past.went_on]).any()


def test_of_stalking_nominals_all_conduct_is_as_such(bench: Bench) -> None:
    latents, _ = truth(bench)
    assert np.array_equal(latents.acts.as_conduct, latents.acts.stalking)
