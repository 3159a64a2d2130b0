"""From futures to probabilities, metrics and the distance of any model."""

from dataclasses import replace

import numpy as np
import pytest

from app.errors import SetupError
from app.harm.harm_index import load_harm_index
from training.evaluation.bench import Bench
from training.harm.population import shares
from training.harm.progress import Stages
from training.oracle import section
from training.oracle.distance import distance
from training.oracle.oracle import Oracle, frequencies, open_oracle, oracle_bench, shifted

MIX = np.array([0.7, 0.2, 0.06, 0.04])


def test_frequencies_are_shares_of_futures_and_never_zero() -> None:
    found = frequencies(np.array([[200, 0, 0, 0], [50, 50, 50, 50]]), MIX)
    assert found.sum(axis=1) == pytest.approx(1)
    assert found[0, 3] == pytest.approx(0.04 / 201)
    assert found[1] == pytest.approx(0.25, abs=0.003)


def test_shifting_there_and_back_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    given = rng.dirichlet(np.ones(4), 50)
    balanced = np.full(4, 0.25)
    np.testing.assert_allclose(shifted(shifted(given, MIX, balanced), balanced, MIX), given)
    # by Bayes' rule: likelihoods 1 : 2 at even priors are 1 : 1 where the second is half as common
    found = shifted(np.array([[1 / 3, 2 / 3]]), np.array([0.5, 0.5]), np.array([2 / 3, 1 / 3]))
    np.testing.assert_allclose(found, [[0.5, 0.5]])


def test_opened_twice_it_is_simulated_once(bench: Bench, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.oracle import oracle as module

    monkeypatch.setattr(module, "simulate", lambda *_, **__: pytest.fail("simulated again"))
    other_section = replace(bench, work=bench.work.under(section="leak", code="another"))
    again = open_oracle(other_section, load_harm_index(), Stages(), futures=60)
    assert np.array_equal(again.counts, oracle.counts)
    assert np.array_equal(again.free, oracle.free)


def test_no_oracle_for_a_forces_own_extract(bench: Bench) -> None:
    with pytest.raises(SetupError, match="latents"):
        open_oracle(replace(bench, latents=None, work=bench.work.under(other=1)), load_harm_index(), Stages())


def test_the_oracle_is_at_no_distance_from_itself_and_noise_is_a_second_oracles(bench: Bench, oracle: Oracle) -> None:
    own = distance(bench, oracle, oracle.population[bench.data.split.test])
    assert own["auc_gap"]["value"] == own["total_variation"]["value"] == own["log_loss_gap"]["value"] == 0
    assert 0 < own["noise"]["total_variation"] < 0.1
    again = oracle.counts[bench.data.split.test]
    rng = np.random.default_rng(9)
    drawn = frequencies(rng.multinomial(60, again / 60), oracle.mix)
    found = distance(bench, oracle, drawn)
    assert found["total_variation"]["value"] == pytest.approx(own["noise"]["total_variation"], rel=0.15)


def test_distances_by_hand(bench: Bench, oracle: Oracle) -> None:
    known = oracle.population[bench.data.split.test]
    said = np.tile(bench.data.mix, (len(known), 1))
    found = distance(bench, oracle, said)
    weights = bench.weights
    by_hand = [
        sum(k * np.log(k / s) for k, s in zip(one, two, strict=True)) for one, two in zip(known, said, strict=True)
    ]
    assert found["kullback_leibler"]["value"] == pytest.approx(np.average(by_hand, weights=weights))
    variation = [
        max(sum(max(k - s, 0) for k, s in zip(one, two, strict=True)), 0) for one, two in zip(known, said, strict=True)
    ]
    assert found["total_variation"]["value"] == pytest.approx(np.average(variation, weights=weights))
    assert found["auc"]["value"] == 0.5
    assert found["auc_gap"]["value"] > 0.35
    assert found["log_loss_gap"]["low"] > 0


def test_decisions_of_the_oracle_follow_the_same_rule(bench: Bench, oracle: Oracle) -> None:
    best = oracle_bench(bench, oracle)
    scored = best.scored
    assert scored.probabilities.sum(axis=1) == pytest.approx(1)
    train = bench.data.split.groups[bench.data.split.train]
    back = shifted(scored.probabilities, shares(train), bench.data.mix)
    np.testing.assert_allclose(back, scored.population)
    assert scored.curves.shape == (len(bench.groups), 366)
    assert (scored.curves[:, 0] == 1).all()
    assert (np.diff(scored.curves, axis=1) <= 0).all()
    assert 0.08 < (scored.predicted == 3).mean() < 0.3


def test_section_holds_it_together(bench: Bench, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "section_oracle", lambda *_: oracle)
    found = section.measure_oracle(bench, Stages())
    assert found["futures"] == 60
    assert found["proof"]["rank_test"]["p_value"] > 0.01
    best, toy = found["metrics"]["test_mix"]["auc"]["top_against_lowest"], found["distance"]["auc"]
    assert best["value"] > 0.85
    assert toy["value"] < best["value"]
    assert 0.6 < found["concordance"]["population_mix"]["value"] < 0.85
