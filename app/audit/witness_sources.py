"""Where a witness gets checkpoints and proofs from: a running service, or files that someone carried over."""

import json
from pathlib import Path
from typing import Any

import httpx2

from app.audit.note import MAX_NOTE_BYTES
from app.errors import SetupError, Unavailable, VerificationFailed

SECONDS = 30.0
MAX_PROOF_BYTES = 65536


class ServerSource:
    """A service, asked with a bearer token of scope audit. Errors: Unavailable where it does not answer as it should."""

    def __init__(self, server: str, token: str | None) -> None:
        if not token:
            raise SetupError("Put a bearer token with scope audit into DAYZERO_TOKEN to use --server.")
        self._server = server.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}

    def checkpoint(self) -> bytes:
        return self._get("/audit/checkpoint", MAX_NOTE_BYTES)

    def proof(self, first: int, second: int) -> list[bytes]:
        return read_proof(self._get(f"/audit/proof/consistency?first={first}&second={second}", MAX_PROOF_BYTES))

    def _get(self, path: str, at_most: int) -> bytes:
        content = b""
        try:
            with httpx2.stream("GET", self._server + path, headers=self._headers, timeout=SECONDS) as answer:
                if answer.status_code != 200:
                    raise Unavailable(f"The service answered with status {answer.status_code}.")
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > at_most:
                        raise Unavailable("The service's answer is longer than any checkpoint or proof.")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"The service did not answer ({type(error).__name__}).") from None
        return content


class FileSource:
    """Files; the proof may be left out where nothing is to be proven: a first run, or a log that has not grown."""

    def __init__(self, checkpoint: Path, proof: Path | None) -> None:
        self._checkpoint = checkpoint
        self._proof = proof

    def checkpoint(self) -> bytes:
        return self._checkpoint.read_bytes()

    def proof(self, first: int, second: int) -> list[bytes]:
        if self._proof is None:
            raise SetupError(
                "The log has grown since it was cosigned last: give --proof, the answer of "
                f"/audit/proof/consistency?first={first}&second={second}."
            )
        return read_proof(self._proof.read_bytes())


def read_proof(raw: bytes) -> list[bytes]:
    """Hashes out of `{"hashes": ["hex"]}`. Errors: VerificationFailed."""
    try:
        found: Any = json.loads(raw[:MAX_PROOF_BYTES])
        hashes = [bytes.fromhex(one) for one in found["hashes"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise VerificationFailed("The proof cannot be read.") from None
    return hashes
