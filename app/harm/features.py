"""The 19 features of each incident: the only feature code in the repository.

Serving, bulk scoring, training and explanation all call `day_zero_histories` and `features`, so that a number learnt
from is the number scored with. Everything is a column over incidents or nominals; nothing loops over people.

Source: the report's section 3.2, table 1 and appendix 2 (features), table 3 (survival features), the glossary (day
zero). Where the report is silent the reading taken here is marked (ours).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Features = NDArray[np.float32]

ROWS = 20
CLASSES = ("harassment", "violent", "sexual", "stalking", "domestic")
OFFENDER, SUSPECT, VICTIM = 1, 2, 3
GENDER_CODES = {"male": 1, "female": 2, "other": 0, "unknown": 0}
DAYS_A_YEAR = 365.25
COOLING_OFF_DAYS = 30
DECAY_A_DAY = 0.99
NO_DAY = int(np.iinfo(np.int64).min)

FEATURES = (
    "age_at_offence",
    "harm_score",
    "days_to_day_zero",
    "cumulative_harm",
    "days_since_previous",
    "harm_rate",
    "harm_momentum",
    "cumulative_harm_decayed",
    "harm_momentum_decayed",
    "custody_count",
    "is_harassment",
    "is_violent",
    "is_sexual",
    "is_stalking",
    "is_domestic",
    "is_offender",
    "is_suspect",
    "victim_contacts",
    "gender",
)
COLUMN = {name: column for column, name in enumerate(FEATURES)}
SURVIVAL_FEATURES = (*FEATURES[:9], "victim_contacts", "custody_count")

# After 75,000 days the decay is below the smallest float64, so a table of it is complete and cheaper than a power.
_DECAY: Floats = DECAY_A_DAY ** np.maximum(0.0, np.arange(75_001) - COOLING_OFF_DAYS)
_DECAY[-1] = 0.0
# Pairs of (row, earlier incident) held at once: bounds memory in bulk and stays in the processor's cache (twice as fast
# as a million); never reached by one nominal.
_PAIRS_A_BLOCK = 1 << 16


@dataclass(frozen=True)
class Incidents:
    """Columns over M incidents of N nominals, in any order; eliminated suspects are already left out.

    `nominal` int64 (M,) 0..N-1; `day` int64 (M,) days since 1970-01-01; `id_rank` int64 (M,) rank of the incident id
    in UTF-8 byte order (compared only within one nominal); `harm` float64 (M,) days; `classes` bool (M, 5) as
    `CLASSES`; `role` int8 (M,) OFFENDER, SUSPECT or VICTIM.
    """

    nominal: Ints
    day: Ints
    id_rank: Ints
    harm: Floats
    classes: NDArray[np.bool_]
    role: NDArray[np.int8]

    def take(self, rows: NDArray[np.int64]) -> "Incidents":
        """Return the given rows, in the order given."""
        return Incidents(
            self.nominal[rows], self.day[rows], self.id_rank[rows], self.harm[rows], self.classes[rows], self.role[rows]
        )


@dataclass(frozen=True)
class Nominals:
    """Columns over N nominals.

    `birth_day` float64 (N,) days since 1970-01-01, NaN where unknown; `gender` int8 (N,) as `GENDER_CODES`;
    `victim_contacts` float64 (N,), unknown = 0; `custody_nominal`, `custody_day` int64 (K,), one entry an appearance.
    """

    birth_day: Floats
    gender: NDArray[np.int8]
    victim_contacts: Floats
    custody_nominal: Ints
    custody_day: Ints


@dataclass(frozen=True)
class Histories:
    """Known histories up to and including day zero, in history order.

    `incidents` sorted by nominal, then date, then incident id, the index incident last of all; nominal i owns rows
    `starts[i]:starts[i + 1]` (none where there is no stalking incident); `day_zero` int64 (N,), `NO_DAY` where none;
    `source` int64 (M',) the row each incident had in the table given.
    """

    incidents: Incidents
    starts: Ints
    day_zero: Ints
    source: Ints

    @property
    def lengths(self) -> Ints:
        """Incidents known for each nominal up to day zero, (N,)."""
        return self.starts[1:] - self.starts[:-1]


def decay(days: Ints) -> Floats:
    """Return 0.99 to the power of the days beyond a 30-day cooling-off (appendix 2); `days` >= 0, any shape."""
    return _DECAY[np.minimum(days, len(_DECAY) - 1)]


def day_zero_histories(
    incidents: Incidents, count: int, as_of: Ints | int, *, begins: NDArray[np.bool_] | None = None
) -> Histories:
    """Find each nominal's day zero on or before `as_of`, drop what came after it, and put the rest in order.

    Day zero is the date of the most recent incident that `begins` marks, (M,), by default of stalking; that incident
    is the index incident, of several on one date the last by id. Other incidents of that date come before it whatever
    their id (ours).

    `count` is N; `as_of` one day or int64 (N,), days since 1970-01-01.
    """
    nominal, day, id_rank = incidents.nominal, incidents.day, incidents.id_rank
    latest = np.full(count, as_of, dtype=np.int64)
    if begins is None:
        begins = incidents.classes[:, CLASSES.index("stalking")]
    eligible = begins & (day <= latest[nominal])

    day_zero = np.full(count, NO_DAY, dtype=np.int64)
    np.maximum.at(day_zero, nominal[eligible], day[eligible])
    on_day_zero = eligible & (day == day_zero[nominal])
    index_rank = np.full(count, NO_DAY, dtype=np.int64)
    np.maximum.at(index_rank, nominal[on_day_zero], id_rank[on_day_zero])
    is_index = on_day_zero & (id_rank == index_rank[nominal])

    known = np.flatnonzero(day <= day_zero[nominal])
    source = known[np.lexsort((id_rank[known], is_index[known], day[known], nominal[known]))]
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(nominal[source], minlength=count), out=starts[1:])
    return Histories(incidents.take(source), starts, day_zero, source)


def features(histories: Histories, nominals: Nominals, *, unknown_age: float) -> Features:
    """Return float32 (N, 20, 19): the index incident and the 19 before it, the front padded with zero rows.

    `unknown_age` (years) is the age at the index incident taken for an unknown birth date: the training median (ours).
    Sums run over the whole known history, not only the last 20 incidents. A nominal's rows are the same to the bit
    whoever else is in the batch.
    """
    count, lengths = len(histories.day_zero), histories.lengths
    out = np.zeros((count, ROWS, len(FEATURES)), dtype=np.float32)
    pairs = np.minimum(lengths, ROWS) * lengths
    block = (np.cumsum(pairs) - pairs) // _PAIRS_A_BLOCK
    edges = [0, *((block[1:] != block[:-1]).nonzero()[0] + 1).tolist(), count]
    for first, last in pairwise(edges):
        _fill(out, histories, nominals, unknown_age, first, last)
    return out


def _fill(out: Features, histories: Histories, nominals: Nominals, unknown_age: float, first: int, last: int) -> None:
    """Write the features of nominals `first:last` into `out`."""
    known, starts = histories.incidents, histories.starts
    ends = starts[first + 1 : last + 1]
    rows = np.minimum(ends - starts[first:last], ROWS)
    owner = np.arange(first, last).repeat(rows)
    place = _positions(rows) + (ROWS - rows).repeat(rows)
    at = ends.repeat(rows) - ROWS + place
    begins = starts[owner]

    day, harm, role, day_zero = known.day[at], known.harm[at], known.role[at], histories.day_zero[owner]
    to_day_zero, follows = day_zero - day, at > begins
    gap = np.where(follows, day - known.day[at - follows], 0)
    cumulative, cumulative_decayed = _cumulative(known, at, begins)
    total = cumulative[rows.cumsum().repeat(rows) - 1]
    rate = np.divide(harm, total, out=np.zeros_like(harm), where=total > 0)
    momentum = np.where(follows, rate / np.maximum(gap, 1), 0.0)
    birth = nominals.birth_day[owner]
    birth = np.where(np.isnan(birth), day_zero - unknown_age * DAYS_A_YEAR, birth)

    table = np.empty((len(at), len(FEATURES)), dtype=np.float32)
    columns = (
        (day - birth) / DAYS_A_YEAR,
        harm,
        to_day_zero,
        cumulative,
        gap,
        rate,
        momentum,
        cumulative_decayed,
        momentum * decay(to_day_zero),
        _custody_counts(nominals, owner, day),
    )
    for column, values in enumerate(columns):
        table[:, column] = values
    table[:, len(columns) : -4] = known.classes[at]
    table[:, -4] = role == OFFENDER
    table[:, -3] = role == SUSPECT
    table[:, -2] = nominals.victim_contacts[owner]
    table[:, -1] = nominals.gender[owner]
    out[owner, place] = table


def _cumulative(known: Incidents, at: Ints, begins: Ints) -> tuple[Floats, Floats]:
    """Harm summed over each row's own past, plain and decayed to the row's date; both (rows,), days.

    Summed afresh for each row, oldest first, rather than as differences of a running total: a total over a whole
    batch would make a nominal's last bits depend on the company.
    """
    counts = at - begins + 1
    row = np.arange(len(at)).repeat(counts)
    earlier = _positions(counts) + begins.repeat(counts)
    harm = known.harm[earlier]
    faded = harm * decay(known.day[at].repeat(counts) - known.day[earlier])
    plain = np.bincount(row, weights=harm, minlength=len(at))
    decayed = np.bincount(row, weights=faded, minlength=len(at))
    return plain.astype(np.float64, copy=False), decayed.astype(np.float64, copy=False)


def _positions(counts: Ints) -> Ints:
    """0..c-1 for each count c, concatenated."""
    ends = counts.cumsum()
    return np.arange(ends[-1] if len(ends) else 0) - (ends - counts).repeat(counts)


def _custody_counts(nominals: Nominals, owner: Ints, day: Ints) -> Ints:
    """Custody appearances of each row's nominal on or before the row's date, (rows,)."""
    span = np.int64(1) << 32
    keys = np.sort(nominals.custody_nominal * span + nominals.custody_day)
    before = np.searchsorted(keys, owner * span - (span >> 1))
    return np.searchsorted(keys, owner * span + day, side="right") - before
