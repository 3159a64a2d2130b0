"""The truths behind an extract, for an oracle and for checks against true harm. Training never reads them."""

import numpy as np
import pyarrow as pa

from app.harm.features import Ints
from training.synthetic.offences import KINDS
from training.synthetic.people import People
from training.synthetic.process import Acts
from training.synthetic.tables import dates


def latents_table(people: People, unrecorded: Acts, stops: Ints, person_ids: pa.Array) -> pa.Table:
    """One row a nominal: log rate a year and escalation, before and (`later_`) from the first stalking incident on, career
    start, first stalking, last day of any offending, and the days and kinds of what happened without ever being
    recorded (lists)."""
    order = np.lexsort((unrecorded.day, unrecorded.person))
    starts = np.searchsorted(unrecorded.person[order], np.arange(len(people) + 1)).astype(np.int32)
    kinds = pa.array([kind.name for kind in KINDS])
    return pa.table(
        {
            "person_id": person_ids.slice(0, len(people)),
            "log_rate": people.log_rate,
            "later_log_rate": people.later_log_rate,
            "escalation": people.escalation,
            "later_escalation": people.later_escalation,
            "career_start": dates(people.career_start),
            "first_stalking_on": dates(people.onset),
            "stops_on": dates(stops),
            "unrecorded_on": pa.ListArray.from_arrays(starts, dates(unrecorded.day[order])),
            "unrecorded_kind": pa.ListArray.from_arrays(starts, kinds.take(unrecorded.kind[order])),
        }
    )
