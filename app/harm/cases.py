"""Many requests at once: their histories side by side, so that features and model are asked once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from app.errors import InvalidInput
from app.harm.features import Histories, Nominals
from app.harm.harm_index import HarmIndex
from app.harm.history import STALKER, Case, Checked, check, known_histories, nominal_columns, settle
from app.harm.records import ScoreRequest
from app.harm.subject import Subject

Outcome = Case | InvalidInput


@dataclass(frozen=True)
class Cases:
    """The cases of a batch. `outcomes`, one for each request: its case, or why there is none.

    `histories` and `nominals` hold N nominals: `rows` says which of them each case is, in the order of the requests; the
    others were refused for what their history says.
    """

    outcomes: list[Outcome]
    histories: Histories
    nominals: Nominals
    rows: list[int]


def build_cases(requests: Sequence[ScoreRequest], index: HarmIndex, today: date, subject: Subject = STALKER) -> Cases:
    """`build_case` for each request; one that is refused does not stop the others."""
    checked = [_checked(request, index, today, subject) for request in requests]
    sound = [one for one in checked if isinstance(one, Checked)]
    histories = known_histories(sound, subject)
    nominals = nominal_columns(sound)
    settled = _settled(sound, histories, nominals)
    each = iter(settled)
    outcomes = [next(each) if isinstance(one, Checked) else one for one in checked]
    return Cases(outcomes, histories, nominals, [row for row, one in enumerate(settled) if isinstance(one, Case)])


def _checked(request: ScoreRequest, index: HarmIndex, today: date, subject: Subject) -> Checked | InvalidInput:
    try:
        return check(request, index, today, subject)
    except InvalidInput as error:
        return error


def _settled(sound: list[Checked], histories: Histories, nominals: Nominals) -> list[Outcome]:
    """Each nominal's case, its history cut out of the batch's; one alone is the batch."""
    if len(sound) == 1:
        return [_settled_as(sound[0], histories, nominals)]
    starts = histories.starts.tolist()
    custody = np.searchsorted(nominals.custody_nominal, np.arange(len(sound) + 1)).tolist()
    found: list[Outcome] = []
    before = 0  # incidents of the nominals before this one
    for row, one in enumerate(sound):
        own = _history(histories, row, slice(starts[row], starts[row + 1]), before)
        found.append(_settled_as(one, own, _nominal(nominals, row, slice(custody[row], custody[row + 1]))))
        before += len(one.counted)
    return found


def _settled_as(one: Checked, histories: Histories, nominals: Nominals) -> Outcome:
    try:
        return settle(one, histories, nominals)
    except InvalidInput as error:
        return error


def _history(histories: Histories, row: int, own: slice, before: int) -> Histories:
    """The history of one nominal alone, as it would be without the others."""
    known, count = histories.incidents, own.stop - own.start
    return Histories(
        incidents=replace(
            known,
            nominal=np.zeros(count, dtype=np.int64),
            day=known.day[own],
            id_rank=known.id_rank[own],
            harm=known.harm[own],
            classes=known.classes[own],
            role=known.role[own],
        ),
        starts=np.array([0, count], dtype=np.int64),
        day_zero=histories.day_zero[row : row + 1],
        source=histories.source[own] - before,
    )


def _nominal(nominals: Nominals, row: int, custody: slice) -> Nominals:
    days = nominals.custody_day[custody]
    return Nominals(
        birth_day=nominals.birth_day[row : row + 1],
        gender=nominals.gender[row : row + 1],
        victim_contacts=nominals.victim_contacts[row : row + 1],
        custody_nominal=np.zeros(len(days), dtype=np.int64),
        custody_day=days,
    )
