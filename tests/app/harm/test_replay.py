"""Replaying a stored score: identical to the bit, or each difference named; older versions speak for what they made."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.artifacts import MANIFEST
from app.audit.records import uuid7
from app.errors import ModelNotLoaded
from app.harm.archive import PLAIN, Archived, Terms, from_bytes, pack, to_bytes, told
from app.harm.model import DAYS
from app.harm.records import parse_request
from app.harm.replay import _compare, _compare_curves, replay
from app.harm.service import Scorer, load_scorer
from app.harm.versions import find_earlier
from tests.app.harm.test_explanation import random_request
from tests.requests import example
from tests.toy_bundle import one_sexual_offence, write_toy

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def stored(scorer: Scorer, request: dict[str, Any]) -> Archived:
    scored = scorer.score(parse_request(request), date.max)
    return from_bytes(to_bytes(pack(scored.body(uuid7(), NOW), scored)))


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    write_toy(tmp_path)
    return tmp_path


@pytest.fixture
def scorer(artifacts: Path) -> Scorer:
    return load_scorer(artifacts, Path("none"))


@pytest.mark.parametrize("explain", ["none", "factors", "incidents", "both"])
def test_a_replay_is_identical_to_the_bit(scorer: Scorer, explain: str) -> None:
    for seed in range(5):
        done = replay(scorer, stored(scorer, random_request(seed) | {"explain": explain}))
        assert (done.result, done.numbers, done.differences) == ("identical", "identical", [])
        assert done.compared > 366 + (100 if explain == "both" else 30)


def altered(archived: Archived, pointer: str, value: Any) -> Archived:
    answer = json.loads(archived.answer)
    *path, last = pointer.removeprefix("/").split("/")
    place = answer
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[int(last) if isinstance(place, list) else last] = value
    return replace(archived, answer=json.dumps(answer).encode())


PLACES = [
    "/harm/population_probabilities/3", "/harm/probabilities/0", "/survival/at/365", "/survival/probability/20",
    "/explanation/value", "/explanation/contributions/0/effect", "/explanation/reference/value",
]  # fmt: skip


@pytest.mark.parametrize("pointer", PLACES)
def test_one_bit_is_a_difference(scorer: Scorer, pointer: str) -> None:
    archived = stored(scorer, example())
    now = json.loads(archived.answer)
    for part in pointer.removeprefix("/").split("/"):
        now = now[int(part)] if isinstance(now, list) else now[part]
    for wrong, result in ((float(np.nextafter(now, 2)), "equivalent"), (now + 1e-3, "different")):
        done = replay(scorer, altered(archived, pointer, wrong))
        assert [(one.pointer, one.stored, one.replayed) for one in done.differences] == [(pointer, wrong, now)]
        assert (done.result, done.numbers) == (result, result)


def test_other_words_are_told_apart_from_other_numbers(scorer: Scorer) -> None:
    done = replay(scorer, altered(stored(scorer, example()), "/advisory", "Other words."))
    assert (done.result, done.numbers) == ("different", "identical")
    assert [one.pointer for one in done.differences] == ["/advisory"]


def test_the_whole_curve_is_compared(scorer: Scorer) -> None:
    archived = stored(scorer, example())
    curve = archived.curve.copy()
    curve[11] = np.nextafter(np.float32(curve[11]), np.float32(2))  # a day that the answer itself does not give
    done = replay(scorer, replace(archived, curve=curve))
    assert [one.pointer for one in done.differences] == ["/curve/11"]
    assert done.result == "equivalent"


def test_curves_are_compared_at_the_precision_they_are_stored_in() -> None:
    finer = np.linspace(1, 0.5, DAYS)
    assert not any(_compare_curves(finer.astype(np.float32).astype(np.float64), finer))


def test_a_field_that_came_later_is_no_difference_and_one_that_went_is(scorer: Scorer) -> None:
    archived = stored(scorer, example())
    answer = json.loads(archived.answer)
    del answer["history"]["rows"]
    older = replace(archived, answer=json.dumps(answer).encode())
    assert replay(scorer, older).result == "identical"
    newer = altered(archived, "/harm/a~b", 0.5)
    (one,) = replay(scorer, newer).differences
    assert (one.pointer, one.stored, one.replayed) == ("/harm/a~0b", 0.5, None)


leaves = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-1, 1) | st.text(max_size=3)
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


@given(trees, trees)
def test_comparing_finds_what_differs_and_nothing_else(first: Any, second: Any) -> None:
    assert not any(_compare(first, first, ""))
    assert any(_compare(first, second, "")) is not has_all_of(first, second)


def has_all_of(first: Any, second: Any) -> bool:
    """Whether the second differs from the first by further members of objects at most, or by none that are null."""
    if isinstance(first, dict) and isinstance(second, dict):
        return all(has_all_of(value, second.get(name)) for name, value in first.items())
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return all(map(has_all_of, first, second))
    return repr(first) == repr(second)


def test_terms_are_kept_and_plain_scores_stay_as_they_were(scorer: Scorer) -> None:
    archived = stored(scorer, example())
    assert archived.terms == PLAIN
    assert to_bytes(archived).count(b"\n") == 2
    terms = Terms(withheld=True, corrects=uuid7(), challenge=uuid7())
    kept = from_bytes(to_bytes(replace(archived, terms=terms)))
    assert kept.terms == terms
    assert kept.terms.about == (terms.corrects, terms.challenge)
    everything = told(to_bytes(replace(archived, terms=terms)))
    assert everything["request"]["nominal"]["nominal_id"] == archived.nominal_id == "N-104"
    assert len(everything["curve"]) == 366


# Older versions beside the one that serves


@pytest.fixture
def upgraded(artifacts: Path) -> Path:
    write_toy(artifacts, version="0.0.2", model=one_sexual_offence())
    return artifacts


def test_an_older_version_speaks_for_what_it_made(artifacts: Path, scorer: Scorer) -> None:
    old = {by: stored(scorer, example(explain=by)) for by in ("factors", "incidents", "none")}
    write_toy(artifacts, version="0.0.2", model=one_sexual_offence())
    newer = load_scorer(artifacts, Path("none"))
    assert newer.models["stalking-nominal"].bundle.manifest.version == "0.0.2"
    for archived in old.values():
        assert replay(newer, archived).result == "identical"
    digest = old["none"].body.model.manifest_sha256
    for by in ("factors", "incidents"):
        view = newer.explain_again(parse_request(json.loads(old["none"].request)), digest, by)
        assert view == old[by].body.explanation, "to the bit what it would have been then"
    fresh = stored(newer, example())
    assert json.loads(fresh.answer)["harm"] != json.loads(old["factors"].answer)["harm"]
    assert replay(newer, fresh).result == "identical"
    assert replay(newer, old["factors"]).result == "identical", "back and forth"


def test_what_is_not_there_says_so(artifacts: Path, scorer: Scorer, tmp_path_factory: pytest.TempPathFactory) -> None:
    archived = stored(scorer, example())
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write_toy(elsewhere, version="0.0.2", model=one_sexual_offence())
    with pytest.raises(ModelNotLoaded, match="no other speaks"):
        replay(load_scorer(elsewhere, Path("none")), archived)


def spoil_file(folder: Path) -> None:
    (folder / "survival.onnx").write_bytes(b"damaged")


def spoil_golden(folder: Path) -> None:
    """Golden cases that this version does not give, properly described in its manifest."""
    case = json.loads((folder / "golden.jsonl").read_text())
    case["answer"]["probabilities"] = [0.25] * 4
    (folder / "golden.jsonl").write_text(json.dumps(case))
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["golden.jsonl"] = hashlib.sha256((folder / "golden.jsonl").read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))


def another_index(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["harm_index"]["sha256"] = "0" * 64
    (folder / MANIFEST).write_text(json.dumps(manifest))


def exchange(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text() + " ")


@pytest.mark.parametrize("spoil", [spoil_file, spoil_golden, another_index])
def test_an_older_version_that_cannot_be_trusted_says_nothing(upgraded: Path, spoil: Any) -> None:
    spoil(upgraded / "stalking-nominal" / "0.0.1")
    scorer = load_scorer(upgraded, Path("none"))
    (version,) = scorer.earlier.of("stalking-nominal")
    archived = stored(scorer, example())
    claims = altered(archived, "/model/manifest_sha256", version.manifest_sha256)
    with pytest.raises(ModelNotLoaded) as refused:
        replay(scorer, claims)
    assert str(upgraded) not in refused.value.detail
    assert replay(scorer, archived).result == "identical", "and the one that serves goes on"


def test_one_exchanged_after_the_start_is_not_taken(upgraded: Path) -> None:
    scorer = load_scorer(upgraded, Path("none"))
    (version,) = scorer.earlier.of("stalking-nominal")
    exchange(version.folder)
    with pytest.raises(ModelNotLoaded, match="exchanged"):
        scorer.earlier.load(version.manifest_sha256)


def test_one_that_cannot_be_read_does_not_stop_the_start(upgraded: Path) -> None:
    write_toy(upgraded, version="0.0.0", change=lambda manifest: manifest.update(format=99))
    assert [one.manifest.version for one in find_earlier(upgraded).of("stalking-nominal")] == ["0.0.1"]


def test_older_versions_need_a_trusted_signature_too(upgraded: Path) -> None:
    (version,) = find_earlier(upgraded, trusted=[]).of("stalking-nominal")
    with pytest.raises(ModelNotLoaded, match="log says why"):
        find_earlier(upgraded, trusted=[]).load(version.manifest_sha256)
