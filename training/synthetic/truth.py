"""What labelled nominals truly did in the year after day zero, recorded or not. Only for measuring: training never
reads it.

Recorded labels inherit how the police record: harm that never came to notice, and incidents somebody was wrongly
eliminated from, count for nothing there.
"""

from pathlib import Path

import numpy as np

from app.errors import SetupError
from app.extract.load import Extract
from app.extract.rules import VICTIM_ROLE
from app.harm.features import Floats, Ints
from app.harm.harm_index import HarmIndex
from training.labels import HORIZON_DAYS, Labelled
from training.synthetic.latents import Latents, read_latents
from training.synthetic.offences import DOMESTIC_NON_CRIME, KINDS, MEAN_NON_CRIME_HARM
from training.synthetic.police import NEVER


def true_future_harm(extract: Extract, labelled: Labelled, latents: Path, index: HarmIndex) -> Floats:
    """Harm days of everything each nominal did in (t0, t0 + 365], (N,); never less than the recorded.

    Recorded incidents count with their own harm, whatever role the person ended up in but the victim's; unrecorded ones
    with the mean harm of their kind. What companions did unrecorded is not known of them, and left out (ours). Raises
    SetupError where `latents` is not the side file of this extract.
    """
    return _recorded(extract, labelled) + _unrecorded(labelled, read_latents(latents), index)


def _recorded(extract: Extract, labelled: Labelled) -> Floats:
    place = np.full(len(extract.person_id), -1)
    place[labelled.person] = np.arange(len(labelled.person))
    nominal = place[extract.person]
    rows = np.flatnonzero((nominal >= 0) & (extract.role != VICTIM_ROLE))
    days = extract.occurred[extract.incident[rows]]
    return _summed(labelled, nominal[rows], days, extract.harm[extract.incident[rows]])


def _unrecorded(labelled: Labelled, latents: Latents, index: HarmIndex) -> Floats:
    places = {person: row for row, person in enumerate(labelled.person_id.tolist())}
    nominal = np.array([places.get(person, -1) for person in latents.person_id.tolist()], dtype=np.int64)
    if len(np.unique(nominal[nominal >= 0])) < len(places):
        raise SetupError("The latents know too few of the extract's nominals. Take the file written with the extract.")
    acts = latents.acts
    rows = np.flatnonzero((latents.told == NEVER) & (nominal[acts.person] >= 0))
    return _summed(labelled, nominal[acts.person[rows]], acts.day[rows], kind_harms(index)[acts.kind[rows]])


def _summed(labelled: Labelled, nominal: Ints, days: Ints, harm: Floats) -> Floats:
    """Harm within (t0, t0 + 365] by nominal, (N,)."""
    after = days - labelled.histories.day_zero[nominal]
    within = (after > 0) & (after <= HORIZON_DAYS)
    total = np.zeros(len(labelled.person))
    np.add.at(total, nominal[within], harm[within])
    return total


def kind_harms(index: HarmIndex) -> Floats:
    """Mean harm days of each kind of incident by the index, in the order of `KINDS`; domestic non-crimes by their
    inferred scores (report, appendix 8), other non-crimes none."""
    harms = np.zeros(len(KINDS))
    for number, kind in enumerate(KINDS):
        known = [offence.harm for offence in map(index.lookup, kind.codes) if offence is not None]
        harms[number] = np.mean(known) if known else 0.0
    harms[DOMESTIC_NON_CRIME] = MEAN_NON_CRIME_HARM
    return harms
