"""The manifest of a model that reads logs."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from app.manifest import BaseManifest
from app.text.baseline import TextBaseline

FORMAT = 2
OLDER_FORMATS = (1,)
"""Still loaded, and replayed: a manifest of format 1 has no `drift`."""
MODEL, VOCABULARY, GOLDEN = "model.onnx", "vocabulary.json", "golden.jsonl"
FAMILY: Final = "noncrime-harm"
SCORES = (1.0, 2.0, 3.0, 5.0, 10.0)
"""Harm in days a domestic non-crime can be given (report, section 3.1)."""


class TextManifest(BaseManifest):
    """What a model of logs says of itself: `scores` it chooses from, number of `terms` it knows, `served` what kind of
    model answers (the published network, or a rival that beat it clearly), `drift` what the logs it is for looked like: None
    where the extract had too few of them."""

    GRAPHS: ClassVar[tuple[str, ...]] = (MODEL,)
    TABLES: ClassVar[tuple[str, ...]] = (VOCABULARY, GOLDEN)

    kind: Literal["text"] = "text"
    scores: tuple[float, ...]
    terms: Annotated[int, Field(ge=1)]
    served: Literal["network", "logistic"]
    drift: TextBaseline | None = None

    def misfits(self) -> list[str]:
        """Names of what does not fit."""
        fits = {
            "format": self.format in (*OLDER_FORMATS, FORMAT),
            "drift": self.drift is None or self.format == FORMAT,
            "scores": self.scores == SCORES,
        }
        return [name for name, fine in fits.items() if not fine]
