"""The rest of the crime system's books: persons and custody, and the register that holds all five."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.harm.features import DAYS_A_YEAR
from training.synthetic.casefile import Incidents, Involvements
from training.synthetic.people import ETHNICITIES, FEMALE, MALE, People, draw_ethnicity
from training.synthetic.police import NEVER, Casework
from training.synthetic.world import World

_VICTIMS_FEMALE = 0.75
_GENDER_WORDS = np.array(["unknown", "male", "female"], dtype=object)
_UNKNOWN_GENDER = 0.004


@dataclass(frozen=True)
class Register:
    """Five frames with numbers for ids and days; roles in words; `NEVER` for dates that have not come."""

    persons: pd.DataFrame
    incidents: pd.DataFrame
    involvements: pd.DataFrame
    custody: pd.DataFrame
    contacts: pd.DataFrame


def register_persons(
    rng: np.random.Generator,
    people: People,
    victims: int,
    others: People,
    incidents: Incidents,
    involvements: Involvements,
) -> pd.DataFrame:
    """Everyone involved in anything: nominals, victims, others. Victims are most often in their twenties and thirties
    when first named."""
    persons = len(people) + victims + len(others)
    first_named = np.full(persons, NEVER)
    np.minimum.at(first_named, involvements.person, incidents.day[involvements.incident])
    age = 12.0 + rng.gamma(2.2, 9.0, victims)
    named_victim = first_named[len(people) : len(people) + victims]
    birth = np.concatenate([people.birth, named_victim - np.rint(age * DAYS_A_YEAR).astype(np.int64), others.birth])
    gender = np.where(rng.random(victims) < _VICTIMS_FEMALE, FEMALE, MALE)
    words = _GENDER_WORDS[np.concatenate([people.gender, gender, others.gender])]
    words[rng.random(persons) < _UNKNOWN_GENDER] = "unknown"
    ethnicity = np.concatenate([people.ethnicity, draw_ethnicity(rng, victims), others.ethnicity])
    frame = pd.DataFrame(
        {
            "person": np.arange(persons),
            "birth": birth,
            "gender": words,
            "ethnicity": np.array(list(ETHNICITIES), dtype=object)[ethnicity],
        }
    )
    named = np.zeros(persons, dtype=np.bool_)
    named[: len(people)] = True
    named[involvements.person] = True
    return frame[named].reset_index(drop=True)


def keep_custody(
    rng: np.random.Generator, incidents: Incidents, casework: Casework, world: World, end: int
) -> pd.DataFrame:
    """Appearances in police custody after arrests, and prison spells; `released` is `NEVER` while inside at the end."""
    arrested = np.flatnonzero(rng.random(len(incidents.owner)) < world.arrested_share)
    arrived = incidents.recorded[arrested] + np.floor(rng.exponential(8.0, len(arrested))).astype(np.int64)
    jailed = np.flatnonzero(casework.imprisoned < NEVER)
    frame = pd.DataFrame(
        {
            "person": np.concatenate([incidents.owner[arrested], incidents.owner[jailed]]),
            "arrived": np.concatenate([arrived, casework.imprisoned[jailed]]),
            "released": np.concatenate([arrived + 1, casework.released[jailed]]),
        }
    )
    frame = frame[frame["arrived"] <= end].reset_index(drop=True)
    frame.loc[frame["released"] > end, "released"] = NEVER
    return frame
