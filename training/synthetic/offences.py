"""What an incident can be: kinds, how likely they are in two settings, how grave, and the codes they are recorded under.

`grade` orders kinds by gravity on the scale that escalation and memory of past severity work on; it is not a harm
score. Harm in days always comes from the harm index by code, except for domestic non-crimes (report, section 3.1).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.harm.features import Floats, Ints


@dataclass(frozen=True)
class Kind:
    """One kind of incident. `partner` and `other` are weights within incidents against a partner and all others."""

    name: str
    grade: float
    partner: float
    other: float
    codes: tuple[str, ...]
    has_victim: float = 1.0


KINDS = (
    Kind("domestic non-crime", -0.5, 52.0, 7.0, (), 1.0),
    Kind("anti-social behaviour non-crime", -0.8, 0.0, 9.0, (), 0.2),
    Kind("common assault", 0.0, 16.0, 13.0, ("10501",)),
    Kind("actual bodily harm", 0.3, 12.0, 9.0, ("00806",)),
    Kind("criminal damage", -0.3, 6.0, 8.0, ("05800", "14900"), 0.6),
    Kind("shoplifting", -0.8, 0.0, 8.0, ("04600",), 0.0),
    Kind("theft", -0.5, 2.0, 6.0, ("04910", "04510"), 0.6),
    Kind("public order", -0.3, 2.5, 8.0, ("12509", "12511", "12512"), 0.4),
    Kind("malicious communications", -0.2, 5.0, 5.0, ("19541", "00872"), 0.9),
    Kind("harassment", 0.0, 0.0, 5.0, ("19594",), 0.95),
    Kind("coercive control", 0.2, 2.0, 0.2, ("00867",)),
    Kind("threats to kill", 0.4, 2.5, 2.5, ("00301",)),
    Kind("breach of order", -0.1, 3.0, 1.0, ("00831", "06639"), 0.7),
    Kind("drugs", -0.4, 0.2, 7.0, ("09261", "09259"), 0.0),
    Kind("vehicle", -0.4, 0.3, 3.0, ("13001",), 0.5),
    Kind("weapon", 0.7, 1.5, 5.0, ("00811",), 0.0),
    Kind("residential burglary", 0.6, 3.5, 7.5, ("02803",), 0.8),
    Kind("other burglary", 0.5, 0.3, 4.0, ("03002",), 0.3),
    Kind("robbery", 0.9, 1.0, 5.0, ("03401",), 0.9),
    Kind("strangulation", 0.9, 1.0, 0.2, ("00877",)),
    Kind("wounding", 1.1, 4.5, 5.0, ("00801", "00501")),
    Kind("sexual assault", 0.9, 3.5, 5.0, ("02005", "08809"), 0.95),
    Kind("arson", 1.0, 1.0, 1.2, ("05602",), 0.6),
    Kind("rape", 2.1, 0.068, 0.073, ("01908",)),
    Kind("attempted murder", 2.2, 0.015, 0.015, ("00200",)),
    Kind("murder", 2.3, 0.0010, 0.0010, ("00101",)),
    Kind("stalking", 0.1, 0.0, 0.0, ("00865", "00866", "19512")),
    Kind("harassment of a partner", 0.1, 0.0, 0.0, ("19594",)),
    Kind("racially aggravated harassment", 0.1, 0.0, 0.0, ("00850", "00851")),
)
KIND = {kind.name: number for number, kind in enumerate(KINDS)}
DOMESTIC_NON_CRIME = KIND["domestic non-crime"]
OTHER_NON_CRIME = KIND["anti-social behaviour non-crime"]
STALKING = KIND["stalking"]
RECLASSIFIED = KIND["harassment of a partner"]
HARASSMENT = KIND["harassment"]
MALICIOUS_COMMUNICATIONS = KIND["malicious communications"]
COERCIVE_CONTROL = KIND["coercive control"]
RACIALLY_AGGRAVATED = KIND["racially aggravated harassment"]
NON_CRIME_HARMS: Floats = np.array([1.0, 2.0, 3.0, 5.0, 10.0])
_NON_CRIME_WEIGHTS = np.array([0.30, 0.25, 0.20, 0.15, 0.10])
MEAN_NON_CRIME_HARM = float(NON_CRIME_HARMS @ _NON_CRIME_WEIGHTS)
"""Mean inferred harm of a domestic non-crime of ordinary severity, days."""

GRADE: Floats = np.array([kind.grade for kind in KINDS])
HAS_VICTIM: Floats = np.array([kind.has_victim for kind in KINDS])
_WEIGHT: Floats = np.array([[kind.other for kind in KINDS], [kind.partner for kind in KINDS]])
_CODES = np.array([code for kind in KINDS for code in kind.codes], dtype=object)
_CODE_COUNT: Ints = np.array([len(kind.codes) for kind in KINDS])
_FIRST_CODE: Ints = np.cumsum(_CODE_COUNT) - _CODE_COUNT
_BLOCK = 1 << 16


def draw_kinds(
    rng: np.random.Generator, severity: Floats, partner: NDArray[np.bool_], *, scale: Floats | float = 1.0
) -> Ints:
    """Draw a kind for each incident, (M,): setting weights tilted by exp(severity * grade), kinds scaled by `scale`."""
    settings = _WEIGHT * scale
    kinds = np.empty(len(severity), dtype=np.int64)
    pick = rng.random(len(severity))
    for begin in range(0, len(severity), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        weight = settings[partner[rows].astype(np.int64)] * np.exp(severity[rows, None] * GRADE)
        reached = np.cumsum(weight, axis=1)
        kinds[rows] = (reached < pick[rows, None] * reached[:, -1:]).sum(axis=1)
    return kinds


def draw_codes(rng: np.random.Generator, kinds: Ints) -> NDArray[np.object_]:
    """Draw the offence code of each kind, (M,) of str, None for non-crimes."""
    count = _CODE_COUNT[kinds]
    place = _FIRST_CODE[kinds] + np.floor(rng.random(len(kinds)) * count).astype(np.int64)
    codes = np.full(len(kinds), None, dtype=object)
    crime = count > 0
    codes[crime] = _CODES[place[crime]]
    return codes


def draw_non_crime_harm(rng: np.random.Generator, severity: Floats) -> Floats:
    """Draw the inferred harm of domestic non-crimes, (M,) out of {1, 2, 3, 5, 10} days (report, appendix 8)."""
    weight = _NON_CRIME_WEIGHTS * np.exp(0.5 * severity[:, None] * np.linspace(-1.0, 1.0, len(NON_CRIME_HARMS)))
    reached = np.cumsum(weight, axis=1)
    place: Ints = (reached < rng.random(len(severity))[:, None] * reached[:, -1:]).sum(axis=1)
    return NON_CRIME_HARMS[place]
