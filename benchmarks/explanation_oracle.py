"""Both views of both numbers against an oracle that asks about one coalition at a time: random people of an extract.

`python -m benchmarks.explanation_oracle --extract DIR`. The oracle shares no code with the fast path beyond the model and the
plain path of a score: factors are put into a record cell by cell and asked about alone; for incidents every sub-history is a
request of its own, scored as `POST /score` would. Shapley values come from the formula, coalition by coalition.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from app.extract.load import load_extract
from app.harm.explaining import one_view
from app.harm.explanation import FACTORS
from app.harm.features import FEATURES, ROWS, Features
from app.harm.incidents import RECENT
from app.harm.model import HarmModel
from app.harm.records import ScoreRequest, parse_request
from app.harm.service import Scored, Scorer, load_scorer
from app.harm.shapley import Floats
from app.harm.targets import Of
from app.progress import bar
from app.settings import read_settings
from training.harm.golden_requests import request_body, varied
from training.labels import label

FAMILY = "stalking-nominal"
Joined = frozenset[int]


class Found(NamedTuple):
    """What one view of one number came to beside the oracle: the greatest differences, and whether twice is the same."""

    by: str
    of: str
    from_oracle: float
    from_sum: float
    same_bits: bool


def shapley(players: int, value: Callable[[Joined], Floats]) -> Floats:
    """Shapley values (players, 2) by the formula, each coalition asked about once."""
    everyone = frozenset(range(players))
    sizes = range(players + 1)
    values = {frozenset(one): value(frozenset(one)) for size in sizes for one in itertools.combinations(everyone, size)}
    out = np.zeros((players, 2))
    for joined, worth in values.items():
        for player in everyone - joined:
            weight = math.factorial(len(joined)) * math.factorial(players - len(joined) - 1) / math.factorial(players)
            out[player] += weight * (values[joined | {player}] - worth)
    return out


def both_numbers(model: HarmModel, record: Features) -> Floats:
    """The two explained numbers of one record (20, 19), asked about alone."""
    return np.array([model.groups(record[None]).population[0, 3], model.survival(record[None])[0, 365]])


def factors(model: HarmModel, scored: Scored) -> dict[str, Floats]:
    """Each factor's share in both numbers."""
    own, first = scored.features[0], ROWS - min(len(scored.case.order), ROWS)
    medians = np.array(model.bundle.manifest.reference_medians, dtype=np.float32)
    owner = {name: at for at, names in enumerate(FACTORS.values()) for name in names}

    def value(joined: Joined) -> Floats:
        record = np.zeros_like(own)
        for column, name in enumerate(FEATURES):
            source = own if name == "gender" or owner[name] in joined else medians
            record[first:, column] = source[first:, column]
        return both_numbers(model, record)

    return dict(zip(FACTORS, shapley(len(FACTORS), value), strict=True))


def incidents(scorer: Scorer, request: ScoreRequest, scored: Scored) -> dict[str | None, Floats]:
    """Each earlier incident's share in both numbers by its id; None for all older ones together."""
    earlier = scored.case.order[:-1]
    players = [{position} for position in earlier[-RECENT:]]
    if earlier[:-RECENT]:
        players.append(set(earlier[:-RECENT]))

    def value(joined: Joined) -> Floats:
        gone = set().union(*(players[player] for player in range(len(players)) if player not in joined))
        kept = [one for position, one in enumerate(request.incidents) if position not in gone]
        again = scorer.score(request.model_copy(update={"incidents": kept}), date.max)
        return np.array([again.harm.population_probabilities[3], again.curve[365]])

    found = shapley(len(players), value)
    names = [request.incidents[min(who)].incident_id if len(who) == 1 else None for who in players]
    return dict(zip(names, found, strict=True))


def compared(scorer: Scorer, request: ScoreRequest) -> Iterator[Found]:
    """Both views of both numbers of one request beside the oracle."""
    scored = scorer.score(request, date.max)
    model, case, table = scored.model, scored.case, scored.features
    expected = {"factors": factors(model, scored), "incidents": incidents(scorer, request, scored)}
    targets: tuple[Of, ...] = ("harm", "survival")
    for of, by in itertools.product(targets, ("factors", "incidents")):
        view, again = (one_view(model, case, table, scorer.index, by, of) for _ in range(2))
        shares = {share.name if by == "factors" else share.evidence.incident_id: share for share in view.contributions}
        if shares.keys() != expected[by].keys():
            raise click.ClickException(f"{by}: the view has other players than the oracle.")
        column = targets.index(of)
        far = [abs(share.effect - expected[by][name][column]) for name, share in shares.items()]
        rest = sum(share.effect for share in shares.values()) - (view.value - view.reference.value)
        yield Found(by, of, max(far, default=0.0), abs(rest), view.model_dump_json() == again.model_dump_json())


@click.command()
@click.option("--extract", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--people", default=200, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(extract: Path, people: int, seed: int) -> None:
    """Print the table for the newest artefact."""
    settings = read_settings()
    scorer = load_scorer(settings.artifacts, settings.harm_index)
    known = load_extract(extract, scorer.index)
    labelled = label(known)
    chosen = varied(labelled, np.arange(len(labelled.histories.day_zero)), people, seed)
    found: dict[tuple[str, str], list[Found]] = {}
    with bar("people") as shown:
        task = shown.add_task("", total=len(chosen))
        for number, row in enumerate(chosen):
            body = request_body(known, labelled, row, scorer.index, family=FAMILY, name=f"p{number}")
            for one in compared(scorer, parse_request(body)):
                found.setdefault((one.by, one.of), []).append(one)
            shown.advance(task)
    print("| view | explains | people | furthest from the oracle | furthest from adding up | twice the same bytes |")
    print("|---|---|---|---|---|---|")
    for (by, of), all_of in found.items():
        far, rest = max(one.from_oracle for one in all_of), max(one.from_sum for one in all_of)
        same = sum(one.same_bits for one in all_of)
        print(f"| {by} | {of} | {len(all_of)} | {far:.1e} | {rest:.1e} | {same} of {len(all_of)} |")


if __name__ == "__main__":
    main()
