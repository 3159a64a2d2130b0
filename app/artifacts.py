"""Model bundles: a folder with a manifest, checked byte by byte before anything in it is used.

`model_artifacts/<family>/<version>/` holds `manifest.json` and the files of its kind (`KINDS`), and, where somebody vouches
for them, `manifest.sig`. Files are read once, compared with the digests in the manifest, and those same
bytes are what gets loaded. Nothing here unpickles.
The evaluation and the documents made from it may lie beside them; `app.documents` checks those.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypeVar

from app.artifact_signatures import SIGNATURE, sign, signed_by
from app.audit.note import Signer, Verifier
from app.documents import Digest, Documents, load_documents
from app.errors import SetupError, VerificationFailed
from app.files import read_plain, written_whole
from app.harm.drift import DRIFT_WARNINGS
from app.harm.experience import BANDS, MEASURES
from app.harm.features import FEATURES, ROWS
from app.harm.robustness import Finite, Robustness
from app.harm.subject import Subject
from app.manifest import BaseManifest
from app.onnx_wire import has_external_data
from app.text.manifest import TextManifest

MANIFEST = "manifest.json"
MODEL, SURVIVAL, GOLDEN = "model.onnx", "survival.onnx", "golden.jsonl"
FORMAT = 2
OLDER_FORMATS = (1,)
"""Still loaded and replayed: a manifest of format 1 has no `robustness`, so its answers lack what rests on that."""
GROUPS = ("0-50", "50-80", "80-90", "90-100")
_MAX_BYTES = 64 << 20


class HarmIndexStamp(BaseModel):
    """Which harm index the model learnt with, and how much of the harm in its data rests on subgroup medians."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    edition: str
    sha256: Digest
    approximate_share: Annotated[float, Field(ge=0, le=1)]


class Manifest(BaseManifest):
    """The manifest of a model of harm: a stack and a survival forest.

    `features` those its subject has, of the 19 in every row; the others are zero in medians and percentiles.
    `cuts` days of future harm between the groups; `decision_weights` multiply the probabilities before arg max;
    `reference_medians` (20, 19) population medians by position, index incident last; `population_percentiles` feature
    -> its 0th to 100th percentile in the index row; `index_age_median` years; `robustness` from format 2 on.
    """

    GRAPHS: ClassVar[tuple[str, ...]] = (MODEL, SURVIVAL)
    TABLES: ClassVar[tuple[str, ...]] = (GOLDEN,)

    subject: Subject = Subject()
    features: tuple[str, ...]
    survival_features: tuple[str, ...]
    groups: tuple[str, ...]
    cuts: Annotated[tuple[Finite, ...], Field(min_length=3, max_length=3)]
    decision_weights: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=4, max_length=4)]
    index_age_median: Annotated[float, Field(gt=0, lt=120)]
    reference_medians: tuple[tuple[Finite, ...], ...]
    population_percentiles: dict[str, tuple[Finite, ...]]
    harm_index: HarmIndexStamp
    robustness: Robustness | None = None

    def misfits(self) -> list[str]:
        """Names of what is made for other features, groups or shapes than this code computes."""
        medians = [len(row) for row in self.reference_medians]
        fits = {
            "format": self.format in (*OLDER_FORMATS, FORMAT),
            "robustness": (self.robustness is None) == (self.format in OLDER_FORMATS),
            "features": self.features == self.subject.side.features,
            "survival_features": self.survival_features == self.subject.side.survival_features,
            "groups": self.groups == GROUPS,
            "cuts": list(self.cuts) == sorted(self.cuts),
            "reference_medians": medians == [len(FEATURES)] * ROWS,
            "population_percentiles": set(self.population_percentiles) == set(FEATURES)
            and all(len(values) == 101 for values in self.population_percentiles.values()),
        }
        return [name for name, fine in fits.items() if not fine] or _misfits(self.robustness)


KINDS: dict[str, type[BaseManifest]] = {"harm": Manifest, "text": TextManifest}
"""Kinds of bundle by the member `kind` of their manifest; a manifest without one is of the first."""
M = TypeVar("M", bound=BaseManifest, default=Manifest)


class _Kind(BaseModel):
    kind: Literal["harm", "text"] = "harm"


@dataclass(frozen=True)
class Bundle(Generic[M]):
    """A checked artefact: the manifest, its own digest, the bytes of each file, which trusted key signed it, and what was
    written about it."""

    manifest: M
    manifest_sha256: str
    files: dict[str, bytes]
    signed_by: str | None = None
    documents: Documents | None = None

    @cached_property
    def reference(self: "Bundle[Manifest]") -> NDArray[np.float32]:
        """Population medians, float32 (20, 19)."""
        return np.asarray(self.manifest.reference_medians, dtype=np.float32)

    @property
    def golden(self) -> list[dict[str, Any]]:
        """The golden cases: requests with the answers they must give."""
        try:
            return [json.loads(line) for line in self.files[GOLDEN].splitlines()]
        except ValueError:
            raise SetupError(f"{GOLDEN} is not JSON, a case a line. Export the artefact again.") from None

    def release(self) -> None:
        """Let go of the files' bytes, for whoever has loaded and checked what they hold and needs them no more."""
        self.files.clear()


def load_bundle(folder: Path, trusted: Sequence[Verifier] | None = None) -> Bundle[Any]:
    """Read and check one artefact folder of any kind; with `trusted` keys, one of them must have signed it.

    Raises SetupError naming the file and what to do.
    """
    raw = read_plain(folder / MANIFEST, _MAX_BYTES)
    digest = hashlib.sha256(raw).hexdigest()
    signer = None if trusted is None else _signer(folder, digest, trusted)
    manifest = _manifest(raw, folder)
    held = (*manifest.GRAPHS, *manifest.TABLES)
    files = {name: _checked(folder / name, manifest.files.get(name)) for name in held}
    for name in manifest.GRAPHS:
        _refuse_external_data(files[name], folder / name)
    return Bundle(manifest, digest, files, signer)


def load_manifest(folder: Path) -> tuple[Manifest, str]:
    """The manifest of a model of harm and its own digest. Raises SetupError naming what does not fit."""
    manifest, digest = load_any_manifest(folder)
    if not isinstance(manifest, Manifest):
        raise SetupError(f"{folder} holds a model of another kind: this is for models of harm.")
    return manifest, digest


def load_any_manifest(folder: Path) -> tuple[BaseManifest, str]:
    """The manifest of a model of any kind and its own digest. Raises SetupError naming what does not fit."""
    raw = read_plain(folder / MANIFEST, _MAX_BYTES)
    return _manifest(raw, folder), hashlib.sha256(raw).hexdigest()


def _manifest(raw: bytes, folder: Path) -> BaseManifest:
    try:
        manifest = KINDS[_Kind.model_validate_json(raw).kind].model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file itself"
        raise SetupError(f"{folder / MANIFEST}: {where}: {first['type']}. Export the artefact again.") from None
    if wrong := manifest.misfits():
        raise SetupError(
            f"{folder / MANIFEST}: {', '.join(wrong)} do not fit this version of Day Zero. Train it again."
        )
    return manifest


def of_kind(bundles: Mapping[str, Bundle[Any]], kind: type[M]) -> dict[str, Bundle[M]]:
    """The bundles of one kind, family -> bundle."""
    return {family: bundle for family, bundle in bundles.items() if isinstance(bundle.manifest, kind)}


def load_current(
    artifacts: Path, trusted: Sequence[Verifier] | None = None, only: str | None = None
) -> dict[str, Bundle[Any]]:
    """Load the newest version of each family below `artifacts`, or of just one; family -> bundle. `trusted` as for `load_bundle`.

    Newest is the greatest version, numbers compared as numbers. Raises SetupError where there is none at all.
    """
    newest = {family: found[0] for family, found in versions(artifacts).items() if only in {None, family}}
    if not newest:
        raise SetupError(f"No model artefact below {artifacts}. Set DAYZERO_ARTIFACTS or run `dayzero-train fit`.")
    bundles = {name: _with_documents(load_bundle(folder, trusted), folder) for name, folder in newest.items()}
    for name, bundle in bundles.items():
        if bundle.manifest.family != name or bundle.manifest.version != newest[name].name:
            raise SetupError(f"{newest[name]}: the manifest names another family or version. Export it again.")
    return bundles


def _with_documents(bundle: Bundle[Any], folder: Path) -> Bundle[Any]:
    return replace(bundle, documents=load_documents(folder, bundle.manifest_sha256))


def versions(artifacts: Path) -> dict[str, list[Path]]:
    """Family -> the folders of its versions, newest first."""
    families = [folder for folder in sorted(artifacts.glob("*")) if folder.is_dir()] if artifacts.is_dir() else []
    found = {family.name: [one for one in family.iterdir() if (one / MANIFEST).is_file()] for family in families}
    return {name: sorted(some, key=_version_key, reverse=True) for name, some in found.items() if some}


def _version_key(folder: Path) -> list[tuple[int, int, str]]:
    """Numbers as numbers; words before the end (1.0-rc1 < 1.0), the end before more numbers (1.0 < 1.0.1)."""
    parts = folder.name.replace("-", ".").split(".")
    return [*((2, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts), (1, 0, "")]


def _checked(path: Path, digest: str | None) -> bytes:
    content = read_plain(path, _MAX_BYTES)
    if digest is None or hashlib.sha256(content).hexdigest() != digest:
        raise SetupError(
            f"{path} is not the file its manifest describes (SHA-256 differs). Restore or export it again."
        )
    return content


def sign_artefact(folder: Path, signer: Signer) -> Path:
    """Add this key's signature to a whole artefact; return the file. Raises SetupError."""
    bundle = load_bundle(folder)
    name, target = f"{bundle.manifest.family}/{bundle.manifest.version}", folder / SIGNATURE
    if name != _name(folder):
        raise SetupError(f"{folder} is not where {name} belongs: the folder must be <family>/<version>.")
    try:
        signed = sign(name, bundle.manifest_sha256, signer, read_plain(target, _MAX_BYTES) if target.exists() else None)
    except VerificationFailed as error:
        raise SetupError(f"{target}: {error.detail} Delete it to sign anew.") from None
    with written_whole(target) as file:
        file.write(signed)
    return target


def _name(folder: Path) -> str:
    return "/".join(folder.absolute().parts[-2:])


def _signer(folder: Path, manifest_sha256: str, trusted: Sequence[Verifier]) -> str:
    """Name of the trusted key that vouches for the manifest."""
    try:
        return signed_by(_name(folder), manifest_sha256, read_plain(folder / SIGNATURE, _MAX_BYTES), trusted)
    except (SetupError, VerificationFailed) as error:
        raise SetupError(
            f"{folder}: nobody whom DAYZERO_ARTIFACT_KEYS trusts has signed this artefact. {error.detail} "
            "See docs/artefacts.md."
        ) from None


def _refuse_external_data(graph: bytes, path: Path) -> None:
    try:
        outside = has_external_data(graph)
    except ValueError:
        raise SetupError(f"{path} is not an ONNX graph. Restore or export it again.") from None
    if outside:
        raise SetupError(f"{path} keeps tensors outside itself, where no digest covers them. Export it as one file.")


def _misfits(robustness: Robustness | None) -> list[str]:
    """Blocks made for other measures, bands, features or warnings than this code computes."""
    if robustness is None:
        return []
    seen, drift = robustness.experience, robustness.drift
    fits = {
        "robustness.experience.measures": seen.measures == MEASURES,
        "robustness.experience.bands": tuple((band.shortest, band.longest) for band in seen.bands) == BANDS,
        "robustness.drift.features": set(drift.features) == set(FEATURES),
        "robustness.drift.warnings": set(drift.warnings) == set(DRIFT_WARNINGS),
    }
    return [name for name, fine in fits.items() if not fine]
