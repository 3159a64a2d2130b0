"""Section "validation.learning_curve": the same stack on fewer people; would more of them help?"""

from typing import Any

import numpy as np

from app.harm.features import Ints
from training.evaluation.bench import Bench
from training.harm.progress import Stages
from training.split import QUANTILES
from training.validation.fits import fit_of, headlines, scores_of

SHARES = (0.125, 0.25, 0.5)


def measure_learning_curve(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Headline measures on the test set for each share of the training part; the last size is the artefact itself."""
    data = bench.data
    test = data.x[data.split.test]
    parts = [thinned(data.split.train, data.split.groups, share, bench.seed) for share in SHARES]
    fits = [
        fit_of("learning-curve", data, bench.seed, test, train=rows, share=share)
        for share, rows in zip(SHARES, parts, strict=True)
    ]
    scores = scores_of(fits, bench.work, bench.jobs, stages, "Learning curve")
    sizes = zip((*SHARES, 1.0), (*parts, data.split.train), (*scores, bench.scored), strict=True)
    return {
        "sizes": [
            {"share": share, "train": len(rows), **headlines(bench, data, scored)} for share, rows, scored in sizes
        ]
    }


def thinned(rows: Ints, groups: Ints, share: float, seed: int) -> Ints:
    """A share of the rows of each group; smaller shares are inside larger ones."""
    order = np.random.default_rng(seed).permutation(rows)
    kept = []
    for group in range(len(QUANTILES) + 1):
        members = order[groups[order] == group]
        kept.append(members[: max(1, round(share * len(members)))])
    return np.sort(np.concatenate(kept))
