"""Incident logs of the synthetic force: what they say follows from severity, how they say it does not."""
