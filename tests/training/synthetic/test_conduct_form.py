"""A person's own form of conduct, drawn as likely as their past makes it: against Bayes' rule written out."""

import numpy as np
import pytest

from training.synthetic.conduct import _form_of, _own_form
from training.synthetic.offences import HARASSMENT, RECLASSIFIED, STALKING

SHARE, KEEPS = np.array([0.5, 0.3, 0.2]), 0.7


def by_hand(past: list[int]) -> list[float]:
    odds = []
    for own in range(3):
        likelihood = SHARE[own]
        for seen in past:
            likelihood *= (KEEPS if seen == own else 0.0) + (1 - KEEPS) * SHARE[seen]
        odds.append(likelihood)
    return [one / sum(odds) for one in odds]


@pytest.mark.parametrize("past", [[], [0], [2], [1, 1], [0, 2, 2, 1]])
def test_forms_are_as_likely_as_bayes_has_them(past: list[int]) -> None:
    people = 40_000
    person, form = np.repeat(np.arange(people), len(past)), np.tile(np.array(past, dtype=np.int64), people)
    found = _own_form(np.random.default_rng(1), people, SHARE, KEEPS, person, form)
    np.testing.assert_allclose(np.bincount(found, minlength=3) / people, by_hand(past), atol=0.012)


def test_harassment_of_a_partner_is_stalking_by_another_name() -> None:
    kinds = np.array([HARASSMENT, STALKING])
    assert _form_of(kinds, np.array([RECLASSIFIED, STALKING, HARASSMENT])).tolist() == [1, 1, 0]
