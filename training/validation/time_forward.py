"""Section "validation.time_forward": learn with what was on record on one day, be judged on what came after it.

The extract is cut back to that day: incidents recorded later are gone, charges and eliminations of later days have not
happened. Everything is then done as a force would have done it that day, day zero included: the last stalking incident
at least a year before, so that every label was complete. The test are the scoring moments after that day, as today's
extract labels them, groups by the cuts of then. Beside it stands the ordinary test set of that day's own split: the same
models, judged on people of their own time.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.extract.load import Extract
from app.extract.rules import ELIMINATED_ROLE, OFFENDER_ROLE, SUSPECT_ROLE
from app.harm.features import NO_DAY, Floats, Ints, features
from training.evaluation.bench import Bench
from training.harm.fit import Data, assemble
from training.harm.population import shares
from training.harm.progress import Stages
from training.labels import HORIZON_DAYS
from training.split import harm_groups
from training.validation.changes import only_incidents
from training.validation.fits import fit_of, headlines, picked, scores_of


def measure_time_forward(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Headline measures forward in time, on everyone and on those the models had never met, and of the ordinary split."""
    now = bench.data
    day = now.extract.end - 2 * HORIZON_DAYS
    then = assemble(as_on_record(now.extract, day), bench.manifest.seed, family=now.family)
    later = forward(now, then, day, shares(bench.groups), bench.seed)
    count = len(then.split.test)
    x = np.concatenate([then.x[then.split.test], later.x[later.split.test]])
    (scored,) = scores_of(
        [fit_of("time-forward", then, bench.manifest.seed, x, day=day)], bench.work, bench.jobs, stages, "Time forward"
    )
    ordinary, ahead = picked(scored, np.arange(count)), picked(scored, np.arange(count, len(x)))
    learnt_from = then.labelled.person[np.concatenate([then.split.train, then.split.calibration])]
    new = ~np.isin(now.labelled.person[later.split.test], learnt_from)
    return {
        "split_on": str(np.datetime64(day, "D")),
        "labelled_then": len(then.labelled.person),
        "train": len(then.split.train),
        "cuts_then": then.split.cuts.tolist(),
        "forward": headlines(bench, later, ahead),
        "forward_new_people": headlines(bench, _only(later, new), picked(ahead, new)),
        "ordinary_then": headlines(bench, then, ordinary),
        "ordinary_now": headlines(bench, now, bench.scored),
    }


def as_on_record(extract: Extract, day: int) -> Extract:
    """The extract as it would have been pulled at the end of `day`; persons and the numbers of theirs stay."""
    kept = (extract.recorded <= day) & (extract.occurred <= day)
    rows = np.flatnonzero(kept[extract.incident])
    charged, eliminated, role = extract.charged[rows], extract.eliminated[rows], extract.role[rows]
    not_yet_charged, not_yet_cleared = charged > day, eliminated > day
    role = np.where(not_yet_charged & (role == OFFENDER_ROLE), SUSPECT_ROLE, role)
    role = np.where(not_yet_cleared & (role == ELIMINATED_ROLE), SUSPECT_ROLE, role)
    appeared, called = extract.custody_day <= day, extract.contact_day <= day
    return replace(
        extract,
        **only_incidents(extract, kept),
        incident=(np.cumsum(kept) - 1)[extract.incident[rows]],
        person=extract.person[rows],
        role=role.astype(np.int8),
        charged=np.where(not_yet_charged, NO_DAY, charged),
        eliminated=np.where(not_yet_cleared, NO_DAY, eliminated),
        custody_person=extract.custody_person[appeared],
        custody_day=extract.custody_day[appeared],
        contact_person=extract.contact_person[called],
        contact_day=extract.contact_day[called],
        end=day,
    )


def forward(now: Data, then: Data, day: int, test_mix: Floats, seed: int) -> Data:
    """Today's scoring moments after `day` as a test set of the ordinary test mix, with the cuts and ages of `then`."""
    labelled = now.labelled
    groups = harm_groups(labelled.future_harm, then.split.cuts)
    after = np.flatnonzero(labelled.histories.day_zero > day)
    test = at_mix(after, groups, test_mix, seed)
    parts = replace(now.split, test=test, groups=groups, cuts=then.split.cuts)
    x = features(labelled.histories, labelled.nominals, unknown_age=then.unknown_age)
    return now._replace(split=parts, x=x)


def at_mix(rows: Ints, groups: Ints, mix: Floats, seed: int) -> Ints:
    """As many of the rows as have group shares `mix` (4,), drawn at random within each group."""
    order = np.random.default_rng(seed).permutation(rows)
    members = [order[groups[order] == group] for group in range(len(mix))]
    total = min(len(found) / share for found, share in zip(members, mix, strict=True))
    sizes = [int(total * share + 1e-9) for share in mix]
    return np.sort(np.concatenate([found[:size] for found, size in zip(members, sizes, strict=True)]))


def _only(data: Data, kept: NDArray[np.bool_]) -> Data:
    return data._replace(split=replace(data.split, test=data.split.test[kept]))
