"""Numbers as text, one way for every document: British, with their intervals, no more digits than they bear."""

from collections.abc import Sequence
from typing import Any

MISSING = "not measured"
UNSAID = f"{MISSING.capitalize()} in this run."


def share(value: Any) -> str:
    """A share 0..1, or an estimate of one, in percent: `84.1 % (80.0 to 88.2)`."""
    return _told(value, lambda one: f"{100 * one:.1f}", unit=" %")


def figure(value: Any) -> str:
    """A plain number, or an estimate of one, with three decimals: `0.929 (0.914 to 0.943)`."""
    return _told(value, lambda one: f"{one:.3f}")


def exact(value: Any) -> str:
    """A plain number, or an estimate of one, with four decimals, as the report prints relative risks."""
    return _told(value, lambda one: f"{one:.4f}")


def amount(value: Any) -> str:
    """A count or a total, or an estimate of one: `57,140 (44,002 to 71,981)`; a total that is known keeps its half."""
    whole = isinstance(value, dict) or bare(value) == round(bare(value) or 0)
    return _told(value, lambda one: f"{one:,.0f}" if whole else f"{one:,.1f}")


def whole(value: Any) -> str:
    """A total rounded to whole numbers."""
    return _told(value, lambda one: f"{one:,.0f}")


def tenths(value: Any) -> str:
    """A number, or an estimate of one, with one decimal: `17.1 (15.9 to 18.4)`."""
    return _told(value, lambda one: f"{one:,.1f}")


def bare(value: Any) -> float | None:
    """The number itself, of an estimate or a plain number; None where there is none."""
    found = value.get("value") if isinstance(value, dict) else value
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def bounds(value: Any) -> tuple[float, float] | None:
    """Both ends of an estimate's interval, None where it has none."""
    if not isinstance(value, dict):
        return None
    low, high = bare(value.get("low")), bare(value.get("high"))
    return None if low is None or high is None else (low, high)


def signed(difference: float) -> str:
    """A difference of shares in percentage points with its sign; what rounds to nothing has none."""
    shown = f"{100 * difference:+.1f}"
    return _minus(shown) if shown.strip("+-0.") else "0.0"


def days(value: float) -> str:
    """Days of harm."""
    return f"{value:,.0f} days" if value == round(value) else f"{value:,.1f} days"


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def readable(name: str) -> str:
    """A name from a file as words."""
    return name.replace("_", " ").replace("-", " ") if name[:1].isalpha() else name


def _told(value: Any, shown: Any, unit: str = "") -> str:
    number, ends = bare(value), bounds(value)
    if number is None:
        return MISSING
    said = f"{_minus(shown(number))}{unit}"
    return said if ends is None else f"{said} ({_minus(shown(ends[0]))} to {_minus(shown(ends[1]))})"


def _minus(text: str) -> str:
    """A minus sign as printed; what rounds to nothing has none."""
    if not text.startswith("-"):
        return text
    return f"−{text[1:]}" if any(digit in "123456789" for digit in text) else text[1:]
