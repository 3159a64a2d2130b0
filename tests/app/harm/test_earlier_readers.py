"""A newer model of logs reads new logs; what an older one read is replayed and explained by that one, or not at all."""

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from app.audit.records import uuid7
from app.errors import ModelNotLoaded
from app.harm.archive import Archived, from_bytes, pack, to_bytes
from app.harm.inferred import read_by
from app.harm.records import parse_request
from app.harm.replay import replay
from app.harm.service import Scorer, load_scorer
from app.harm.stored_views import stored_view
from app.media import JSON
from tests.requests import example
from tests.toy_bundle import one_sexual_offence, write_toy
from tests.toy_text import WEIGHTS, write_toy_text

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GRAVE = "He punched her and threatened her with a knife"
NEWER: dict[str, Any] = {"version": "0.0.2", "weights": -WEIGHTS}
"""A model that reads everything the other way round."""


def with_log(explain: str = "none", text: str = GRAVE) -> dict[str, Any]:
    request = example(explain=explain)
    request["incidents"][1] |= {"harm_score": None, "log_text": text}
    return request


def stored(scorer: Scorer, request: dict[str, Any]) -> Archived:
    scored = scorer.score(parse_request(request), date.max)
    return from_bytes(to_bytes(pack(scored.body(uuid7(), NOW), scored)))


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    write_toy(tmp_path)
    write_toy_text(tmp_path)
    return tmp_path


@pytest.fixture
def old(artifacts: Path) -> Archived:
    return stored(load_scorer(artifacts, Path("none")), with_log())


def test_what_an_older_model_read_is_replayed_to_the_bit(artifacts: Path, old: Archived) -> None:
    write_toy_text(artifacts, **NEWER)
    newer = load_scorer(artifacts, Path("none"))
    fresh = stored(newer, with_log())
    assert read_by(fresh.answer) != read_by(old.answer)
    assert json.loads(fresh.answer)["harm"] != json.loads(old.answer)["harm"]
    for archived in (old, fresh, old):
        assert replay(newer, archived).result == "identical"
    kept = newer.as_read(old.answer)
    assert kept is newer.as_read(old.answer) is not newer, "one is kept"
    assert newer.as_read(fresh.answer) is newer


def test_both_may_be_older(artifacts: Path, old: Archived) -> None:
    write_toy_text(artifacts, **NEWER)
    write_toy(artifacts, version="0.0.2", model=one_sexual_offence())
    newer = load_scorer(artifacts, Path("none"))
    plain_newer = stored(newer, with_log(text="Calm argument"))
    for archived in (old, plain_newer, old):
        assert replay(newer, archived).result == "identical"


def test_a_view_is_made_with_what_was_read_then(artifacts: Path) -> None:
    scorer = load_scorer(artifacts, Path("none"))
    given, plain = stored(scorer, with_log("factors")), stored(scorer, with_log())
    write_toy_text(artifacts, **NEWER)
    make = stored_view(plain, "factors", "harm", JSON)
    assert callable(make)
    view = json.loads(make(load_scorer(artifacts, Path("none"))))
    assert view == json.loads(given.answer)["explanation"]


def spoil_golden(folder: Path) -> None:
    """Golden texts with other answers, properly described."""
    lines = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    content = b"\n".join(json.dumps(line | {"probabilities": [0.2] * 5}).encode() for line in lines)
    (folder / "golden.jsonl").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["golden.jsonl"] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def test_one_that_is_gone_or_gives_other_answers_says_nothing(
    artifacts: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for spoil, message in ((remove, "no other speaks"), (spoil_golden, "cannot be used here")):
        here = tmp_path_factory.mktemp("spoilt")
        write_toy(here)
        folder = write_toy_text(here)
        if spoil is spoil_golden:
            spoil(folder)
        archived = stored(load_scorer(here, Path("none")), with_log())
        if spoil is remove:
            spoil(folder)
        write_toy_text(here, **NEWER)
        newer = load_scorer(here, Path("none"))
        with pytest.raises(ModelNotLoaded, match=message) as refused:
            replay(newer, archived)
        assert str(here) not in refused.value.detail
        assert replay(newer, stored(newer, with_log())).result == "identical", "and the one that serves goes on"


def test_a_record_that_names_no_model_of_logs_is_not_believed(artifacts: Path, old: Archived) -> None:
    write_toy(artifacts, version="0.0.2", model=one_sexual_offence())
    newer = load_scorer(artifacts, Path("none"))
    (harm,) = newer.earlier.of("stalking-nominal")
    claims = old.answer.replace((read_by(old.answer) or "").encode(), harm.manifest_sha256.encode())
    with pytest.raises(ModelNotLoaded, match="no model of logs"):
        newer.as_read(claims)
