"""Scoring many nominals: over HTTP a line each, from a file or an extract on every core, or on a cluster."""
