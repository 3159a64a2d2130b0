"""Every setting in one place, read once from the environment (`DAYZERO_` in front) and passed on."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.database import sqlite_url
from app.errors import SetupError
from app.scopes import ALGORITHMS

Names = Annotated[tuple[str, ...], NoDecode]
"""A list written with commas."""


class Settings(BaseSettings):
    """Settings of one deployment; one deployment serves one force."""

    model_config = SettingsConfigDict(env_prefix="DAYZERO_", frozen=True, extra="ignore", env_ignore_empty=True)

    home: Path = Field(default_factory=lambda: _expanded(Path("~/.dayzero")))
    """Where data and keys live: the SQLite file, `keys/`, an imported harm index."""

    database_url: str | None = None
    """SQLAlchemy URL of the ledger, e.g. `postgresql+psycopg://...`. Default: an SQLite file in `home`."""

    migration_url: str | None = None
    """The same database as the role that owns the tables: for `dayzero db` and `dayzero keys rotate`. Default: database_url."""

    erasure_url: str | None = None
    """The same database as the role that may erase. Default: database_url."""

    backup_days: int = Field(default=30, ge=0, le=3650)
    """How long backups of the database are kept: until then an erasure is not complete."""

    artifacts: Path = Path("model_artifacts")
    """Folder of model artefacts, `<family>/<version>/`."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on."""

    timezone: str = "Europe/London"
    """Whose calendar decides what "today" is."""

    stop_seconds: int = Field(default=10, ge=1, le=300)
    """How long requests that are under way may take to finish once the service is told to stop."""

    docs: bool = True
    """Serve `/docs` and `/openapi.json`."""

    log_level: str = "info"
    """debug, info, warning or error."""

    origin: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")
    """Name of this log in its checkpoints, for ever the same. Default: `dayzero/` and the log's id."""

    checkpoint_seconds: float = Field(default=5, gt=0, le=10)
    """How often growth of the log is looked for and signed."""

    witness_state: Path | None = None
    """File outside the database with the last cosigned checkpoint; a log that does not continue it is not served."""

    jwks_url: str | None = None
    """https address of the identity provider's public keys. Without it only local tokens are taken."""

    jwks_ca: Path | None = None
    """PEM file of the certificate authority to trust for `jwks_url`, instead of the usual ones."""

    issuer: str | None = Field(default=None, pattern=r"^https://[!-~]{1,250}$", validate_default=True)
    """`iss` of every token the provider signs, exactly. Needed with `jwks_url`."""

    audience: str | None = Field(default=None, pattern=r"^[!-~]{1,255}$", validate_default=True)
    """What tokens for this service have in `aud`, exactly. Needed with `jwks_url`."""

    algorithms: Names = ("RS256", "PS256", "ES256", "EdDSA")
    """Signature algorithms the provider may use, out of `app.scopes.ALGORITHMS`."""

    scope_claims: Annotated[tuple[Literal["scope", "scp", "roles"], ...], NoDecode] = ("scope", "scp", "roles")
    """Claims of the provider's tokens that name scopes."""

    local_tokens: bool | None = None
    """Take tokens of `dayzero token`. Default: only where there is no `jwks_url`."""

    caller_limit: int = Field(default=6000, ge=0)
    """Requests a minute that one caller may send to one worker; 0 for no limit."""

    failed_limit: int = Field(default=60, ge=0)
    """Refused tokens a minute from one address to one worker until the answer is 429; 0 for no limit."""

    artifact_keys: Path | None = None
    """File or folder of verifier keys; with it only artefacts signed by one of them are loaded."""

    @field_validator("jwks_url")
    @classmethod
    def _over_tls(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "https://unset")
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
            raise ValueError("not a plain https address")
        return url

    @field_validator("issuer", "audience")
    @classmethod
    def _with_provider(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "jwks_url" in info.data and (value is None) != (info.data["jwks_url"] is None):
            raise ValueError("issuer, audience and jwks_url are set together or not at all")
        return value

    @field_validator("algorithms", "scope_claims", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value

    @field_validator("algorithms")
    @classmethod
    def _asymmetric(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names or set(names) - set(ALGORITHMS):
            raise ValueError("not an asymmetric signature algorithm")
        return names

    @field_validator("home", "artifacts", "jwks_ca", "artifact_keys")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        return path and _expanded(path)

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("not a time zone") from None
        return name

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, name: str) -> str:
        if name.lower() not in {"debug", "info", "warning", "error"}:
            raise ValueError("not a log level")
        return name.lower()

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or sqlite_url(self.home.absolute())

    @property
    def takes_local_tokens(self) -> bool:
        """Whether tokens of `dayzero token` are good here."""
        return self.jwks_url is None if self.local_tokens is None else self.local_tokens

    @property
    def migration_database(self) -> str:
        """The database as its owner."""
        return self.migration_url or self.database

    @property
    def erasure_database(self) -> str:
        """The database as the role that may erase."""
        return self.erasure_url or self.database

    @property
    def harm_index(self) -> Path:
        """Where an imported harm index lies; the table beside the code serves where there is none."""
        return self.home / "harm_index.csv"

    def today(self) -> date:
        """The date in the deployment's time zone."""
        return datetime.now(ZoneInfo(self.timezone)).date()


def _expanded(path: Path) -> Path:
    """The path with `~` replaced; a user without a home directory keeps data in the current folder."""
    try:
        return path.expanduser()
    except RuntimeError:
        return Path(path.name)


def read_settings() -> Settings:
    """Read the environment. Raises SetupError naming the setting, never its value (a URL may hold a password)."""
    try:
        return Settings()
    except ValidationError as error:
        names = sorted({f"DAYZERO_{str(found['loc'][0]).upper()}" for found in error.errors()})
        raise SetupError(f"{', '.join(names)}: not a usable value. See docs/settings.md.") from None
