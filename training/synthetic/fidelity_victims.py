"""How far the victims of an extract show the report's figures of the sister model (appendix 7, table 10).

Held to them are worlds in which others harm the same victims too; elsewhere nobody knows a victim's year well enough.
"""

import numpy as np

from app.extract.load import Extract
from app.extract.rules import VICTIM_ROLE
from app.harm.features import Floats, Ints
from training.families import PUBLISHED_NOMINALS, STALKING_VICTIM
from training.harm.classifier import STEPS, fit_stack
from training.harm.fit import Data
from training.harm.population import shares
from training.harm.progress import Stages
from training.labels import Labelled
from training.metrics import confusion, report_metrics, top_against_lowest_auc
from training.split import harm_cuts, harm_groups
from training.synthetic.fidelity_rows import OURS, SHOWN, Row, counted

VICTIM_GROUPS = {"0-50": (23_296, 0.03), "50-80": (3_365, 0.03), "80-90": (1_122, 0.02), "90-100": (1_234, 0.02)}
"""Victims by the harm of the year after (table 10), and by how much the share may differ."""
HARMED = (VICTIM_GROUPS["50-80"][0] + VICTIM_GROUPS["80-90"][0]) / 0.4
"""Victims harmed at all: those two groups are four in ten of them (ours)."""
_HELD_IN = "published-victims"
_WITHIN = 0.04


def victim_rows(extract: Extract, labelled: Labelled, *, nominals: int) -> list[Row]:
    """Rows that need no model, for an extract of `nominals` labelled nominals labelled by what its victims suffer."""
    victims, harm = STALKING_VICTIM.parts.labelled, labelled.future_harm
    scale = nominals / PUBLISHED_NOMINALS
    groups = harm_groups(harm, harm_cuts(harm))
    found = np.bincount(groups, minlength=len(VICTIM_GROUPS)) / len(groups)
    by_whom, unharmed = nominals_of(extract, labelled), float((harm == 0).mean())
    return [
        counted("victims: labelled", "table 10", victims * scale, 0.05, len(harm)),
        Row("victims: no harm in the 12 months", f"table 10, {OURS}", 1 - HARMED / victims, 0.025, unharmed),
        *(
            Row(f"victims: group {name}", "table 10", count / victims, within, float(share))
            for (name, (count, within)), share in zip(VICTIM_GROUPS.items(), found, strict=True)
        ),
        Row("victims: harmed by more than one nominal", OURS, np.nan, SHOWN, float((by_whom > 1).mean())),
        Row("victims: nothing before day zero", OURS, np.nan, SHOWN, float((labelled.histories.lengths == 1).mean())),
    ]


def nominals_of(extract: Extract, labelled: Labelled) -> Ints:
    """How many people harmed each labelled victim in all the extract, whatever became of the suspicion, (N,)."""
    place = np.full(len(extract.person_id), -1)
    place[labelled.person] = np.arange(len(labelled.person))
    victims = np.flatnonzero((extract.role == VICTIM_ROLE) & (place[extract.person] >= 0))
    suspects = np.flatnonzero(extract.role != VICTIM_ROLE)
    suspects = suspects[np.argsort(extract.incident[suspects], kind="stable")]
    begin = np.searchsorted(extract.incident[suspects], extract.incident[victims])
    counts = np.searchsorted(extract.incident[suspects], extract.incident[victims], side="right") - begin
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    harmed = np.repeat(place[extract.person[victims]], counts)
    by = extract.person[suspects[np.repeat(begin, counts) + offset]]
    pairs = np.unique(np.stack([harmed, by]), axis=1)
    return np.bincount(pairs[0], minlength=len(labelled.person))


def fit_victims(data: Data, seed: int, jobs: int, stages: Stages) -> tuple[Floats, Ints]:
    """Probabilities (T, 4) and predicted groups (T,) of the family's stack on the test set."""
    with stages.stage("Victims: trees, LSTM, second stage", STEPS) as done:
        stack = fit_stack(
            data.sample(data.split.train),
            data.sample(data.split.calibration),
            test_mix=shares(data.split.groups[data.split.test]),
            population_mix=data.mix,
            seed=seed,
            structure=data.family.structure,
            jobs=jobs,
            done=done,
        ).stack
    x = data.x[data.split.test]
    return stack.probabilities(x), stack.predict(x)


def victim_stack_rows(groups: Ints, probabilities: Floats, predicted: Ints, world: str) -> list[Row]:
    """How hard the world makes it to tell victims apart, on a test set of `groups` (T,)."""
    published, within = STALKING_VICTIM.published, _WITHIN if world == _HELD_IN else SHOWN
    found, auc = report_metrics(confusion(groups, predicted)), top_against_lowest_auc(groups, probabilities)
    top_2, f1 = published["top_2_accuracy"], published["adjusted_f1"]
    return [
        Row("victims: top-2 accuracy", "app. 7", top_2, within, float(found.top_2_accuracy)),
        Row("victims: adjusted F1", "app. 7", f1, within, float(found.adjusted_f1), "index"),
        Row("victims: AUC, top group against lowest", OURS, np.nan, SHOWN, float(auc), "index"),
        Row("victims: flagged as top group", OURS, np.nan, SHOWN, float(found.flagged)),
    ]
