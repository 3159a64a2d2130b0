"""From the ids of stored scores to their order: what is refused, what is compared, what must be read with it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from app.artifacts import GROUPS
from app.audit.records import uuid7
from app.audit.store import Store
from app.errors import Erased, Fault, InvalidInput, NotFound
from app.harm.answers import ScoreBody
from app.harm.archive import Archived
from app.harm.reading import score_entry, withheld
from app.triage.desk import Desk
from app.triage.priority import LIMIT, RULE, Candidate, Known, Position, days_free, in_order
from app.triage.priority_records import Compared, PlacedNominal, PriorityBody, PriorityRequest

_SEVERAL_VERSIONS = (
    "These scores were made by several versions of a model; the same group may not mean the same harm in each."
)
_CHALLENGED = "A challenge to the score of position {position} is open."

Places = Mapping[str, str]
"""Score id -> where in the request it first stands."""


class Ordered(NamedTuple):
    """A list, everyone who is in it (nominals and victims, by the ids their scores were asked with), and its scores."""

    body: PriorityBody
    people: tuple[str, ...]
    scores: tuple[str, ...]


class _Score(NamedTuple):
    """A stored score, and its answer as a record."""

    archived: Archived
    body: ScoreBody

    @property
    def known(self) -> Known:
        return Known(GROUPS.index(self.body.harm.predicted_group), days_free(self.archived.curve))


Scores = Mapping[str, _Score]


def ordered(store: Store, desk: Desk, wanted: PriorityRequest) -> Ordered:
    """The order of these nominals. Raises InvalidInput naming every score that cannot stand in one."""
    places = _places(wanted)
    scores = _opened(store, desk, places)
    standings = desk.standings(list(scores))
    faults = [*_repeated(wanted, scores), *_misplaced(wanted, scores)]
    faults += [Fault(places[name], "superseded") for name in scores if standings[name].superseded_by]
    _refuse(faults)
    positions = [_placed(position, wanted, scores) for position in in_order(_candidates(wanted, scores))]
    challenged = [one.position for one in positions if standings[one.score.score_id].open_challenges]
    notes = [LIMIT, *(_CHALLENGED.format(position=position) for position in challenged)]
    notes += [_SEVERAL_VERSIONS] if _several_versions(scores) else []
    body = PriorityBody(list_id=uuid7(), made_at=datetime.now(UTC), positions=positions, rule=RULE, notes=notes)
    people = dict.fromkeys(score.archived.nominal_id for score in scores.values())
    return Ordered(body, tuple(people), tuple(scores))


def _places(wanted: PriorityRequest) -> dict[str, str]:
    """Every score asked for and where it first stands."""
    found: dict[str, str] = {}
    for row, nominal in enumerate(wanted.nominals):
        found.setdefault(nominal.score_id, f"/nominals/{row}/score_id")
        for column, victim in enumerate(nominal.victim_scores):
            found.setdefault(victim, f"/nominals/{row}/victim_scores/{column}")
    return found


def _opened(store: Store, desk: Desk, places: Places) -> Scores:
    """Every score asked for. Raises InvalidInput naming those that are no scores, are erased, or are withheld."""
    found, faults = {}, []
    for score_id, place in places.items():
        try:
            score_entry(store, score_id)
            found[score_id] = desk.archived(score_id)
        except (NotFound, Erased) as error:
            faults.append(Fault(place, "erased" if isinstance(error, Erased) else "no-such-score"))
    faults += [Fault(places[score_id], "view-first") for score_id in sorted(withheld(store, found))]
    _refuse(faults)
    return {score_id: _Score(archived, archived.body) for score_id, archived in found.items()}


def _repeated(wanted: PriorityRequest, scores: Scores) -> Iterator[Fault]:
    """A nominal stands in an order once, and a victim's score once beside a nominal."""
    seen: set[str] = set()
    for row, nominal in enumerate(wanted.nominals):
        name = scores[nominal.score_id].archived.nominal_id
        if name in seen:
            yield Fault(f"/nominals/{row}/score_id", "repeated-nominal")
        seen.add(name)
        for column, victim in enumerate(nominal.victim_scores):
            if victim in nominal.victim_scores[:column]:
                yield Fault(f"/nominals/{row}/victim_scores/{column}", "repeated-score")


def _misplaced(wanted: PriorityRequest, scores: Scores) -> Iterator[Fault]:
    """A score of the other perspective, or one that another family made: its groups are of other people's harm."""
    first: dict[str, str] = {}
    for row, nominal in enumerate(wanted.nominals):
        sides = [("nominal", "score_id", nominal.score_id)]
        sides += [("victim", f"victim_scores/{at}", name) for at, name in enumerate(nominal.victim_scores)]
        for side, place, score_id in sides:
            model = scores[score_id].body.model
            if model.perspective != side:
                yield Fault(f"/nominals/{row}/{place}", f"not-a-{side}-score")
            elif first.setdefault(side, model.family) != model.family:
                yield Fault(f"/nominals/{row}/{place}", "another-family")


def _several_versions(scores: Scores) -> bool:
    made_by = {(score.body.model.perspective, score.body.model.manifest_sha256) for score in scores.values()}
    return len(made_by) > len({perspective for perspective, _ in made_by})


def _candidates(wanted: PriorityRequest, scores: Scores) -> Sequence[Candidate]:
    return [
        Candidate(
            nominal.score_id,
            scores[nominal.score_id].known,
            tuple(scores[victim].known for victim in nominal.victim_scores),
            scores[nominal.score_id].body.history.status == "insufficient",
        )
        for nominal in wanted.nominals
    ]


def _placed(position: Position, wanted: PriorityRequest, scores: Scores) -> PlacedNominal:
    name = position.candidate.score_id
    victims = next(one.victim_scores for one in wanted.nominals if one.score_id == name)
    return PlacedNominal(
        position=position.position,
        shared_by=position.shared_by,
        nominal_id=scores[name].archived.nominal_id,
        score=_compared(name, scores[name]),
        victims=[_compared(victim, scores[victim]) for victim in victims],
        reason=position.reason,
    )


def _compared(score_id: str, score: _Score) -> Compared:
    return Compared(
        score_id=score_id,
        group=score.body.harm.predicted_group,
        top_group_probability=score.body.harm.population_probabilities[-1],
        days_free=score.known.days_free,
    )


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise InvalidInput("These scores cannot be put in order.", faults)
