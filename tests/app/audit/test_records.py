"""Envelopes, ids, tags and sealing."""

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.audit.records import (
    Envelope,
    actor_ref,
    format_time,
    idempotency_tag,
    nominal_tag,
    to_datetime,
    to_microseconds,
    uuid7,
)
from app.audit.sealing import Tampered, seal, unseal
from app.errors import InvalidInput
from tests.app.audit.samples import a_record, once

KEK = bytes(range(32))
CONTEXT = {"log_id": "log", "record_id": "record", "encryption_key": KEK, "kek_id": "kek"}
ENVELOPE = Envelope("log", "record", "score", format_time(0), "aa", "audit", None, "bb", "cc")

texts = st.text(st.characters(codec="utf-8"), max_size=20)


@given(texts, texts, st.none() | texts)
def test_envelope_is_rfc_8785_whatever_its_fields_hold(record_id: str, event: str, manifest: str | None) -> None:
    envelope = replace(ENVELOPE, record_id=record_id, event=event, manifest_sha256=manifest)
    fields = {name: getattr(envelope, name) for name in Envelope.__dataclass_fields__}
    assert envelope.encode() == rfc8785.dumps(fields)
    assert Envelope.decode(envelope.encode()) == envelope


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        ENVELOPE.encode() + b" ",
        ENVELOPE.encode().replace(b":", b": ", 1),
        ENVELOPE.encode().replace(b'"version":1', b'"version":2'),
        ENVELOPE.encode().replace(b'"version":1', b'"version":1.0'),
        ENVELOPE.encode().replace(b'"version":1', b'"version":true'),
        ENVELOPE.encode().replace(b'"score"', b"5"),
        ENVELOPE.encode().replace(b'"score"', b"null"),
        ENVELOPE.encode().replace(b'"version":1', b'"version":1,"version":1'),
        ENVELOPE.encode().replace(b'"version":1', b'"version":1,"x":1'),
        ENVELOPE.encode().replace(b"score", b"\\u0073core"),
        b"\xff",
    ],
)
def test_only_the_exact_bytes_are_an_envelope(leaf: bytes) -> None:
    with pytest.raises(ValueError):
        Envelope.decode(leaf)


def test_uuid7_rises_and_is_version_7() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    first = UUID(made[0])
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert abs((first.int >> 80) / 1000 - datetime.now(UTC).timestamp()) < 60


def test_uuid7_is_unique_across_threads() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(uuid7() for _ in range(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))
def test_times_survive(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    text = format_time(to_microseconds(moment))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    assert datetime.fromisoformat(text) == moment == to_datetime(to_microseconds(moment))


def test_tags_differ_by_every_part_and_by_key() -> None:
    actor = actor_ref(KEK, "issuer", "subject")
    tags = [
        actor,
        actor_ref(KEK, "issuer", "other"),
        actor_ref(KEK, "other", "subject"),
        actor_ref(bytes(32), "issuer", "subject"),
        nominal_tag(KEK, "subject"),
        idempotency_tag(KEK, actor, "/score", "key"),
        idempotency_tag(KEK, actor, "/other", "key"),
        idempotency_tag(KEK, bytes(32), "/score", "key"),
    ]
    assert len(set(tags)) == len(tags)


def test_seal_opens_only_as_a_whole() -> None:
    sealed = seal(b"secret", **CONTEXT)
    assert unseal(sealed, **CONTEXT) == b"secret"
    assert b"secret" not in sealed.ciphertext
    other = seal(b"secret", **CONTEXT)
    assert (
        len({sealed.nonce, other.nonce, sealed.ciphertext, other.ciphertext, sealed.commitment, other.commitment}) == 6
    )


def broken(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


@pytest.mark.parametrize("part", ["nonce", "ciphertext", "wrapped_key", "commitment"])
@pytest.mark.parametrize("change", [broken, lambda value: b"", lambda value: value[:-1], lambda value: value + b"x"])
def test_any_changed_part_is_found(part: str, change) -> None:
    sealed = seal(b"secret", **CONTEXT)
    with pytest.raises(Tampered):
        unseal(replace(sealed, **{part: change(getattr(sealed, part))}), **CONTEXT)


@pytest.mark.parametrize("name", ["log_id", "record_id", "kek_id", "encryption_key"])
def test_a_seal_belongs_to_its_place(name: str) -> None:
    sealed = seal(b"secret", **CONTEXT)
    elsewhere = CONTEXT | {name: bytes(32) if name == "encryption_key" else "another"}
    with pytest.raises(Tampered):
        unseal(sealed, **elsewhere)


@pytest.mark.parametrize(
    "changes",
    [
        {"event": "gossip"},
        {"purpose": "curiosity"},
        {"manifest": "AB" * 32},
        {"manifest": ""},
        {"record_id": "not-a-uuid"},
        {"record_id": "01890a5d-ac96-474b-b3fc-6e4d5c8b1234"},  # version 4
        {"idempotency": once("key", route="/" * 65)},
    ],
)
def test_records_of_another_kind_are_refused_without_repeating_them(changes: dict) -> None:
    with pytest.raises(InvalidInput) as caught:
        a_record(**changes)
    assert caught.value.faults
    assert not any(str(value) in caught.value.detail for value in changes.values() if value)
