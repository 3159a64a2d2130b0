"""Tamper-evident ledger. Knows bytes and digests, nothing about crime."""
