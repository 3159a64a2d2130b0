"""MLServer: the whole stack and the forest as a runtime of our own (the stock ones serve one estimator each)."""

import os

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.servers.models import read_features, score_with


class Stalking(MLModel):  # type: ignore[misc]
    """Takes computed features; BENCH_KIND says in which form the models are."""

    async def load(self) -> bool:
        """Read the models."""
        self._score = score_with(os.environ["BENCH_KIND"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One row in, three arrays out."""
        x = read_features(NumpyCodec.decode_input(payload.inputs[0]))
        outputs = [NumpyCodec.encode_output(name, np.asarray(found)) for name, found in self._score(x).items()]
        return InferenceResponse(model_name=self.name, outputs=outputs)
