"""What a token may allow, and for how long. A closed list; no scope implies another."""

SCOPES = ("score", "triage", "audit", "audit:unseal", "admin", "metrics")
MAX_HOURS = 8
