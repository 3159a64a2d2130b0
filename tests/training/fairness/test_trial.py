"""Trying the audit: where groups are dealt at random nothing is found, where they are planted something is."""

import numpy as np
import pytest

from tests.training.fairness.lives import Group, lives
from training.fairness.attributes import attribute
from training.fairness.trial import TRIALS, dealt_anew, findings, fresh_force
from training.synthetic.world import World


@pytest.mark.slow
def test_dealing_anew_takes_a_planted_finding_away() -> None:
    found = lives(9_000, 1, {"many": Group(0.6), "leant on": Group(0.4, leaning=0.3)})
    rows = np.arange(9_000)
    assert findings(found.true, [found.attribute], rows, seed=1)
    told = dealt_anew(found.true, [found.attribute], rows, seed=1)
    assert told["trials"] == TRIALS
    assert told["silent"] >= TRIALS - 1


@pytest.mark.slow
def test_a_fresh_force_with_the_knob_off_is_quiet() -> None:
    assert fresh_force(1, World(), 1_500) == []


def test_tiny_groups_are_never_named() -> None:
    found = lives(9_000, 2, {"many": Group(0.6), "leant on": Group(0.4, leaning=0.3)})
    labels = np.array(found.attribute.groups, dtype=object)[found.attribute.member]
    labels[:3] = "three people"
    named = {one["group"] for one in findings(found.true, [attribute("kind", labels)], np.arange(9_000), seed=1)}
    assert named
    assert "three people" not in named
