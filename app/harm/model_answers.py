"""What is told of a model to those who use or check it: the manifest in force and what was measured and written."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.documents import Part, Principle
from app.harm.answers import ModelStamp

Status = Literal["evaluated", "not evaluated"]


class LoadedModel(ModelStamp):
    """A model that answers here; `signed_by` names the trusted key that vouches for it, null where none was asked for."""

    signed_by: str | None


class ModelPage(BaseModel):
    """The models loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    models: list[LoadedModel]


class DocumentLink(BaseModel):
    """Where a document is read, and the digest of its bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    media_type: str
    sha256: str
    path: str


class ModelCard(LoadedModel):
    """The manifest in force, the whole evaluation and the transparency record; null and empty where not evaluated."""

    status: Status
    groups: list[str]
    cuts: list[float]
    decision_weights: list[float]
    features: list[str]
    survival_features: list[str]
    harm_index: dict[str, str | float]
    libraries: dict[str, str]
    data: dict[str, object]
    metrics: dict[str, object]
    seed: int
    evaluation: dict[str, object] | None
    atrs: dict[str, object] | None
    documents: list[DocumentLink]


class TextModelCard(LoadedModel):
    """The manifest in force of a model that reads logs: `scores` it chooses from (days), number of `terms` it knows, what
    kind of model is `served`, and how well it and its rivals did."""

    status: Status
    scores: list[float]
    terms: int
    served: str
    libraries: dict[str, str]
    data: dict[str, object]
    metrics: dict[str, object]
    seed: int


class CovenantAnswer(ModelStamp):
    """The Covenant for Using AI in Policing, principle by principle; empty where the model was not evaluated.

    `parts` carries letters A (adequate), M (moderate) or L (limited) for explainability and transparency.
    """

    status: Status
    notice: str
    principles: list[Principle]
    parts: list[Part]
