"""Why someone acts, why something is erased, what a key is for: closed lists that several doors share (ours)."""

from typing import Literal, get_args

Purpose = Literal[
    "stalking-triage", "safeguarding", "case-review", "subject-rights", "audit", "evaluation", "back-test"
]
DEFAULT_PURPOSE: Purpose = "stalking-triage"
OWN_PURPOSE = "operation"
"""What the service does by itself; no caller may claim it."""

CLAIMABLE_PURPOSES: tuple[str, ...] = get_args(Purpose)
PURPOSES: tuple[str, ...] = (*CLAIMABLE_PURPOSES, OWN_PURPOSE)

ErasureReason = Literal["retention-ended", "subject-request", "court-order", "recorded-in-error", "unlawful-processing"]
ERASURE_REASONS: tuple[str, ...] = get_args(ErasureReason)
"""A closed list, so that nothing about the person is told in it."""

KEY_PURPOSES = ("index", "encryption", "token", "note")
