"""The oracle of victims is right: by its own proof, and against a plain simulation; and it is found out where it is wrong."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from app.errors import SetupError
from app.harm.harm_index import load_harm_index
from tests.training.benches import toy_bench
from tests.training.oracle.plain_victims import plain_harm
from tests.training.oracle.test_futures import compared, p_values
from training.evaluation.bench import Bench
from training.families import STALKING_VICTIM
from training.harm.progress import Stages
from training.oracle import futures as futures_module
from training.oracle import victim_futures as module
from training.oracle.oracle import open_oracle
from training.oracle.proof import prove
from training.oracle.scenes import NOBODY
from training.oracle.section import measure_oracle
from training.oracle.victim_futures import simulate_victims
from training.oracle.victims import VictimMoments, others_of, victim_moments, victim_scenes
from training.synthetic.force import generate
from training.synthetic.latents import Latents, latents_of, read_latents
from training.synthetic.world import WORLDS

INDEX = load_harm_index()
Truth = tuple[Latents, VictimMoments]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return toy_bench(tmp_path_factory.mktemp("victims"), 1_500, 5, STALKING_VICTIM, name="published-victims")


@pytest.fixture(scope="module")
def truth(bench: Bench) -> Truth:
    assert bench.latents is not None
    latents, labelled = read_latents(bench.latents), bench.data.labelled
    return latents, victim_moments(latents, labelled.person_id, labelled.histories.day_zero)


def smallest_p(bench: Bench, latents: Latents, moments: VictimMoments, futures: int = 15) -> float:
    found = simulate_victims(latents, moments, INDEX, seed=1, futures=futures)
    return min(p_values(prove(compared(bench, found), bench.data.split.groups, seed=1)))


def test_the_real_future_is_a_draw_like_any_other(bench: Bench, truth: Truth) -> None:
    assert smallest_p(bench, *truth, futures=60) > 0.01


def exposed_more(latents: Latents) -> Latents:
    people = latents.exposed.people
    return replace(
        latents,
        exposed=replace(latents.exposed, people=replace(people, later_log_rate=people.later_log_rate + 1.0)),
    )


def no_others(latents: Latents) -> Latents:
    nobody = np.full(len(latents.exposed_id), "nobody", dtype=object)
    return replace(latents, exposed_id=nobody, world=replace(latents.world, others_rate=0.0))


def others_with_no_past(latents: Latents) -> Latents:
    none = latents.exposed.suffered.take(np.empty(0, dtype=np.int64))
    return replace(latents, exposed=replace(latents.exposed, suffered=none))


def livelier_nominals(latents: Latents) -> Latents:
    return replace(latents, people=replace(latents.people, later_log_rate=latents.people.later_log_rate + 0.7))


def exposed_as_another(latents: Latents) -> Latents:
    order = np.random.default_rng(1).permutation(len(latents.exposed_id))
    moved = {name: getattr(latents.exposed.people, name)[order] for name in ("later_log_rate", "later_escalation")}
    return replace(latents, exposed=replace(latents.exposed, people=replace(latents.exposed.people, **moved)))


@pytest.mark.parametrize("wrong", [exposed_more, no_others, livelier_nominals, exposed_as_another])
def test_a_wrong_oracle_is_found_out(bench: Bench, truth: Truth, wrong: Callable[[Latents], Latents]) -> None:
    latents, labelled = wrong(truth[0]), bench.data.labelled
    moments = victim_moments(latents, labelled.person_id, labelled.histories.day_zero)
    assert smallest_p(bench, latents, moments) < 1e-3


def test_without_the_condition_on_later_conduct_it_is_wrong(
    bench: Bench, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = module._by_nominals
    monkeypatch.setattr(module, "_by_nominals", lambda *given: (np.ones_like(draw(*given)[0]), draw(*given)[1]))
    assert smallest_p(bench, *truth) < 1e-3


def test_what_others_did_lately_brings_more_of_it(truth: Truth) -> None:
    latents, moments = truth
    settled = others_of(latents, moments, np.full(len(moments.day_zero), moments.end)).settled
    acts = settled.suffered.acts
    lately = np.unique(acts.person[acts.day > settled.until[acts.person] - 20])
    rows = np.flatnonzero(moments.exposed != NOBODY)[lately]
    assert len(rows) > 10
    known, unknown = (
        simulate_victims(one, moments.take(rows), INDEX, seed=1, futures=200)
        for one in (latents, others_with_no_past(latents))
    )
    assert (known.first_day < 60).mean() > (unknown.first_day < 60).mean() + 0.05


def busiest(latents: Latents, moments: VictimMoments, *, harmed_by_nominal: bool) -> np.ndarray:
    """Victims of one nominal (or of none) and of others, those first of whom most is to come."""
    by = (moments.harmers != NOBODY).sum(axis=1)
    fits = (by == harmed_by_nominal) & (moments.nominal == NOBODY) & (moments.exposed != NOBODY)
    fits &= moments.index_day.max(axis=1) <= moments.day_zero
    rates = latents.exposed.people.later_log_rate[moments.exposed]
    if harmed_by_nominal:
        rates = rates + latents.people.later_log_rate[moments.harmers.max(axis=1)]
    return np.argsort(np.where(fits, -rates, np.inf), kind="stable")


@pytest.mark.slow
@pytest.mark.parametrize("harmed_by_nominal", [True, False])
def test_frequencies_are_those_of_a_plain_simulation(truth: Truth, harmed_by_nominal: bool) -> None:
    latents, moments = truth
    clean = replace(latents, world=replace(latents.world, dirt=0.0))
    chosen = busiest(latents, moments, harmed_by_nominal=harmed_by_nominal)[[5, 25]]
    times = 400
    found = simulate_victims(clean, moments.take(chosen), INDEX, seed=7, futures=2_000).harm
    rng = Random(3)
    for place, fast in zip(chosen.tolist(), found, strict=True):
        slow = np.array([plain_harm(rng, clean, moments, place, INDEX) for _ in range(times)])
        for days in (0.5, 20.0, 200.0, 1_000.0):
            share, plain = (fast > days).mean(), (slow > days).mean()
            error = np.sqrt(max(share * (1 - share), 1e-3) * (1 / times + 1 / 2_000))
            assert abs(share - plain) < 3.7 * error, (place, days, share, plain)


def test_who_harms_a_victim_and_what_is_settled(bench: Bench, truth: Truth) -> None:
    latents, moments = truth
    labelled = bench.data.labelled
    by = (moments.harmers != NOBODY).sum(axis=1)
    assert {0, 1, 2} == set(by.tolist())
    assert (by == 1).mean() > 0.9
    for place in range(0, len(by), 50):
        name = labelled.person_id[place]
        theirs = {row for row, victim in enumerate(latents.victim_id) if victim == name}
        assert set(moments.harmers[place][moments.harmers[place] != NOBODY].tolist()) == theirs
    assert ((moments.exposed == NOBODY) == (moments.nominal != NOBODY)).all(), "who is a nominal is spared"

    stage = victim_scenes(latents, moments)
    assert stage.plays_self.sum() == (moments.nominal != NOBODY).sum() > 10
    owner = stage.past.acts.person
    zero = moments.day_zero[stage.moment[owner]]
    assert (stage.past.acts.day[~stage.past.acts.as_conduct] <= zero[~stage.past.acts.as_conduct]).all()
    last = np.full(len(labelled.person), moments.end)
    others = others_of(latents, moments, last)
    past, until = others.settled.suffered, moments.day_zero[others.moment]
    assert np.array_equal(others.settled.until, until)
    assert len(past.by) > 100
    assert (past.acts.day <= until[past.acts.person]).all()


def test_an_incident_a_victim_takes_part_in_is_not_done_to_them(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    latents, moments = truth
    both = moments.take(np.flatnonzero(moments.nominal != NOBODY))
    always = replace(latents, world=replace(latents.world, company_share=1.0))
    usual, together = (simulate_victims(one, both, INDEX, seed=1, futures=30) for one in (latents, always))
    assert 0 < (together.harm > 0).mean() < (usual.harm > 0).mean(), "what is left is conduct, which nobody joins in"


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    latents, moments = truth
    monkeypatch.setattr(futures_module, "_CHUNK", 4)
    few = moments.take(np.arange(8))
    one, two = (simulate_victims(latents, few, INDEX, seed=3, futures=9, jobs=jobs) for jobs in (1, 2))
    assert np.array_equal(one.harm, two.harm)
    assert np.array_equal(one.first_day, two.first_day)


def test_harm_and_first_day_agree_on_whether_anything_came(truth: Truth) -> None:
    latents, moments = truth
    found = simulate_victims(latents, moments.take(np.arange(300)), INDEX, seed=2, futures=20)
    assert (found.first_day.min(), found.first_day.max()) == (1, 366)
    assert ((found.first_day <= 365) | (found.harm == 0)).all()


def test_latents_of_another_extract_are_refused(bench: Bench) -> None:
    labelled = bench.data.labelled
    for other in (generate(1_500, 6, "published-victims"), generate(1_500, 5), generate(60, 5, "published-victims")):
        with pytest.raises(SetupError, match="not those of this extract"):
            victim_moments(latents_of(other.latents), labelled.person_id, labelled.histories.day_zero)


def test_victims_of_nominals_alone_have_an_oracle_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("alone")
    alone = toy_bench(place, 1_500, 5, STALKING_VICTIM)
    oracle = open_oracle(alone, INDEX, Stages(), futures=25)
    assert alone.latents is not None
    assert read_latents(alone.latents).world == WORLDS["published"]
    assert min(p_values(prove(oracle, alone.data.split.groups, seed=1))) > 0.01


def test_section_says_what_it_leaves_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(bench), "repeats", lambda *_: 30)
    found = measure_oracle(bench, Stages())
    assert found["proof"]["nominals"] == len(bench.data.labelled.person)
    assert found["proof"]["rank_test"]["p_value"] > 0.01
    assert found["distance"]["auc_gap"]["value"] > 0
    assert any("one recorded twice" in remark for remark in found["remarks"])
