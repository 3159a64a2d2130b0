"""Comparing answers: everything exactly, but for the last digits of numbers, which may hang on the size of a batch."""

from typing import Any

TOLERANCE = 1e-6


def same(found: Any, expected: Any) -> bool:
    """Whether two JSON values are equal, their numbers to 1e-6."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[name], expected[name]) for name in found)
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, float) and isinstance(expected, float):
        return abs(found - expected) <= TOLERANCE
    return type(found) is type(expected) and bool(found == expected)
