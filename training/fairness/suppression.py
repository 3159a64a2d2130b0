"""Small cells: which groups may stand alone in a table, and which are only told together.

A group with fewer than ten people in any cell is not shown. With totals known, one hidden group could be computed back,
and so could a few tiny ones; so the next smallest groups join until at least two are hidden and together they have ten
in every cell. What is told of them is their sum, which totals give away anyway.
"""

from typing import NamedTuple

import numpy as np

from app.extract.rules import Flags
from app.harm.features import Ints
from training.fairness.attributes import Attribute

SMALLEST = 10


class Shown(NamedTuple):
    """An attribute as it may be shown: groups that stand alone, and at the end those told together (`together`, names);
    `attribute.member` is -1 for nobody."""

    attribute: Attribute
    together: tuple[str, ...]


def hidden(cells: Ints, already: Flags | None = None) -> Flags:
    """Which groups (G,) must not stand alone, from counts (G, K) of all cells that would be told or could be computed
    from what is told; `already` hidden ones stay so."""
    hide: Flags = np.asarray((cells < SMALLEST).any(axis=1))
    if already is not None:
        hide = np.logical_or(hide, already)
    order = np.argsort(cells.sum(axis=1), kind="stable")
    while hide.any() and not hide.all():
        if hide.sum() > 1 and (cells[hide].sum(axis=0) >= SMALLEST).all():
            break
        hide[order[~hide[order]][0]] = True
    return hide


def shown(attribute: Attribute, hide: Flags) -> Shown:
    """The attribute with all hidden groups as one, named by its size; nothing to compare where everyone is hidden."""
    alone = [name for name, hides in zip(attribute.groups, hide, strict=True) if not hides]
    together = tuple(name for name, hides in zip(attribute.groups, hide, strict=True) if hides)
    place = np.where(hide, len(alone), np.cumsum(~hide) - 1)
    names = (*alone, *((f"{len(together)} small groups together",) if together else ()))
    return Shown(Attribute(attribute.name, names, place[attribute.member]), together)
