"""Named worlds: frozen parameter sets of the synthetic force.

A world fixes how people behave and how the police record it. None of the numbers is an estimate of real behaviour:
they were set so that an extract of the world shows the report's published figures (see `fidelity`).
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from app.errors import SetupError
from app.extract.rules import Flags
from app.harm.features import Floats, Ints
from training.synthetic.offences import KINDS
from training.synthetic.population import POPULATIONS, USUAL, Population

VERSION = "2"
"""Version of the generator: the same version, world, size and seed give the same bytes."""


@dataclass(frozen=True)
class World:
    """Everything the generator may be told apart from size and seed. Rates are a year, delays are days."""

    population: str = USUAL
    """Whom the force is about, a name out of `POPULATIONS`; `of_population` changes it."""
    end: date = date(2023, 3, 31)
    """Day the extract was pulled; labels look back from 365 days before it."""
    records_begin: date = date(1990, 1, 1)
    """Nothing from before this day was ever put on the crime system."""

    # Who they are
    male_share: float = 0.79
    ages_from: float = 12.0
    age_shape: float = 3.0
    age_scale: float = 7.0
    partner_share: float = 0.62
    group_shares: tuple[float, ...] = (0.88, 0.08, 0.03, 0.01)
    """Share of nominals who keep company of 1, 2, 3 and 4: bounds how many people sharing incidents can chain."""

    # How they behave
    log_rate_mean: float = -1.04
    log_rate_sd: float = 1.8
    log_rate_limit: float = 2.3
    """Propensity is cut at this many standard deviations: nobody lives through 2,000 incidents."""
    career_shape: float = 1.0
    career_years: float = 15.6
    newcomer_share: float = 0.09
    """Share whose career begins with their first stalking incident: nothing before it could have warned anyone."""
    onset_change: float = 0.7
    """Standard deviation of an unforeseeable change of the log rate at the first stalking incident."""
    noise: float = 0.0
    """The one knob of difficulty, 0 to 1: share of people whose rate and severity are drawn anew at their first stalking
    incident. Nothing in the past of those foretells them; how people differ from each other stays the same."""
    stopping_share: float = 0.05
    excitement: float = 0.19
    stalking_excitement: float = 0.25
    excitement_days: float = 60.0
    severity_base: float = -0.78
    """Shifts everyone's severity: the higher, the graver the mix of incidents."""
    escalation_sd: float = 1.2
    escalation_skew: float = 0.5
    """Skew of the personal level of severity: most are ordinary, few grave (log-normal shape); 0 for a normal one."""
    escalation_propensity_correlation: float = 0.6
    escalation_drift: float = 0.02
    severity_memory: float = 0.35
    """How much of the parent incident's grade an excited incident carries on."""
    outburst_share: float = 0.04
    """Chance of a stalking incident to be followed by a grave act that nothing in the person's past foretells."""
    outburst_days: float = 150.0
    outburst_severity: float = 1.5
    """Severity of such an act, whoever does it."""
    stalking_repeats: float = 0.312
    stalking_repeat_days: float = 200.0
    company_share: float = 0.10
    """Share of incidents, other than stalking, of people who keep company in which a companion takes part."""

    # What befalls their victims besides
    others_rate: float = 0.0
    """Median number of incidents a year that others do to a victim of stalking, as victims differ in how exposed they
    are; 0 where nobody but the nominals of the population harms anyone."""
    others_rate_sd: float = 2.5
    """Standard deviation of the log of that rate between victims: the larger, the more a few of them suffer most."""

    # How the police record it
    onsets_by_year_before_end: tuple[float, ...] = (
        *(6150, 5900, 5200, 4300, 3300, 2300, 1500, 1100, 850, 700, 600, 500, 420),
        *(350, 290, 240, 200, 150, 100, 80, 60, 50, 40, 30, 20),
    )
    """Relative number of first stalking incidents in each year before the end: recording has grown (section 2.1)."""
    reclassified_before_2020: float = 0.635
    reclassified_after_2020: float = 0.15
    """Share of stalking recorded as harassment between partners, before and after the guidance of April 2020."""
    recorded_share: float = 0.85
    ethnicity_recording_gap: float = 0.0
    """How much likelier (log odds) incidents of people outside the largest ethnic group are to be recorded."""
    charged_share: float = 0.16
    stalking_charged_share: float = 0.13
    charge_days: float = 60.0
    eliminated_share: float = 0.04
    elimination_days: float = 70.0
    arrested_share: float = 0.30
    linked_victim_share: float = 0.83
    dirt: float = 1.0
    """Multiplies the share of every kind of dirty row; 0 gives a clean extract."""

    @property
    def known_for(self) -> Population:
        """By what the people of this force come to notice."""
        return POPULATIONS[self.population]

    def is_conduct(self, kind: Ints) -> Flags:
        """Whether incidents of the kinds (M,) are of the conduct the population is known for."""
        return np.isin(kind, self.known_for.conduct)

    @property
    def ordinary_scale(self) -> Floats:
        """What multiplies the weight of each kind among ordinary incidents, (K,): the population's own conduct."""
        return np.where(self.is_conduct(np.arange(len(KINDS))), self.known_for.unasked, 1.0)


_OTHERS_RATE = 0.036
WORLDS = {
    "published": World(),
    "sober": World(noise=0.65),
    "unequal": World(recorded_share=0.78, ethnicity_recording_gap=2.0),
    "published-victims": World(others_rate=_OTHERS_RATE),
    "sober-victims": World(noise=0.65, others_rate=_OTHERS_RATE),
}
"""`published` shows the report's classifier, `sober` the difficulty that tools for real cases meet; `unequal` is
`published` with as much recorded in all, but more of what people outside the largest ethnic group do. The two for
victims are `published` and `sober` with others who harm the same victims."""


def find_world(name: str, noise: float | None = None) -> World:
    """Return the named world, with another `noise` if given. Raises SetupError naming the known ones, or the range."""
    if name not in WORLDS:
        raise SetupError(f"There is no world of that name. Known worlds: {', '.join(sorted(WORLDS))}.")
    if noise is None:
        return WORLDS[name]
    if not 0.0 <= noise <= 1.0:
        raise SetupError("Noise is a share of people. Give a number from 0 to 1.")
    return replace(WORLDS[name], noise=noise)


def world_name(world: str, population: str) -> str:
    """What an extract is said to be of: the world, and the population where it is not the usual one."""
    return world if population == USUAL else f"{world}, population {population}"


def of_population(world: World, name: str) -> World:
    """The world with another population: `stalking`, or `sh` for everyone known for stalking or harassment."""
    population = POPULATIONS[name]
    return replace(
        world,
        population=name,
        log_rate_mean=world.log_rate_mean + population.log_rate_shift,
        stalking_repeats=world.stalking_repeats * population.repeats,
        onsets_by_year_before_end=population.onsets_by_year_before_end or world.onsets_by_year_before_end,
    )
