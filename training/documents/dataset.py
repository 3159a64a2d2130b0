"""What an artefact learnt from, told from the counts in its manifest."""

from collections.abc import Mapping
from typing import Any

from app.artifacts import Manifest
from training.documents.subjects import about
from training.documents.words import amount, bare, listed, readable, share

_COUNTED = ("persons", "incidents", "involvements", "labelled-nominals", "stalking-incidents", "other-incidents")
_BY_GROUP = "nominals-by-group"
_NOT_DIRT = {*_COUNTED, "index-only-histories", "no-harm-after", "share-of-harm-from-medians", _BY_GROUP}


def dataset(manifest: Manifest) -> dict[str, str]:
    """Sentences on the extract; what was not counted says so."""
    data, people = manifest.data, about(manifest.subject).people
    counted = [f"{amount(data[name])} {_called(name, people)}" for name in _COUNTED if name in data]
    purposes = [f"{readable(part)} {amount(sum(counts))}" for part, counts in data.get(_BY_GROUP, {}).items()]
    dirt = [
        f"{readable(name)} {amount(count)}" for name, count in data.items() if name not in _NOT_DIRT and bare(count)
    ]
    by_part = f": {listed(purposes)}" if purposes else ""
    return {
        "description": f"It comes from {manifest.learnt_from}.",
        "quantities": f"{listed(counted)}." if counted else "Not counted.",
        "purposes": f"Labelled {people} by part{by_part}. No two parts share connected people.",
        "completeness": _completeness(data, people),
        "dirt": listed(dirt) if dirt else "none found",
        "harm": f"{share(manifest.harm_index.approximate_share)} of harm in the extract rests on medians of offence groups.",
    }


def _called(name: str, people: str) -> str:
    """What a count is called; the key of labelled people is the same in every manifest."""
    return f"labelled {people}" if name == "labelled-nominals" else readable(name)


def _completeness(data: Mapping[str, Any], people: str) -> str:
    nominals, only, none = (
        bare(data.get(name)) for name in ("labelled-nominals", "index-only-histories", "no-harm-after")
    )
    if not nominals or only is None or none is None:
        return "Not counted."
    return (
        f"{share(only / nominals)} of labelled {people} have the index incident only; {share(none / nominals)} have no recorded "
        "harm in the year after."
    )
