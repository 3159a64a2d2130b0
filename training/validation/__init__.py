"""Checks that could embarrass us: time, shuffled labels, leaks, sample size, chance, and other people's data."""
