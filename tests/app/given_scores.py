"""Scores that a running service gave without being asked over HTTP, so that hundreds take a moment; and what drifted since."""

import asyncio
from collections.abc import Iterable
from typing import Any

from app.harm.archive import score_record
from app.harm.service import Scored
from tests.app.service_fixtures import Client


def append(client: Client, scored: Iterable[Scored]) -> None:
    """Append the scores as the service does, a batch at a time; a score given twice gets two records."""

    async def appended() -> None:
        records = [score_record(one, ("dayzero", "integration"))[2] for one in scored]
        await asyncio.gather(*(client.app.state.ledger.append(record) for record in records))

    client.http.portal.call(appended)  # type: ignore[union-attr]


def drift(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
