"""Names of every way to combine two models: `xgboost+lstm:svm` is the published stack (report, section 4.1).

Two of seven first-stage models, in the report's order, then what reads their eight probabilities: one of six second
stages (a stack, which can be exported and served), or their average or maximum (an ensemble, which is only compared).
"""

from itertools import combinations
from typing import NamedTuple

from app.errors import SetupError

FIRST = ("svm", "lr", "rf", "gbm", "xgboost", "lstm", "cnn")
SECOND = ("svm", "lr", "rf", "gbm", "xgboost", "nn")
ENSEMBLES = ("average", "max")
PAIRS = tuple(combinations(FIRST, 2))


class Structure(NamedTuple):
    """`first` two names of `FIRST`, in its order unless written otherwise; `second` one of `SECOND` or `ENSEMBLES`."""

    first: tuple[str, str]
    second: str

    def __str__(self) -> str:
        return f"{self.first[0]}+{self.first[1]}:{self.second}"


PUBLISHED = Structure(("xgboost", "lstm"), "svm")
STACKS = tuple(Structure(pair, second) for pair in PAIRS for second in SECOND)
ALL = STACKS + tuple(Structure(pair, combined) for pair in PAIRS for combined in ENSEMBLES)


def parse_stack(text: str) -> Structure:
    """The stack a person names, first-stage models in either order. Raises SetupError naming what may be said."""
    pair, _, second = text.strip().lower().partition(":")
    first = sorted(pair.split("+"), key=lambda name: FIRST.index(name) if name in FIRST else -1)
    found = Structure((first[0], first[-1]), second)
    if len(first) != 2 or found not in STACKS:
        raise SetupError(
            f"A stack is two different models of {', '.join(FIRST)} and one of {', '.join(SECOND)}, written like {PUBLISHED}."
        )
    return found
