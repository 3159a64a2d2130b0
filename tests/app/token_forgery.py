"""Builds the rows of tests/data/bad_tokens.yaml: the `Authorization` header values each of them sends."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests import identity_provider as provider
from tests.identity_provider import part

LOCAL_ISSUER = "dayzero-local"
OTHER = {"EdDSA": ed25519.Ed25519PrivateKey.generate(), "RS256": rsa.generate_private_key(65537, 2048)}
SHORT = rsa.generate_private_key(65537, 1024)
FOR_ENCRYPTION = rsa.generate_private_key(65537, 2048)
SECRET = b"a secret of thirty-two bytes, no less"

KEY_SET = provider.key_set(**provider.PRIVATE)
"""The provider's document: three good keys, and three that must not be used."""
KEY_SET["keys"] += [
    provider.public_member(SHORT, "short"),
    provider.public_member(FOR_ENCRYPTION, "encryption", use="enc"),
    {"kty": "oct", "kid": "secret", "k": part(SECRET), "alg": "HS256"},
]


@dataclass(frozen=True)
class Door:
    """Where tokens come in: who signs good ones, how, and what they say."""

    name: str
    private: Any
    algorithm: str
    key_id: str

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        if self.name == "provider":
            return provider.claims()
        told = {"iss": LOCAL_ISSUER, "aud": "dayzero", "sub": "analyst", "scope": "score audit", "jti": "1"}
        return told | {"iat": now, "nbf": now, "exp": now + 3600}

    def header(self) -> dict[str, Any]:
        return {"alg": self.algorithm, "typ": "JWT", "kid": self.key_id}

    def good(self, **changes: Any) -> str:
        """A whole header line that must be accepted."""
        return f"Bearer {_assemble(self, json.dumps(self.header()), json.dumps(self.claims() | changes).encode())}"


def provider_door() -> Door:
    return Door("provider", provider.RSA, "RS256", "rsa")


def local_door(private: ed25519.Ed25519PrivateKey, key_id: str) -> Door:
    return Door("local", private, "EdDSA", key_id)


def lines(row: dict[str, Any], door: Door) -> list[str]:
    """The values of the `Authorization` headers that a row of the table sends through a door."""
    header = door.header() | row.get("header", {})
    told = door.claims() | {name: _value(value, door) for name, value in row.get("claims", {}).items()}
    for name in row.get("without", []):
        del told[name]
    headtext = _filled(row["headtext"], header, door) if "headtext" in row else json.dumps(header)
    payload = _text(row["text"], told, door) if "text" in row else json.dumps(told).encode()
    forge = FORGERIES.get(row.get("key", "own"))
    token = forge(door, header, payload) if forge else _assemble(door, headtext, payload, other="key" in row)
    shape = SHAPES.get(row.get("shape", ""))
    return shape(f"Bearer {token}", door) if shape else [f"Bearer {token}"]


def _value(value: Any, door: Door) -> Any:
    if isinstance(value, dict) and value.keys() == {"now"}:
        return int(time.time()) + value["now"]
    other_issuer = LOCAL_ISSUER if door.name == "provider" else provider.ISSUER
    words = {"LONG": "x" * 9000, "LONGISH": "x" * 500, "OTHER-DOOR": other_issuer}
    return words.get(value, value) if isinstance(value, str) else value


def _filled(text: str, members: dict[str, Any], door: Door) -> str:
    given = {"DEEP": "[" * 3000, "KID": door.key_id, "ALG": door.algorithm, "1HUGE": "1" + "0" * 400}
    kept = {name: value for name, value in members.items() if name != "exp"}
    for word, meant in {"GOOD-BUT-EXP": json.dumps(kept)[1:-1], "GOOD": json.dumps(members)[1:-1], **given}.items():
        text = text.replace(word, meant)
    return text


def _text(text: str, told: dict[str, Any], door: Door) -> bytes:
    raw = _filled(text, told, door).encode("utf-8", "surrogatepass").replace(b"BROKEN-UTF-8", b"\xff\xfe")
    return raw.replace(b"\xed\xa0\x80", b"\\ud800")


def _assemble(door: Door, headtext: str, payload: bytes, *, other: bool = False) -> str:
    """A token signed by the rightful key, or by another of its kind."""
    signing_input = f"{part(headtext.encode())}.{part(payload)}"
    private = OTHER[door.algorithm] if other else door.private
    return f"{signing_input}.{part(_signed(door.algorithm, private, signing_input))}"


def _signed(algorithm: str, private: Any, signing_input: str) -> bytes:
    return bytes(jwt.get_algorithm_by_name(algorithm).sign(signing_input.encode(), private))


# --- forgeries: (door, header, claims' bytes) -> token


def _with(header: dict[str, Any], payload: bytes, sign: Callable[[str], bytes]) -> str:
    signing_input = f"{part(header)}.{part(payload)}"
    return f"{signing_input}.{part(sign(signing_input))}"


def _unsigned(algorithm: str) -> Callable[..., str]:
    return lambda _, header, payload: _with(header | {"alg": algorithm}, payload, lambda _: b"x")


def _hs256(encoding: Encoding, kind: PublicFormat) -> Callable[..., str]:
    def forge(door: Door, header: dict[str, Any], payload: bytes) -> str:
        odd = encoding is Encoding.Raw and door.name == "provider"  # an RSA key has no raw form
        public = door.private.public_key().public_bytes(
            Encoding.DER if odd else encoding, PublicFormat.SubjectPublicKeyInfo if odd else kind
        )
        return _with(header | {"alg": "HS256"}, payload, lambda text: hmac.digest(public, text.encode(), "sha256"))

    return forge


def _brings_own_key(door: Door, header: dict[str, Any], payload: bytes) -> str:
    other = OTHER[door.algorithm]
    bringing = header | {"jwk": provider.public_member(other, door.key_id)}
    return _with(bringing, payload, lambda text: _signed(door.algorithm, other, text))


def _by(algorithm: str, private: Any, **changes: Any) -> Callable[..., str]:
    return lambda _, header, payload: _with(
        header | {"alg": algorithm} | changes, payload, lambda text: _signed(algorithm, private, text)
    )


def _short_rsa(_: Door, header: dict[str, Any], payload: bytes) -> str:
    def sign(text: str) -> bytes:
        return SHORT.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())

    return _with(header | {"kid": "short"}, payload, sign)


def _ecdsa(sign: Callable[[str], bytes]) -> Callable[..., str]:
    return lambda _, header, payload: _with(header | {"alg": "ES256", "kid": "ec"}, payload, sign)


FORGERIES: dict[str, Callable[..., str]] = {
    "none": _unsigned("none"),
    "none_in_odd_letters": _unsigned("nOnE"),
    "hs256_public_pem": _hs256(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "hs256_public_raw": _hs256(Encoding.Raw, PublicFormat.Raw),
    "brings_own_key": _brings_own_key,
    "not_allowed": _by("RS512", provider.RSA),
    "of_another_kind": _by("ES256", provider.EC),
    "zero_ecdsa": _ecdsa(lambda _: bytes(64)),
    "der_ecdsa": _ecdsa(lambda text: provider.EC.sign(text.encode(), ec.ECDSA(hashes.SHA256()))),
    "short_rsa": _short_rsa,
    "for_encryption": _by("RS256", FOR_ENCRYPTION, kid="encryption"),
    "secret_member": lambda _, header, payload: _with(
        header | {"alg": "HS256", "kid": "secret"}, payload, lambda text: hmac.digest(SECRET, text.encode(), "sha256")
    ),
}


# --- shapes: (header line, door) -> header values


def _parts(line: str) -> list[str]:
    return line.removeprefix("Bearer ").split(".")


def _joined(*parts: str) -> list[str]:
    return ["Bearer " + ".".join(parts)]


def _bent(change: Callable[[bytearray], Any]) -> Callable[[str, Door], list[str]]:
    """The signature's bytes, changed in place."""

    def shape(line: str, _: Door) -> list[str]:
        first, second, third = _parts(line)
        signature = bytearray(base64.urlsafe_b64decode(third + "=" * (-len(third) % 4)))
        change(signature)
        return _joined(first, second, part(bytes(signature)))

    return shape


def _flip(where: Callable[[bytearray], int], bit: int) -> Callable[[bytearray], None]:
    def change(signature: bytearray) -> None:
        signature[where(signature)] ^= bit

    return change


def _zero(signature: bytearray) -> None:
    signature[:] = bytes(len(signature))


SHAPES: dict[str, Callable[[str, Door], list[str]]] = {
    "nothing": lambda line, door: [],
    "empty": lambda line, door: [""],
    "only_scheme": lambda line, door: ["Bearer"],
    "no_scheme": lambda line, door: [line[7:]],
    "basic": lambda line, door: ["Basic " + base64.b64encode(b"user:password").decode()],
    "dpop": lambda line, door: [line.replace("Bearer", "DPoP")],
    "bearer_twice": lambda line, door: [f"Bearer {line}"],
    "two_with_blank": lambda line, door: [f"{line} {line[7:]}"],
    "two_with_comma": lambda line, door: [f"{line}, {line}"],
    "two_headers": lambda line, door: [line, line],
    "good_then_bad": lambda line, door: [line, "Bearer a.b.c"],
    "two_blanks": lambda line, door: [line.replace(" ", "  ")],
    "tab": lambda line, door: [line.replace(" ", "\t")],
    "quoted": lambda line, door: [f'Bearer "{line[7:]}"'],
    "one_part": lambda line, door: _joined(_parts(line)[1]),
    "two_parts": lambda line, door: _joined(*_parts(line)[:2]),
    "four_parts": lambda line, door: _joined(*_parts(line), "AAAA"),
    "five_parts": lambda line, door: _joined(*_parts(line), "AAAA", "AAAA"),
    "empty_signature": lambda line, door: _joined(*_parts(line)[:2], ""),
    "empty_claims": lambda line, door: _joined(_parts(line)[0], "", _parts(line)[2]),
    "padding": lambda line, door: [line + "=="],
    "plain_base64": lambda line, door: _joined(_parts(line)[0], "a+b/", _parts(line)[2]),
    "not_ascii": lambda line, door: [line + "é"],
    "huge": lambda line, door: ["Bearer " + "a" * 9000 + ".b.c"],
    "signature_of_another": lambda line, door: _joined(*_parts(line)[:2], _parts(door.good(sub="another"))[2]),
    "claims_exchanged": lambda line, door: _joined(
        _parts(line)[0], part(door.claims() | {"scope": "admin"}), _parts(line)[2]
    ),
    "header_exchanged": lambda line, door: _joined(part(door.header() | {"typ": "at+jwt"}), *_parts(line)[1:]),
    "first_bit": _bent(_flip(lambda _: 0, 0x80)),
    "middle_bit": _bent(_flip(lambda signature: len(signature) // 2, 0x10)),
    "last_bit": _bent(_flip(lambda _: -1, 0x01)),
    "cut_short": _bent(lambda signature: signature.pop()),
    "byte_more": _bent(lambda signature: signature.append(0)),
    "zeros": _bent(_zero),
}
