"""Beside what a force would use instead, and beside the best anyone could do."""

from collections.abc import Sequence

from training.documents import drawings
from training.documents.blocks import Block, Cell, Chapter, Line, Picture, Table, Words
from training.documents.chapters.ablations import points
from training.documents.chapters.common import Show, cell, worlds
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.words import bare, bounds, figure, listed, readable, share

MEASURES: dict[str, tuple[str, Show]] = {
    "top_2_accuracy": ("top-two accuracy", share),
    "precision": ("precision", share),
    "adjusted_f1": ("adjusted F1", figure),
    "accuracy": ("accuracy", share),
    "flagged": ("flagged", share),
    "auc_top_against_lowest": ("AUC, highest against lowest", figure),
}
_IN_METRICS = {"auc_top_against_lowest": "auc.top_against_lowest"}
ORACLE, MORE_PEOPLE = "oracle", "stack, more people"
_DOUBTFUL = 0.01
_WHAT = {
    ORACLE: "group frequencies over futures simulated from each person's true state, which no model can know",
    MORE_PEOPLE: "the stack taught by ten times as many people of the same world",
}


def chapter(facts: Facts) -> Chapter:
    """Baselines, stack and oracle side by side in each world."""
    blocks: list[Block] = []
    shown = [(name, world) for name, world in worlds(facts) if rivals_of(world)]
    if shown:
        blocks = [
            _picture(shown, "auc_top_against_lowest", "rivals-auc"),
            _picture(shown, "top_2_accuracy", "rivals-top"),
            *(_table(name, world) for name, world in shown),
        ]
    blocks += [Words(_distance(name, world)) for name, world in worlds(facts) if world.at("oracle.distance")]
    title = "Rules of thumb, regressions and the oracle"
    return Chapter(
        "comparison", title, "Is it better than something simpler, and how far from the best possible?", blocks
    )


def rivals_of(world: View) -> dict[str, View]:
    """Everything measured on the same test people at the test mix, by name: the stack and baselines, then what no force has:
    the stack taught by more people, and the oracle."""
    found = {str(row.at("name")): row.under("test_mix") for row in world.rows("baselines.rivals")}
    for name, path in ((MORE_PEOPLE, "more_people.test_mix"), (ORACLE, "oracle.metrics.test_mix")):
        metrics = world.under(path)
        if metrics:
            found[name] = View({measure: metrics.at(_IN_METRICS.get(measure, measure)) for measure in MEASURES})
    return found


def told(world: View) -> str:
    """Top-two accuracy of the stack and of every baseline at the same share flagged, and who does better; empty if unmeasured."""
    found = {name: view.at("top_2_accuracy") for name, view in rivals_of(world).items() if name not in _WHAT}
    if not found:
        return ""
    others = [f"{readable(name)} {share(bare(value))}" for name, value in found.items() if name != "stack"]
    stack = share(found.get("stack"))
    return f"Top-two accuracy with about as many flagged: the stack {stack}; {listed(others)}.{_better(world)}"


def _better(world: View) -> str:
    """A sentence on the baselines that beat the stack on the same people by more than chance; empty where none does."""
    apart = {str(row.at("name")): row.at("to_stack.top_2_accuracy") for row in world.rows("baselines.rivals")}
    better = [f"{readable(name)} by {points(by)}" for name, by in apart.items() if (bounds(by) or (0, 0))[0] > 0]
    return f" Better than the stack on the same people: {listed(better)}." if better else ""


def oracle_told(world: View) -> str:
    """One sentence on the distance to the oracle; empty where there is none."""
    gap, best = world.at("oracle.distance.auc_gap"), world.at("oracle.metrics.population_mix.auc.top_against_lowest")
    if gap is None:
        return ""
    return (
        f"For people as they come, the best possible AUC of the highest group against the lowest is {figure(best)}: that of an "
        f"oracle, which knows all that was truly done by day zero, recorded or not. The stack is {figure(gap)} below it."
    )


def _picture(shown: Sequence[tuple[str, View]], measure: str, name: str) -> Picture:
    rows: dict[str, dict[str, object]] = {}
    for world_name, world in shown:
        for rival, view in rivals_of(world).items():
            rows.setdefault(readable(rival), {})[world_name] = view.at(measure)
    title, show = MEASURES[measure]
    first = "; ".join(f"{readable(rival)} {show(view.at(measure))}" for rival, view in rivals_of(shown[0][1]).items())
    said = f"{title}, with 95 % intervals, at the test mix"
    drawing = embedded(drawings.intervals(rows, title), name, title, f"{said}. {shown[0][0]}: {first}.")
    return Picture(drawing, f"{said}; the tables below hold the figures.")


def _table(name: str, world: View) -> Table:
    rows: list[Line] = []
    described = {str(row.at("name")): row for row in world.rows("baselines.rivals")}
    for rival, found in rivals_of(world).items():
        row = described.get(rival, View({"what": _WHAT.get(rival)}))
        mark = "in force" if rival == "stack" else ""
        figures = [cell(found.at(key), show) for key, (_, show) in MEASURES.items()]
        apart = cell(row.at("to_stack.top_2_accuracy"), share)
        rows.append([Cell(readable(rival), mark=mark), *figures, apart, str(row.at("what") or "")])
    heads = ["", *(title for title, _ in MEASURES.values()), "top-two accuracy less the stack's", "what it is"]
    return Table(f"Test mix, {name}", heads, rows, sortable=True)


def _distance(name: str, world: View) -> list[str]:
    apart = world.under("oracle.distance")
    lines = [
        f"{name}: {oracle_told(world)} Its log loss is {figure(apart.at('log_loss_gap'))} above the oracle's. Its probabilities "
        f"differ from the oracle's by {share(apart.at('total_variation'))} on average, of which "
        f"{share(apart.at('noise.total_variation'))} is the oracle's own noise, with {world.at('oracle.futures')} futures."
    ]
    proof = bare(world.at("oracle.proof.rank_test.p_value"))
    if proof is not None:
        verdict = "they do" if proof >= _DOUBTFUL else "they do not, so it is not to be trusted"
        lines.append(
            "The oracle was put to the test too: if it is right, real futures rank evenly among simulated ones; "
            f"{verdict} (p = {proof:.3f})."
        )
    return [*lines, *(str(remark) for remark in world.at("oracle.remarks") or ())]
