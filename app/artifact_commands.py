"""`dayzero artifacts`: who vouches for a model. Imports only what each command needs."""

from pathlib import Path

import click

from app.settings import read_settings

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def artifacts() -> None:
    """Sign models, and check who signed them. docs/artefacts.md says what a signature means."""


@artifacts.command("keygen")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="Who signs, e.g. force-data-science; no spaces.")
def keygen(file: Path, name: str) -> None:
    """Make a signing key: the private half in FILE, the public half in FILE.pub. Never overwrites.

    Keep FILE away from the machines that serve. FILE.pub goes where DAYZERO_ARTIFACT_KEYS points.
    """
    from app.artifact_signatures import make_key  # noqa: PLC0415

    click.echo(f"Written: {file} (keep it secret) and {file}.pub: {make_key(file, name)}")


@artifacts.command("sign")
@click.argument("folder", type=FOLDER)
@click.option("--key", required=True, type=FILE, help="Private key, as `keygen` made it.")
def sign_command(folder: Path, key: Path) -> None:
    """Check the artefact in FOLDER (<family>/<version>) and sign its manifest. Signatures by other keys stay."""
    from app.artifact_signatures import read_signer  # noqa: PLC0415
    from app.artifacts import sign_artefact  # noqa: PLC0415

    signer = read_signer(key)
    click.echo(f"Signed by {signer.name}: {sign_artefact(folder, signer)}")


@artifacts.command("verify")
@click.argument("folder", type=FOLDER)
@click.option("--keys", type=click.Path(exists=True, path_type=Path), help="Default: DAYZERO_ARTIFACT_KEYS.")
def verify(folder: Path, keys: Path | None) -> None:
    """Check every file of the artefact in FOLDER against its manifest, and the manifest against the keys."""
    from app.artifact_signatures import read_trusted  # noqa: PLC0415
    from app.artifacts import load_bundle  # noqa: PLC0415

    given = keys or read_settings().artifact_keys
    if given is None:
        raise click.UsageError("Give --keys, or set DAYZERO_ARTIFACT_KEYS.")
    bundle = load_bundle(folder, read_trusted(given))
    click.echo(f"{bundle.manifest.family} {bundle.manifest.version} is whole and signed by {bundle.signed_by}.")
    click.echo(f"manifest {bundle.manifest_sha256}")
