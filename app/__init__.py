"""Day Zero: scoring service for police stalking triage."""

import os

# ONNX Runtime reports its use to its maker and keeps an identifier of the machine unless this is set before its import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.4.0"
