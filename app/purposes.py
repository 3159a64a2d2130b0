"""Why someone acts: the closed list that requests, reads and audit records share (ours)."""

from typing import Literal, get_args

Purpose = Literal[
    "stalking-triage", "safeguarding", "case-review", "subject-rights", "audit", "evaluation", "back-test"
]
DEFAULT_PURPOSE: Purpose = "stalking-triage"
OWN_PURPOSE = "operation"
"""What the service does by itself; no caller may claim it."""

PURPOSES: tuple[str, ...] = (*get_args(Purpose), OWN_PURPOSE)
