"""What each incident of an extract is worth: its harm and its classes, by the rules of serving."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.extract import rules
from app.extract.raw import RawIncidents
from app.extract.rules import Counts, Flags
from app.harm.features import CLASSES, Floats
from app.harm.harm_index import STALKING_AND_HARASSMENT, HarmIndex, offence_classes


@dataclass(frozen=True)
class Values:
    """Of each incident: harm in days, classes, whether it is of the stalking and harassment subgroup, whether the harm
    is a median or what a domestic non-crime gets that nobody scored, whether there is a number at all."""

    harm: Floats
    classes: Flags
    harassing: Flags
    approximate: Flags
    assumed: Flags
    known: Flags


def value_incidents(incidents: RawIncidents, codes: NDArray[np.str_], harm_index: HarmIndex, counts: Counts) -> Values:
    """Harm and classes as in serving: what was sent first, the harm index next, nothing for other non-crimes (ours)."""
    place, offences = incidents.code, [harm_index.lookup(code) for code in codes.tolist()]
    listed = np.array([offence is not None for offence in offences])[place]
    by_code = np.array([offence.harm if offence else np.nan for offence in offences])[place]
    median = np.array([bool(offence and offence.approximate) for offence in offences])[place]
    group = np.array([bool(offence and offence.subgroup == STALKING_AND_HARASSMENT) for offence in offences])[place]
    classes_of = [offence.classes if offence else frozenset[str]() for offence in offences]
    own = np.array(
        [
            [_flags(offence_classes(classes, intimate_partner=known)) for classes in classes_of]
            for known in (False, True)
        ]
    )

    scored = ~np.isnan(incidents.harm_score)
    unscored = ~scored & incidents.non_crime & incidents.domestic
    otherwise = np.where(incidents.non_crime, 0.0, by_code)
    otherwise = np.where(unscored, rules.UNSCORED_DOMESTIC_HARM, otherwise)
    nameless = ~listed & ~incidents.non_crime
    counts["domestic-non-crime-unscored"] = int(unscored.sum())
    counts["unknown-code"] = int((nameless & ~scored).sum())
    counts["unknown-code-with-harm"] = int((nameless & scored).sum())
    return Values(
        harm=np.where(scored, incidents.harm_score, otherwise),
        classes=np.column_stack([own[incidents.partner.astype(np.int64), place], incidents.domestic]),
        harassing=group & ~incidents.non_crime,
        approximate=median & ~scored & ~incidents.non_crime,
        assumed=unscored,
        known=scored | ~nameless,
    )


def _flags(classes: frozenset[str]) -> list[bool]:
    return [name in classes for name in CLASSES[:-1]]
