"""The report's figures of stalking nominals that ours stand beside, other than those of a family's own test set."""

import numpy as np

from app.harm.features import Floats
from training.families import STALKING_NOMINAL

FLAGGED: Floats = np.array([119.0, 78.0, 68.0, 205.0])
"""Last column of the confusion matrix (figure 14): test nominals of each true group predicted 90-100."""
TEST_GROUPS: Floats = np.array(STALKING_NOMINAL.parts.test, dtype=np.float64)
POPULATION_GROUPS: Floats = np.array([21_595.0, 3_932.0, 1_310.0, 1_442.0])
"""Labelled nominals of each group (table 2)."""
