"""Records about other records: found from each of them, by whom and of which kind, also after the index key was rotated."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.audit.contents import Contents
from app.audit.erasing import Eraser, Order
from app.audit.ledger import Ledger
from app.audit.records import uuid7
from app.audit.rotation import Rotation
from app.audit.store import Store
from app.audit.verify import verify_database
from app.errors import InvalidInput
from app.keys import Keys, load_keys
from tests.app.audit.samples import a_record, fill

ORDER = Order("N-1", "dayzero-local", "officer", "DPO/2026/14", "subject-request")


def ids(found: list) -> list[str]:
    return [entry.record_id for entry in found]


def problems(engine: Engine, keys: Keys) -> list[str]:
    return [one.what for one in verify_database(engine, contents=Contents(engine, keys, every=True)).problems]


@pytest.fixture
def linked(ledger: Ledger) -> tuple[list[str], dict[str, str]]:
    """Ids of three scores of N-0 to N-2, and of records about the second (and one about the third as well)."""
    scores = [one.record_id for one in fill(ledger, 3)]
    about = {
        "view": a_record(event="view", nominal_ids=("N-1",), about=(scores[1],)),
        "read": a_record(event="read", nominal_ids=(), about=(scores[1], scores[2])),
        "reread": a_record(event="read", nominal_ids=(), about=(scores[1],), subject="another"),
    }
    return scores, {name: ledger.submit(record).result(10).record_id for name, record in about.items()}


def test_they_are_found_from_what_they_are_about(store: Store, linked: tuple[list[str], dict[str, str]]) -> None:
    scores, about = linked
    found = store.records_about(scores)
    assert [ids(found[score]) for score in scores] == [[], list(about.values()), [about["read"]]]
    assert ids(store.records_about([scores[1]], event="read")[scores[1]]) == [about["read"], about["reread"]]
    mine = store.actor_refs("dayzero-local", "another")
    assert ids(store.records_about([scores[1]], actor_refs=mine)[scores[1]]) == [about["reread"]]
    assert store.records_about([]) == {}
    assert store.open(about["read"]).about == (scores[1], scores[2])
    assert ids(store.records_of_nominal("N-1")) == [scores[1], about["view"]]


def test_many_are_opened_in_order_and_erased_ones_said(
    ledger: Ledger, engine: Engine, keys: Keys, store: Store, linked: tuple[list[str], dict[str, str]]
) -> None:
    fill(ledger, 60)
    entries = [store.entry(sequence) for sequence in range(store.size())]
    Eraser(engine, keys).erase(ORDER)
    opened = list(store.open_all(entries))
    assert [entry for entry, _ in opened] == entries
    assert [one is None for _, one in opened] == ["N-1" in (store_ids(number)) for number in range(len(entries))]


def store_ids(number: int) -> tuple[str, ...]:
    """Whose records `linked` and then sixty more are, by their places."""
    first = ["N-0", "N-1", "N-2", "N-1", "", ""]
    return (first[number] if number < len(first) else f"N-{number - len(first)}",)


def test_an_erasure_takes_what_names_the_nominal_and_leaves_who_read(
    engine: Engine, keys: Keys, store: Store, linked: tuple[list[str], dict[str, str]]
) -> None:
    scores, about = linked
    assert Eraser(engine, keys).erase(ORDER).records == 2
    assert ids(store.records_about([scores[1]])[scores[1]]) == [about["read"], about["reread"]]
    assert store.records_of_nominal("N-1") == []
    assert problems(engine, keys) == []


def test_a_rotation_of_the_index_key_keeps_them_findable(
    tmp_path: Path, engine: Engine, keys: Keys, linked: tuple[list[str], dict[str, str]]
) -> None:
    scores, about = linked
    done = Rotation(tmp_path, engine, "dayzero-command", "operator").rotate("index")
    assert (done.changed, done.left) == (6, 0)
    now = load_keys(tmp_path, engine)
    assert ids(Store(engine, now).records_about([scores[1]])[scores[1]]) == list(about.values())
    assert problems(engine, now) == []


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM subject_index WHERE record_id = :id", "UPDATE subject_index SET tag = :tag WHERE record_id = :id"],
)
def test_tags_that_were_altered_are_found(
    engine: Engine, keys: Keys, linked: tuple[list[str], dict[str, str]], statement: str
) -> None:
    with engine.begin() as connection:
        values = {"id": linked[1]["reread"]} | ({"tag": bytes(32)} if ":tag" in statement else {})
        connection.execute(text(statement), values)
    assert problems(engine, keys) == ["the tags it is looked up by are not those of its nominal"]


def test_only_ids_of_records_can_be_named() -> None:
    a_record(about=(uuid7(),))
    with pytest.raises(InvalidInput):
        a_record(about=("N-104",))
