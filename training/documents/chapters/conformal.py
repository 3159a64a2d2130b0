"""Does the list of groups hold the true one as often as it says, and how many ordinary records are called unusual?"""

from training.documents.blocks import Block, Chapter, Line, Table, Words
from training.documents.chapters.common import cell, worlds
from training.documents.facts import Facts, View
from training.documents.words import amount, figure, share


def chapter(facts: Facts) -> Chapter:
    """Coverage by group over many calibration parts and of the artefact's own, on people it has never seen."""
    shown = [(name, world.under("conformal")) for name, world in worlds(facts) if world.at("conformal")]
    blocks: list[Block] = [_table(name, found) for name, found in shown]
    blocks += [Words([_told(name, found) for name, found in shown])] if shown else []
    return Chapter(
        "conformal", "Groups not ruled out", "How often is the true group in the list, and how long is it?", blocks
    )


def _table(name: str, found: View) -> Table:
    rows: list[Line] = [
        [
            group,
            *(cell(spread.at(key), share) for key in ("mean", "low", "high")),
            cell(found.at(f"artefact.coverage.{group}"), share),
        ]
        for group, spread in found.items("coverage")
    ]
    heads = ["true group", "mean", "lowest", "highest", "this artefact"]
    caption = (
        f"{name}: people whose list holds their group, of {amount(found.at('people'))} never seen; promised "
        f"{share(found.at('level'))}, over {amount(found.at('draws'))} calibration parts"
    )
    return Table(caption, heads, rows)


def _told(name: str, found: View) -> str:
    held = "within" if found.at("within") else "NOT within"
    sizes = found.at("artefact.sizes") or []
    alone, empty = (share(sizes[size]) if len(sizes) > size else share(None) for size in (1, 0))
    return (
        f"{name}: the mean of every group is {held} {share(found.at('tolerance'))} of the promise; a single calibration part "
        f"scatters as shown. Lists name {figure(found.at('artefact.mean_set_size'))} of 4 groups on average, {alone} of them "
        f"just one, {empty} none; for {share(found.at('artefact.most_probable_left_out'))} the most probable group at large is "
        f"not among them. {share(found.at('odd.fresh'))} of these ordinary people are called unlike those learnt from."
    )
