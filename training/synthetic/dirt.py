"""Dirty rows as real extracts hold them, in moderate amounts, so that the loading rules always have work.

Incidents that can be index incidents are spared what would take them away (wrong dates, unknown codes), so that the
number of labelled nominals asked for is the number delivered.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.synthetic.police import NEVER
from training.synthetic.register import Register

UNKNOWN_CODES = ("00890", "19999", "05899")
"""Codes no table has: repealed and mistyped."""
MISSING_BIRTH = int(np.iinfo(np.int64).min)
_CENTURY = 36_525
_SHARES = {
    "unknown birth date": 0.02,
    "unknown code": 0.002,
    "slashed code": 0.15,
    "before birth": 0.0005,
    "future": 0.0005,
    "unscored": 0.003,
    "twice": 0.003,
    "weaker role": 0.004,
    "repeated row": 0.002,
}


def soil(rng: np.random.Generator, clean: Register, amount: float, end: int) -> Register:
    """Return the register with every kind of dirt of extract.md, `amount` times the usual shares."""
    shares = shares_of(amount)
    persons = clean.persons.copy()
    persons.loc[rng.random(len(persons)) < shares["unknown birth date"], "birth"] = MISSING_BIRTH
    incidents = _soil_incidents(rng, clean.incidents.copy(), shares)
    incidents, involvements = _twice(rng, incidents, clean.involvements, shares["twice"], end)
    involvements = _weaker_roles(rng, involvements, shares["weaker role"])
    return Register(
        persons=_repeated(rng, persons, shares["repeated row"]),
        incidents=_repeated(rng, incidents, shares["repeated row"]),
        involvements=_repeated(rng, involvements, shares["repeated row"]),
        custody=_repeated(rng, clean.custody, shares["repeated row"]),
        contacts=clean.contacts,
    )


def shares_of(amount: float) -> dict[str, float]:
    """Share of rows with each kind of dirt where there is `amount` times the usual."""
    return {kind: min(1.0, amount * share) for kind, share in _SHARES.items()}


def lost(rng: np.random.Generator, crime: NDArray[np.bool_], amount: float) -> NDArray[np.bool_]:
    """Which incidents other than stalking dirt makes useless, (M,): a date a century off, a code no table has."""
    shares = shares_of(amount)
    spoilt = 1 - (1 - shares["before birth"]) * (1 - shares["future"]) * (1 - shares["unknown code"] * crime)
    return rng.random(len(crime)) < spoilt


def unscored(rng: np.random.Generator, count: int, amount: float) -> NDArray[np.bool_]:
    """Which of `count` domestic non-crimes nobody scored."""
    return rng.random(count) < shares_of(amount)["unscored"]


def _soil_incidents(rng: np.random.Generator, incidents: pd.DataFrame, shares: dict[str, float]) -> pd.DataFrame:
    """Wrong dates, unknown and slashed codes, domestic non-crimes nobody scored."""
    count = len(incidents)
    spared = incidents["spared"].to_numpy()
    crime = incidents["code"].notna().to_numpy()
    day = incidents["day"].to_numpy().copy()
    code = incidents["code"].to_numpy().copy()
    before = ~spared & (rng.random(count) < shares["before birth"])
    day[before] -= _CENTURY
    future = ~spared & (rng.random(count) < shares["future"])
    day[future] += _CENTURY
    unknown = ~spared & crime & (rng.random(count) < shares["unknown code"])
    code[unknown] = rng.choice(np.array(UNKNOWN_CODES, dtype=object), int(unknown.sum()))
    slashed = crime & (rng.random(count) < shares["slashed code"])
    code[slashed] = [f"{plain[:3]}/{plain[3:]}" for plain in code[slashed]]
    harm = incidents["harm"].to_numpy().copy()
    harm[rng.random(count) < shares["unscored"]] = np.nan
    return incidents.assign(day=day, code=code, harm=harm)


def _twice(
    rng: np.random.Generator, incidents: pd.DataFrame, involvements: pd.DataFrame, share: float, end: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Some incidents are recorded again days later under a new number, with everyone in them."""
    chosen = rng.random(len(incidents)) < share
    copies = incidents[chosen].copy()
    later = np.floor(rng.exponential(10.0, len(copies))).astype(np.int64)
    copies["recorded"] = np.minimum(copies["recorded"] + later, end)
    number = np.full(len(incidents), -1)
    number[chosen] = len(incidents) + np.arange(len(copies))
    copies["incident"] = number[chosen]
    again = involvements[chosen[involvements["incident"].to_numpy()]].copy()
    again["incident"] = number[again["incident"].to_numpy()]
    return pd.concat([incidents, copies], ignore_index=True), pd.concat([involvements, again], ignore_index=True)


def _weaker_roles(rng: np.random.Generator, involvements: pd.DataFrame, share: float) -> pd.DataFrame:
    """Some nominals stand on an incident a second time, as its victim or still as its suspect."""
    nominal = (involvements["role"] != "victim").to_numpy()
    extra = involvements[nominal & (rng.random(len(involvements)) < share)].copy()
    extra["role"] = np.where(rng.random(len(extra)) < 0.5, "victim", "suspect")
    extra[["charged", "eliminated"]] = NEVER
    return pd.concat([involvements, extra], ignore_index=True)


def _repeated(rng: np.random.Generator, frame: pd.DataFrame, share: float) -> pd.DataFrame:
    """Some rows stand there twice, letter for letter."""
    return pd.concat([frame, frame[rng.random(len(frame)) < share]], ignore_index=True)
