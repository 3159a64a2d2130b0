"""A person's level beside the score's flag: what follows, what overrides, what agrees. Pure: no HTTP, no database.

The flag (`predicted_group`) is one of four groups of future harm, a level one of three grades of risk. They measure different
things, so the comparison is a convention (ours): only the highest group asks for the highest level, as only that group is
what the report's clinic would take up; the lowest group stands beside the lowest level, and the two between share a level.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from app.artifacts import GROUPS
from app.triage.records import LEVELS, Level

LEVEL_OF: Mapping[str, Level] = dict(zip(GROUPS, ("standard", "medium", "medium", "high"), strict=True))

Relation = Literal["follows", "overrides-up", "overrides-down"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
Agreement = Literal["same", "higher", "lower"]
AGREEMENTS: tuple[Agreement, ...] = get_args(Agreement)


class Viewed(NamedTuple):
    """One recorded view, for counting: whose (a keyed name), of which score, which level, the flag, after seeing it?"""

    actor: str
    score_id: str
    level: str
    flag: str
    late: bool


class Decided(NamedTuple):
    """One recorded decision, for counting, in the order of the log."""

    actor: str
    score_id: str
    level: str
    flag: str


class Counts(NamedTuple):
    """How often people kept to the score: see `SummaryAnswer` for what each figure means."""

    relations: dict[Relation, int]
    by_group: dict[str, dict[Relation, int]]
    changed: int
    agreements: dict[Agreement, int]
    late: int
    kept_view: int
    moved_to_score: int
    neither: int


def relation(level: str, flag: str) -> Relation:
    """How a decision stands to the score's flag."""
    return RELATIONS[_above(level, flag)]


def agreement(level: str, flag: str) -> Agreement:
    """How a view stands to the score's flag."""
    return AGREEMENTS[_above(level, flag)]


def count(views: Sequence[Viewed], decisions: Sequence[Decided]) -> Counts:
    """Count views and decisions; a score's latest decision stands for it, so one that was changed counts once."""
    latest = {one.score_id: one for one in decisions}
    early = [one for one in views if not one.late]
    by_group = {group: _relations(one for one in latest.values() if one.flag == group) for group in GROUPS}
    moves = Counter(_moves(early, decisions))
    agreed = Counter(agreement(one.level, one.flag) for one in early)
    return Counts(
        relations=_relations(latest.values()),
        by_group=by_group,
        changed=sum(times > 1 for times in Counter(one.score_id for one in decisions).values()),
        agreements={name: agreed[name] for name in AGREEMENTS},
        late=len(views) - len(early),
        kept_view=moves["kept"],
        moved_to_score=moves["moved"],
        neither=moves["neither"],
    )


def _above(level: str, flag: str) -> int:
    """0 at the flag's level, 1 above it, 2 (the last) below it."""
    own, given = LEVELS.index(level), LEVELS.index(LEVEL_OF[flag])
    return 0 if own == given else 1 if own > given else 2


def _relations(decisions: Iterable[Decided]) -> dict[Relation, int]:
    found = Counter(relation(one.level, one.flag) for one in decisions)
    return {name: found[name] for name in RELATIONS}


def _moves(views: Iterable[Viewed], decisions: Iterable[Decided]) -> Iterable[str]:
    """Of people whose own view was not the score's: what their decision on it came to in the end."""
    ended = {(one.actor, one.score_id): one.level for one in decisions}
    for view in views:
        level = ended.get((view.actor, view.score_id))
        if level is not None and view.level != LEVEL_OF[view.flag]:
            yield "kept" if level == view.level else "moved" if level == LEVEL_OF[view.flag] else "neither"
