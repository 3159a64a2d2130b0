"""Day Zero: scoring service for police stalking triage."""

__version__ = "0.1.0"
