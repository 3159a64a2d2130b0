"""Fitting, checking and exporting the stalking harm models."""
