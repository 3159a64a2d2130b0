"""What is told of a model to those who use or check it: the manifest in force and what was measured and written."""

from typing import Literal

from app.answer import Answer
from app.documents import Part, Principle
from app.harm.answers import ModelStamp

Status = Literal["evaluated", "not evaluated"]


class LoadedModel(ModelStamp):
    """A model that answers here; `signed_by` names the trusted key that vouches for it, null where none was asked for."""

    signed_by: str | None
    """Name of the trusted key that signed the artefact; null where no signature was asked for."""


class ModelPage(Answer):
    """The models loaded."""

    models: list[LoadedModel]
    """One for each family."""


class DocumentLink(Answer):
    """Where a document is read, and the digest of its bytes."""

    name: str
    """File name."""
    media_type: str
    """Media type it is served with."""
    sha256: str
    """Digest of its bytes, in hex."""
    path: str
    """Where it is read."""


class EarlierVersion(Answer):
    """A version that no longer gives scores, and is still here to explain and replay those it gave."""

    version: str
    """Version of the artefact."""
    manifest_sha256: str
    """Digest of its manifest, in hex."""
    learnt_from: str
    """Whom it learnt from."""


class ModelCard(LoadedModel):
    """The manifest in force, the whole evaluation and the transparency record; null and empty where not evaluated."""

    status: Status
    """Whether the model was evaluated."""
    earlier: list[EarlierVersion]
    """Versions beside the one that answers, newest first: they explain and replay the scores they gave."""
    groups: list[str]
    """Names of the four groups, lowest first."""
    cuts: list[float]
    """Days of future harm between the groups."""
    decision_weights: list[float]
    """What the probabilities are multiplied with before the greatest is flagged."""
    features: list[str]
    """Inputs of the groups, in order."""
    survival_features: list[str]
    """Inputs of the curve, in order."""
    harm_index: dict[str, str | float]
    """Edition and digest of the harm index it learnt with, and the share of harm that rests on medians."""
    libraries: dict[str, str]
    """Versions it was made with."""
    data: dict[str, object]
    """Counts of what it learnt from."""
    metrics: dict[str, object]
    """What was measured when it was fitted."""
    seed: int
    """Seed of the fit."""
    evaluation: dict[str, object] | None
    """The whole evaluation; null where it was not evaluated."""
    atrs: dict[str, object] | None
    """The record for the Algorithmic Transparency Recording Standard; null where it was not evaluated."""
    documents: list[DocumentLink]
    """The documents beside it."""


class TextModelCard(LoadedModel):
    """The manifest in force of a model that reads logs, its evaluation and transparency record; null and empty where not
    evaluated."""

    status: Status
    """Whether an evaluation lies beside the artefact; what was measured while fitting stands in `metrics`."""
    earlier: list[EarlierVersion]
    """Versions beside the one that answers, newest first: they replay what they read."""
    scores: list[float]
    """The scores it chooses from, days."""
    terms: int
    """How many terms it knows."""
    served: str
    """What kind of model answers: the published `network`, or a rival that did clearly better."""
    libraries: dict[str, str]
    """Versions of what it was made with."""
    data: dict[str, object]
    """Counts of what it learnt from."""
    metrics: dict[str, object]
    """Accuracy, mean error in days and quadratic kappa of network and rivals on logs it did not learn from."""
    seed: int
    """Seed of the fit."""
    evaluation: dict[str, object] | None
    """The whole evaluation; null where it was not evaluated."""
    atrs: dict[str, object] | None
    """The record for the Algorithmic Transparency Recording Standard; null where it was not evaluated."""
    documents: list[DocumentLink]
    """The documents beside it."""


class CovenantAnswer(ModelStamp):
    """The Covenant for Using AI in Policing, principle by principle; empty where the model was not evaluated.

    `parts` carries letters A (adequate), M (moderate) or L (limited) for explainability and transparency.
    """

    status: Status
    """Whether the model was evaluated."""
    notice: str
    """What to know before reading it."""
    principles: list[Principle]
    """The six principles."""
    parts: list[Part]
    """Letters for explainability and transparency of each part."""
