"""BentoML: the whole stack and the forest behind one API; `bentoml serve benchmarks.servers.bento:Stalking`."""

import os

import bentoml

from benchmarks.servers.models import Answer, read_features, score_with


@bentoml.service(workers=1)  # type: ignore[untyped-decorator]
class Stalking:
    """Takes computed features; BENCH_KIND says in which form the models are."""

    def __init__(self) -> None:
        self._score = score_with(os.environ["BENCH_KIND"])

    @bentoml.api  # type: ignore[untyped-decorator]
    def score(self, features: list[float]) -> Answer:
        """380 numbers, incident by incident."""
        return self._score(read_features(features))
