"""The report's own figures that ours stand beside, each printed there or following from what is printed there."""

import numpy as np

from app.harm.features import Floats
from training.split import TEST_COUNTS

METRICS: dict[str, float] = {
    "precision": 0.581,
    "sensitivity": 0.682,
    "adjusted_f1": 0.627,
    "top_2_accuracy": 0.84,
    "max_correct": 205,
    "max_false": 119,
    "max_missed": 17,
    "hamming_loss": 0.475,
    "accuracy": 0.525,
    "flagged": 470 / 2591,
    "top_found": 205 / 283,
    "flagged_are_top": 205 / 470,
    "false_alarm": 119 / 1593,
}
"""Section 4.1 and appendix 5, the chosen stack at the test mix."""
HARM = {"missed": 47_456.5, "positive": 33_837.5, "net": 13_619.0}
"""Section 4.1, days."""

FLAGGED: Floats = np.array([119.0, 78.0, 68.0, 205.0])
"""Last column of the confusion matrix (figure 14): test nominals of each true group predicted 90-100."""
TEST_GROUPS: Floats = TEST_COUNTS.astype(np.float64)
POPULATION_GROUPS: Floats = np.array([21_595.0, 3_932.0, 1_310.0, 1_442.0])
"""Labelled nominals of each group (table 2)."""

WEEKLY_STALKING_CRIMES = 147
"""Section 6."""
CONCORDANCE = 0.702
"""Section 5, on 687 test nominals of whom 460 censored."""
