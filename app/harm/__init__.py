"""Stalking harm scoring: record -> features -> model -> explanation -> score."""
