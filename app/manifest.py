"""What every model bundle says of itself, whatever kind of model it holds. Each kind adds its own (`app.artifacts.KINDS`)."""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from app.documents import Digest


class BaseManifest(BaseModel):
    """What it is, whom it learnt from, how well it did, and the digest of every file in the bundle.

    `GRAPHS` and `TABLES` name the files a bundle of this kind holds beside the manifest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    GRAPHS: ClassVar[tuple[str, ...]]
    TABLES: ClassVar[tuple[str, ...]]

    format: int
    family: Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,39}$")]
    version: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    learnt_from: str
    files: dict[str, Digest]
    libraries: dict[str, str]
    data: dict[str, Any]
    seed: int
    metrics: dict[str, Any]

    @abstractmethod
    def misfits(self) -> list[str]:
        """What in it is made for other features, groups or shapes than this code computes; empty where all fits."""
