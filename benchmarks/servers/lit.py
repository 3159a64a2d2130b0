"""LitServe: the whole stack and the forest; `python -m benchmarks.servers.lit PORT`."""

import os
import sys
from typing import Any

import litserve

from benchmarks.servers.models import Answer, Score, read_features, score_with


class Stalking(litserve.LitAPI):  # type: ignore[misc]
    """Takes computed features; BENCH_KIND says in which form the models are."""

    def setup(self, device: str) -> None:  # noqa: ARG002
        self._score: Score = score_with(os.environ["BENCH_KIND"])

    def decode_request(self, request: dict[str, Any]) -> Any:
        return read_features(request["features"])

    def predict(self, x: Any) -> Answer:
        return self._score(x)

    def encode_response(self, output: Answer) -> Answer:
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Stalking(), accelerator="cpu", devices=1, workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="error")
