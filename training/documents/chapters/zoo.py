"""The 168 combinations of two models, ranked as the report ranks them."""

from training.documents import drawings
from training.documents.blocks import Block, Cell, Chapter, Line, Picture, Table, Words
from training.documents.chapters.common import Show, cell
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.words import amount, bare, figure, share, whole

_MEASURES: dict[str, tuple[str, Show]] = {
    "net": ("net harm, days", whole),
    "missed": ("harm missed, days", whole),
    "adjusted_f1": ("adjusted F1", figure),
    "top_2_accuracy": ("top-two accuracy", share),
    "accuracy": ("accuracy", share),
    "flagged": ("flagged", share),
}
_PUBLISHED: dict[str, tuple[str, Show]] = {
    "rank": ("rank", amount),
    "net": ("net harm", whole),
    "adjusted_f1": ("F1", figure),
}

_NOTE = (
    "Test mix. Written as first + second : what combines them. Low net harm can be had by flagging more people: read it beside "
    "the share flagged."
)
_CORRELATION = "rank_correlation_with_published.net"
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def chapter(facts: Facts) -> Chapter:
    """Where the chosen stack stands, the whole table, and the seven single models."""
    found = facts.evaluation.under("zoo")
    blocks: list[Block] = []
    if found.rows("rows"):
        blocks = [
            Words([told(facts)]),
            _picture(found),
            _table(found, "rows", "combinations"),
            _table(found, "singles", "single models"),
        ]
    return Chapter("zoo", "Every combination", "Why this stack and not one of the others?", blocks)


def told(facts: Facts) -> str:
    """One sentence: how many were ranked, where the chosen one came; empty where nothing was measured."""
    found = facts.evaluation.under("zoo")
    rows = found.rows("rows")
    chosen = _chosen(found)
    if not rows or chosen is None:
        return ""
    net, f1 = (bare(chosen.at(f"test_mix.{name}")) or 0.0 for name in ("net", "adjusted_f1"))
    higher = sum((bare(row.at("test_mix.adjusted_f1")) or 0.0) > f1 for row in rows)
    place, theirs, correlation = chosen.at("rank"), chosen.at("published.rank"), found.at(_CORRELATION)
    return (
        f"{len(rows)} combinations of two models were fitted to the same people; the report's choice, {chosen.at('name')}, comes "
        f"{_ordinal(place)} by net harm ({whole(net)} days) and {_ordinal(higher + 1)} by adjusted F1 ({figure(f1)}); in the "
        f"report it is {_ordinal(theirs)} by net harm. The two orders correlate by {figure(correlation)}."
    )


def _chosen(found: View) -> View | None:
    return next((row for row in found.rows("rows") if row.at("name") == found.at("published_choice")), None)


def _table(found: View, part: str, title: str) -> Table:
    rows: list[Line] = []
    for row in found.rows(part):
        mark = "in force" if row.at("name") == found.at("published_choice") else ""
        line: Line = [
            Cell(str(row.at("name")), mark=mark),
            cell(row.at("rank"), amount),
            str(row.at("kind") or ""),
        ]
        line += [cell(row.at(f"test_mix.{key}"), show) for key, (_, show) in _MEASURES.items()]
        line.append(cell(row.at("auc_top_against_lowest"), figure))
        line += [cell(row.at(f"published.{key}"), show) for key, (_, show) in _PUBLISHED.items()]
        rows.append(line)
    heads = ["models", "rank", "kind", *(head for head, _ in _MEASURES.values()), "AUC, highest against lowest"]
    heads += [f"report: {head}" for head, _ in _PUBLISHED.values()]
    note = _NOTE
    return Table(f"{len(rows)} {title}, ranked by net harm", heads, rows, sortable=True, note=note)


def _picture(found: View) -> Picture:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in found.rows("rows"):
        flagged, f1 = (bare(row.at(f"test_mix.{key}")) for key in ("flagged", "adjusted_f1"))
        if flagged is not None and f1 is not None:
            chosen = row.at("name") == found.at("published_choice")
            points.setdefault("the report's choice" if chosen else str(row.at("kind")), []).append((100 * flagged, f1))
    said = "Each point is one combination: how many it flags and its adjusted F1 at the test mix."
    drawing = drawings.scatter(points, "168 combinations", "Flagged, %", "Adjusted F1")
    return Picture(embedded(drawing, "zoo-plot", "Adjusted F1 by share flagged", said), said)


def _ordinal(counted: float) -> str:
    number = round(counted)
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else _ENDINGS.get(number % 10, 'th')}"
