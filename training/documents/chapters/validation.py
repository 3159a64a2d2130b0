"""Checks that could embarrass: later years, shuffled labels, planted leaks, fewer people, other seeds."""

from collections.abc import Sequence

from training.documents import drawings
from training.documents.blocks import Block, Cell, Chapter, Line, Picture, Table, Words
from training.documents.chapters.common import Show, cell, worlds
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.words import amount, bare, figure, listed, share

MEASURES: dict[str, tuple[str, Show]] = {
    "auc_top_against_lowest": ("AUC, highest against lowest", figure),
    "auc_macro": ("AUC, one group against the rest", figure),
    "top_2_accuracy": ("top-two accuracy", share),
    "adjusted_f1": ("adjusted F1", figure),
    "accuracy": ("accuracy", share),
    "flagged": ("flagged", share),
    "predicted_80_90": ("put in the group below it", share),
    "log_loss": ("log loss", figure),
}
_AGREEMENT = {
    "same_group": "same group",
    "kappa": "kappa, linear weights",
    "flagged_by_both": "flagged by both, of those flagged by either",
}

_MOMENTS = {
    "forward": "later scoring moments",
    "forward_new_people": "later, people never met",
    "ordinary_then": "people of its own time",
    "ordinary_now": "the artefact itself",
}
_ENDS = ("mean", "sd", "lowest", "highest")


def chapter(facts: Facts) -> Chapter:
    """Every check of every world it was made in."""
    blocks: list[Block] = []
    for name, world in worlds(facts):
        found = world.under("validation")
        people = facts.about.people
        blocks += [*_leaks(name, found, people), *_in_time(name, found, people), *_curve(name, found, people)]
        blocks += _seeds(name, found)
    title = "Checks that could embarrass"
    return Chapter(
        "validation",
        title,
        "Does the future leak in, and does it hold on later years, fewer people, other seeds?",
        blocks,
    )


def leak_told(facts: Facts) -> str:
    """One sentence on shuffled labels and the leak test; empty where neither was run."""
    found, told = facts.here.under("validation"), []
    if found.at("shuffle.mean") is not None:
        told.append(
            f"With futures dealt out at random the AUC falls to {figure(found.at('shuffle.mean'))}, which {_verdict(found)}."
        )
    artefact, planted = found.under("leak.artefact"), _planted(found)
    if artefact:
        clear = not (artefact.at("caught_by_changed_bytes") or artefact.at("above_oracle.caught"))
        caught = sum(bool(one.at("caught_by_changed_bytes")) for one in planted.values())
        verdict = "changes no feature byte" if clear else "is seen in the features, so the future leaks in"
        told.append(
            f"Changing every record after day zero {verdict}; {caught} of {len(planted)} leaks planted beside it were caught."
        )
    return " ".join(told)


def time_told(world: View) -> str:
    """One sentence on later years and other seeds; empty where neither was measured."""
    told, later = [], world.under("validation.time_forward")
    if later:
        ahead, ordinary = (later.at(f"{part}.test_mix.auc_top_against_lowest") for part in ("forward", "ordinary_then"))
        told.append(
            f"Learnt on what was on record on {later.at('split_on')} and judged on what came later, its AUC of the highest group "
            f"against the lowest is {figure(ahead)}, against {figure(ordinary)} on people of its own time."
        )
    spread = world.under("validation.stability.spread.auc_top_against_lowest")
    if spread:
        seeds = len(world.rows("validation.stability.seeds"))
        told.append(f"Over {seeds} seeds the AUC is {figure(spread.at('mean'))} (spread {figure(spread.at('sd'))}).")
    return " ".join(told)


def _verdict(found: View) -> str:
    return "is chance, as it must be" if found.at("shuffle.holds") else "is not chance: something leaks"


def _planted(found: View) -> dict[str, View]:
    return {name: one for name, one in found.items("leak") if name.startswith("planted")}


def _leaks(name: str, found: View, people: str) -> list[Block]:
    blocks: list[Block] = []
    areas = found.at("shuffle.macro_auc")
    if areas:
        said = (
            f"Shuffled labels, {name}: mean AUC of one group against the rest {listed([figure(area) for area in areas])}. "
            f"Their mean, {figure(found.at('shuffle.mean'))}, must be 0.5 ± {figure(found.at('shuffle.tolerance'))}: it "
            f"{_verdict(found)}."
        )
        blocks.append(Words([said]))
    rows = [_leak(one, row) for one, row in found.items("leak") if row.at("changed_bytes") is not None]
    if rows:
        heads = [
            "features of",
            f"{people} whose features change",
            "caught",
            "AUC less the oracle's",
            "standard error",
            "caught by the oracle",
        ]
        blocks.append(Table(f"Records after day zero changed, deleted and added, {name}", heads, rows))
    return blocks


def _leak(name: str, row: View) -> Line:
    days = name.removeprefix("planted_").removesuffix("_days")
    what = "the artefact" if name == "artefact" else f"a planted leak: harm of the first {days} days after day zero"
    most = max((bare(count.content) or 0.0 for _, count in row.items("changed_bytes")), default=0.0)
    return [
        what,
        Cell(amount(most), most),
        _yes(row.at("caught_by_changed_bytes")),
        cell(row.at("above_oracle.top_against_lowest.difference"), figure),
        cell(row.at("above_oracle.top_against_lowest.standard_error"), figure),
        _yes(row.at("above_oracle.caught")),
    ]


def _yes(found: object) -> str:
    return "–" if found is None else "yes" if found else "no"


def _in_time(name: str, found: View, people: str) -> list[Block]:
    parts = {part: found.under(f"time_forward.{part}") for part in _MOMENTS if found.at(f"time_forward.{part}")}
    if not parts:
        return []
    rows: list[Line] = [
        [title, *(cell(view.at(f"test_mix.{key}"), show) for view in parts.values())]
        for key, (title, show) in MEASURES.items()
    ]
    heads = ["measure", *(_MOMENTS[part] for part in parts)]
    note = f"Split on {found.at('time_forward.split_on')}; {amount(found.at('time_forward.train'))} {people} to learn from."
    return [Table(f"Forward in time, test mix, {name}", heads, rows, note=note)]


def _curve(name: str, found: View, people: str) -> list[Block]:
    rows = found.rows("learning_curve.sizes")
    if not rows:
        return []
    lines: list[Line] = [
        [
            f"{amount(row.at('train'))} ({share(row.at('share'))})",
            *(cell(row.at(f"population_mix.{key}"), show) for key, (_, show) in MEASURES.items()),
        ]
        for row in rows
    ]
    heads = [f"training {people}", *(title for title, _ in MEASURES.values())]
    return [_drawn(name, rows, people), Table(f"Learning curve, people as they come, {name}", heads, lines)]


def _drawn(name: str, rows: Sequence[View], called: str) -> Picture:
    people = [float(row.at("train")) for row in rows]
    wanted = ("auc_top_against_lowest", "top_2_accuracy", "adjusted_f1")
    series = {MEASURES[key][0]: [bare(row.at(f"population_mix.{key}")) for row in rows] for key in wanted}
    gained = [figure(row.at("population_mix.auc_top_against_lowest")) for row in rows]
    said = (
        f"Learning curve, {name}: AUC of the highest group against the lowest {', '.join(gained)} from {amount(people[0])} to "
        f"{amount(people[-1])} {called}."
    )
    drawing = drawings.lines(people, series, "More people to learn from", f"Training {called}", "Value")
    return Picture(
        embedded(drawing, f"learning {name}".replace(" ", "-").replace("'", ""), "Learning curve", said), said
    )


def _seeds(name: str, found: View) -> list[Block]:
    spread = dict(found.items("stability.spread"))
    if not spread:
        return []
    rows: list[Line] = [
        [
            MEASURES.get(key, (key, figure))[0],
            *(cell(part.at(end), MEASURES.get(key, (key, figure))[1]) for end in _ENDS),
        ]
        for key, part in spread.items()
    ]
    agreed: list[Line] = [
        [words, *(cell(found.at(f"stability.agreement.{key}.{end}"), share) for end in _ENDS)]
        for key, words in _AGREEMENT.items()
    ]
    many = len(found.rows("stability.seeds"))
    return [
        Table(
            f"{many} seeds, each its own split and fit, test mix, {name}",
            ["measure", "mean", "spread", "lowest", "highest"],
            rows,
        ),
        Table(
            f"Two seeds on people neither has learnt from, as they come, {name}",
            ["over all pairs of seeds", "mean", "spread", "lowest", "highest"],
            agreed,
        ),
    ]
