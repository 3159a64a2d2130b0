"""A real identity provider on this machine: an HTTPS server with its own authority, and the private keys to its tokens."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ISSUER, AUDIENCE = "https://login.example.test/force/v2.0", "api://dayzero"
RSA, EC, ED = (
    rsa.generate_private_key(65537, 2048),
    ec.generate_private_key(ec.SECP256R1()),
    ed25519.Ed25519PrivateKey.generate(),
)
ALGORITHM_OF = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}
PRIVATE: dict[str, Any] = {"rsa": RSA, "ec": EC, "ed": ED}


def public_member(private: Any, key_id: str, **extra: Any) -> dict[str, Any]:
    """The public half of a key as a member of a JWKS."""
    kind = {rsa.RSAPrivateKey: "RS256", ec.EllipticCurvePrivateKey: "ES256"}
    name = next((found for base, found in kind.items() if isinstance(private, base)), "EdDSA")
    algorithm: Any = jwt.get_algorithm_by_name(name)
    return algorithm.to_jwk(private.public_key(), as_dict=True) | {"kid": key_id, "use": "sig"} | extra


def key_set(**private: Any) -> dict[str, Any]:
    return {"keys": [public_member(key, name) for name, key in private.items()]}


def claims(**changes: Any) -> dict[str, Any]:
    """What a provider's access token says; `...` leaves a claim out."""
    now = int(time.time())
    usual = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "analyst", "scope": "score audit", "iat": now, "nbf": now, "exp": now + 3600,
        "jti": "1", "azp": "crime-system", "ver": "2.0",
    }  # fmt: skip
    return {name: value for name, value in (usual | changes).items() if value is not ...}


def token(key: str = "rsa", headers: dict[str, Any] | None = None, **changes: Any) -> str:
    """A good access token, but for what is changed."""
    return jwt.encode(claims(**changes), PRIVATE[key], ALGORITHM_OF[key], {"kid": key} | (headers or {}))


Answer = Callable[[BaseHTTPRequestHandler], None]


def send(document: bytes, status: int = 200, **headers: str) -> Answer:
    """An answer of the provider."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(document)))
        handler.end_headers()
        handler.wfile.write(document)

    return answer


class Provider:
    """`answer` decides what the next request gets; `asked` are the paths asked for so far."""

    def __init__(self, address: str, authority: Path) -> None:
        self.url, self.authority = f"{address}/keys", authority
        self.asked: list[str] = []
        self.serve(key_set(**PRIVATE))

    def serve(self, document: object) -> None:
        self.answer = send(json.dumps(document).encode())

    @property
    def settings(self) -> dict[str, Any]:
        """What connects a service to it."""
        return {"jwks_url": self.url, "jwks_ca": self.authority, "issuer": ISSUER, "audience": AUDIENCE}

    @property
    def environment(self) -> dict[str, str]:
        return {f"DAYZERO_{name.upper()}": str(value) for name, value in self.settings.items()}


@contextmanager
def running_provider(folder: Path) -> Iterator[Provider]:
    """Serves on a free port of this machine until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    chain = _certificate(folder)
    provider: Provider | None = None

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert provider is not None
            provider.asked.append(self.path)
            provider.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hangs up is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        provider = Provider(f"https://127.0.0.1:{server.server_port}", folder / "authority.pem")
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield provider
        finally:
            server.shutdown()


def _certificate(folder: Path) -> Path:
    """Writes an authority's certificate, and a chain for 127.0.0.1 that it signed."""
    authority, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = datetime.now(UTC)
    base = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .not_valid_before(now - timedelta(1))
        .not_valid_after(now + timedelta(2))
    )
    signer = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    own = (
        base.subject_name(name).public_key(authority.public_key()).serial_number(1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(signer, critical=False)
        .sign(authority, hashes.SHA256())
    )  # fmt: skip
    leaf = (
        base.subject_name(x509.Name([])).public_key(server.public_key()).serial_number(2)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), critical=False)
        .sign(authority, hashes.SHA256())
    )  # fmt: skip
    (folder / "authority.pem").write_bytes(own.public_bytes(Encoding.PEM))
    chain = folder / "server.pem"
    secret = server.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.write_bytes(secret + leaf.public_bytes(Encoding.PEM))
    return chain


def part(value: object) -> str:
    """One part of a token: base64url of bytes, or of the JSON of anything else."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
