"""Nominals of an extract as parts of a run. Needs Arrow, which the `bulk` extra brings."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.bulk.batch import PART
from app.bulk.work import Line, Named, Run, score_part
from app.errors import InvalidInput
from app.extract.log_harm import LogHarm
from app.extract.people import People
from app.extract.requests import bodies
from app.harm.harm_index import HarmIndex
from app.harm.records import parse_request
from app.harm.service import Scorer


@dataclass(frozen=True)
class PeoplePart:
    """Nominals as columns, and what every request asks for; becoming requests is the worker's work.

    `texts` incident id -> the log its harm was read out of: the worker's model reads it again, and the record holds it.
    """

    first: int
    people: People
    asked: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.people)

    def scored(self, scorer: Scorer, run: Run) -> list[Line]:
        """An answer for each nominal."""
        return score_part(scorer, run, self)

    def requests(self, index: HarmIndex) -> list[Named]:
        """Each nominal as a request; one that no request can hold is refused as the service would refuse it."""
        found = []
        for body in bodies(self.people, index, self.texts, **self.asked):
            nominal_id = body["nominal"]["nominal_id"]
            try:
                found.append(Named(nominal_id, parse_request(body)))
            except InvalidInput as error:
                found.append(Named(nominal_id, error))
        return found

    def bodies(self, index: HarmIndex) -> Iterator[tuple[str | None, bytes]]:
        """Each nominal and its request."""
        for body in bodies(self.people, index, self.texts, **self.asked):
            yield body["nominal"]["nominal_id"], json.dumps(body).encode()


def people_parts(
    people: People, asked: dict[str, str], start: int, logs: LogHarm | None = None
) -> Iterator[PeoplePart]:
    """Parts from nominal `start` on; `logs` as they were read with."""
    for first in range(start, len(people), PART):
        part = people.part(first, min(first + PART, len(people)))
        yield PeoplePart(first, part, asked, {} if logs is None else logs.texts(part.incidents.inferred_ids))
