"""Levels beside flags: each pair by hand, and the counts against a plain count of the same."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.artifacts import GROUPS
from app.triage.records import LEVELS
from app.triage.service import LEVEL_OF, Decided, Viewed, agreement, count, relation

TABLE = {
    ("standard", "0-50"): "=", ("standard", "50-80"): "<", ("standard", "80-90"): "<", ("standard", "90-100"): "<",
    ("medium", "0-50"): ">", ("medium", "50-80"): "=", ("medium", "80-90"): "=", ("medium", "90-100"): "<",
    ("high", "0-50"): ">", ("high", "50-80"): ">", ("high", "80-90"): ">", ("high", "90-100"): "=",
}  # fmt: skip


@pytest.mark.parametrize(("level", "flag"), list(product(LEVELS, GROUPS)))
def test_every_level_beside_every_flag(level: str, flag: str) -> None:
    sign = TABLE[level, flag]
    assert relation(level, flag) == {"=": "follows", ">": "overrides-up", "<": "overrides-down"}[sign]
    assert agreement(level, flag) == {"=": "same", ">": "higher", "<": "lower"}[sign]


people, scores = st.sampled_from(["ann", "bob", "cy"]), st.sampled_from(["s1", "s2", "s3", "s4"])
flags = {"s1": "0-50", "s2": "50-80", "s3": "80-90", "s4": "90-100"}
views = st.lists(st.tuples(people, scores, st.sampled_from(LEVELS), st.booleans()), unique_by=lambda one: one[:2])
decisions = st.lists(st.tuples(people, scores, st.sampled_from(LEVELS)))


@given(views, decisions)
def test_counts_are_those_of_a_plain_count(
    viewed: list[tuple[str, str, str, bool]], decided: list[tuple[str, str, str]]
) -> None:
    found = count(
        [Viewed(who, score, level, flags[score], late) for who, score, level, late in viewed],
        [Decided(who, score, level, flags[score]) for who, score, level in decided],
    )
    relations, by_group = dict.fromkeys(("=", ">", "<"), 0), {group: dict.fromkeys("=><", 0) for group in GROUPS}
    changed = 0
    for score, flag in flags.items():
        levels = [level for _, of, level in decided if of == score]
        changed += len(levels) > 1
        if levels:
            sign = TABLE[levels[-1], flag]
            relations[sign] += 1
            by_group[flag][sign] += 1
    assert list(found.relations.values()) == list(relations.values())
    assert {group: list(some.values()) for group, some in found.by_group.items()} == {
        group: list(some.values()) for group, some in by_group.items()
    }
    assert found.changed == changed
    early = [one for one in viewed if not one[3]]
    assert found.late == len(viewed) - len(early)
    signs = [TABLE[level, flags[score]] for _, score, level, _ in early]
    assert list(found.agreements.values()) == [signs.count(sign) for sign in "=><"]
    moves = {"kept": 0, "moved": 0, "neither": 0}
    for who, score, level, _ in early:
        ends = [last for by, of, last in decided if (by, of) == (who, score)]
        wanted = LEVEL_OF[flags[score]]
        if ends and level != wanted:
            moves["kept" if ends[-1] == level else "moved" if ends[-1] == wanted else "neither"] += 1
    assert (found.kept_view, found.moved_to_score, found.neither) == tuple(moves.values())
