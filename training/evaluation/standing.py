"""Which worlds are measured side by side, and what each stands for.

An artefact is measured in the worlds that differ from its own in one thing only; a force's own extract stands alone.
"""

from collections.abc import Mapping, Sequence

OWN = "extract"
"""Name of the bench of a force's own extract; every other bench bears the name of its world."""
PUBLISHED, SOBER, UNEQUAL = "published", "sober", "unequal"
"""What a world stands for: the report's classifier, the difficulty real tools meet, recording that treats people unequally."""
_SIDE_BY_SIDE: Sequence[Mapping[str, str]] = (
    {"published": PUBLISHED, "sober": SOBER, "unequal": UNEQUAL},
    {"published-victims": PUBLISHED, "sober-victims": SOBER},
)


def worlds_beside(home: str) -> tuple[str, ...]:
    """The worlds measured beside `home` (a name without its population), that one first; alone where it has no others."""
    beside = next((worlds for worlds in _SIDE_BY_SIDE if home in worlds), {})
    return (home, *(name for name in beside if name != home))


def stands_for(bench: str) -> str:
    """What a bench stands for; its own name where that is all there is to say."""
    return next((worlds[bench] for worlds in _SIDE_BY_SIDE if bench in worlds), bench)
