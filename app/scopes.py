"""What a token may allow, for how long, and how it may be signed. Closed lists; no scope implies another."""

SCOPES = ("score", "triage", "audit", "audit:unseal", "admin", "metrics")
MAX_HOURS = 8

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones only: with the others whoever checks a token could make one."""
