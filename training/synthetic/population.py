"""Whose force it is: everyone known for stalking, or everyone known for stalking or harassment of any kind.

A population says by what conduct its people come to notice and how far their other numbers lie from those of a
world, so that either population can be had of every world.
"""

from dataclasses import dataclass

from training.families import SH_NOMINAL, STALKING_NOMINAL, Family
from training.synthetic.offences import (
    COERCIVE_CONTROL,
    HARASSMENT,
    MALICIOUS_COMMUNICATIONS,
    RACIALLY_AGGRAVATED,
    RECLASSIFIED,
    STALKING,
)


@dataclass(frozen=True)
class Population:
    """`conduct` are the kinds of incident one of which begins everybody's record and any of which can be an index
    incident; `family` is the model that learns from them. The rest changes a world."""

    family: Family
    conduct: tuple[int, ...]
    forms: tuple[tuple[int, float], ...] = ((STALKING, 1.0),)
    """Kinds of conduct and how many people are given to each."""
    keeps_form: float = 1.0
    """Share of a person's conduct that is of their own form; the rest is of any."""
    unasked: float = 1.0
    """Multiplies how often conduct comes up among a person's other incidents."""
    log_rate_shift: float = 0.0
    repeats: float = 1.0
    """Multiplies how often conduct repeats itself."""
    onsets_by_year_before_end: tuple[float, ...] = ()
    """As in a world, where it differs."""


STALKERS = Population(family=STALKING_NOMINAL, conduct=(STALKING, RECLASSIFIED))
HARASSERS = Population(
    family=SH_NOMINAL,
    conduct=(STALKING, RECLASSIFIED, HARASSMENT, MALICIOUS_COMMUNICATIONS, COERCIVE_CONTROL, RACIALLY_AGGRAVATED),
    forms=(
        (HARASSMENT, 0.465),
        (MALICIOUS_COMMUNICATIONS, 0.23),
        (STALKING, 0.23),
        (COERCIVE_CONTROL, 0.06),
        (RACIALLY_AGGRAVATED, 0.018),
    ),
    keeps_form=0.7,
    unasked=0.2,
    log_rate_shift=-0.33,
    repeats=1.42,
    onsets_by_year_before_end=(
        *(11200, 7900, 6600, 5000, 3300, 1900, 1200, 900, 750, 640, 560, 480, 420),
        *(360, 310, 270, 230, 190, 150, 120, 90, 70, 50, 40, 30),
    ),
)
USUAL = "stalking"
"""The population a world has where no other is asked for."""
POPULATIONS = {USUAL: STALKERS, "sh": HARASSERS}
