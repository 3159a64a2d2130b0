"""Missed cases: counts that add up, whatever the predictions; the finding planted is the finding told."""

import json

import numpy as np
import pytest

from app.harm.harm_index import load_harm_index
from training.comparison.following import MURDER, RAPE, following
from training.comparison.missed import missed_cases, traits
from training.evaluation.bench import Bench
from training.metrics import SECOND, TOP


@pytest.fixture(scope="module")
def top(bench: Bench) -> np.ndarray:
    return bench.data.split.test[bench.groups == TOP]


def predictions(bench: Bench, missed: np.ndarray) -> np.ndarray:
    """Everyone right, except `missed` (of the top group), who are predicted lowest."""
    predicted = bench.groups.copy()
    predicted[np.flatnonzero(bench.groups == TOP)[missed]] = 0
    return predicted


def test_who_has_no_history_is_missed_and_that_is_what_is_told(bench: Bench, top: np.ndarray) -> None:
    bare = bench.data.labelled.histories.lengths[top] == 1
    harmful = following(bench.data.extract, bench.data.labelled)
    assert np.isin(top, harmful.nominal).all()
    told = missed_cases(bench.data, predictions(bench, np.flatnonzero(~bare)[:2]), load_harm_index(), seed=1)
    json.dumps(told, allow_nan=False)
    assert told["top_group"] == {"nominals": len(top), "flagged": len(top) - 2, "predicted_80_90": 0, "missed": 2}
    assert told["predicted_lowest"] == 2
    trait = next(row for row in told["histories"] if row["trait"] == "nothing before the index incident")
    assert (trait["missed"], trait["seen"]) == (0.0, pytest.approx(bare.sum() / (len(top) - 2)))

    order = np.argsort(traits(bench.data, top)["incidents before it"][0], kind="stable")
    told = missed_cases(bench.data, predictions(bench, order[:5]), load_harm_index(), seed=1)
    assert told["histories"][0]["more_among_missed"]["value"] < 0.15, "what separates most stands first"
    strength = [abs(row["more_among_missed"]["value"] - 0.5) for row in told["histories"]]
    assert strength == sorted(strength, reverse=True)


def test_every_table_adds_up(bench: Bench) -> None:
    told = missed_cases(bench.data, bench.scored.predicted, load_harm_index(), seed=1)
    rows = [told["top_group"], *told["offences"], *told["how_they_got_there"]]
    for row in rows:
        assert row["nominals"] == row["flagged"] + row["predicted_80_90"] + row["missed"]
    assert [row["offence"] for row in told["offences"][:2]] == [RAPE, MURDER]
    assert sum(row["nominals"] for row in told["how_they_got_there"]) == told["top_group"]["nominals"]
    victims = told["rape_victims"]
    assert victims["same_victim"] <= victims["both_victims_known"] <= victims["rapes"]
    missed = (bench.groups == TOP) & (bench.scored.predicted <= SECOND)
    assert told["top_group"]["missed"] == missed.sum()
    assert str(told["top_group"]["missed"]) in told["in_words"][0]


def test_nobody_missed_is_told_as_nobody(bench: Bench) -> None:
    told = missed_cases(bench.data, bench.groups, load_harm_index(), seed=1)
    assert told["top_group"]["missed"] == 0
    assert all(row["missed"] is None and row["more_among_missed"]["value"] is None for row in told["histories"])
    json.dumps(told, allow_nan=False)
