"""The table of harm days: what it says about single offences, and what its loader refuses."""

import csv
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import SetupError
from app.harm.harm_index import (
    COLUMNS,
    SHIPPED_TABLE,
    SUBGROUP_CLASSES,
    HarmIndex,
    load_harm_index,
    offence_classes,
    save_harm_index,
)

ROOT = Path(__file__).parents[3]
CASES = list(csv.DictReader((ROOT / "tests/data/offence_cases.csv").read_text(encoding="utf-8").splitlines()))
HEADER = ",".join(COLUMNS)
ROW = "00806,Assault,Violence with injury,violent,10,exact,test"


@pytest.fixture(scope="module")
def index() -> HarmIndex:
    return load_harm_index()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["code"])
def test_offence_is_what_the_code_list_says(index: HarmIndex, case: dict[str, str]) -> None:
    offence = index.lookup(case["code"])
    assert offence is not None
    assert case["name_fragment"].casefold() in offence.name.casefold()
    assert offence.subgroup == case["subgroup"]
    assert ";".join(sorted(offence.classes)) == case["classes"]
    assert offence.harm == float(case["harm_days"])
    assert offence.basis == case["basis"]
    assert offence.approximate == (case["basis"] != "exact")


@pytest.mark.parametrize("code", ["00000", "05301", "80302", "12001", "99949", "06602"])
def test_codes_outside_the_subgroups_are_left_out(index: HarmIndex, code: str) -> None:
    assert index.lookup(code) is None


def test_both_spellings_of_a_code_are_one_offence(index: HarmIndex) -> None:
    assert index.lookup("008/06") is index.lookup("00806")
    for other in ("", "806", "8/06", "008/6", "00806 ", "008-06", "008//06", "00/806"):
        assert index.lookup(other) is None


def test_classes_follow_the_subgroup_everywhere(index: HarmIndex) -> None:
    for offence in index:
        beyond = offence.classes - SUBGROUP_CLASSES.get(offence.subgroup, frozenset())
        assert SUBGROUP_CLASSES.get(offence.subgroup, frozenset()) <= offence.classes, offence.code
        assert not beyond or (offence.subgroup == "Stalking and harassment" and beyond <= {"stalking", "harassment"})


def test_stalking_and_harassment_are_exactly_these_codes(index: HarmIndex) -> None:
    by_class = {name: {o.code for o in index if name in o.classes} for name in ("stalking", "harassment")}
    assert by_class["stalking"] == {"00856", "00858", "00865", "00866", "19512"}
    assert by_class["harassment"] == {
        "00830", "00837", "00838", "00844", "00845", "00850", "00851", "12568", "19594",
    }  # fmt: skip


def test_table_knows_its_origin(index: HarmIndex) -> None:
    assert index.sha256 == hashlib.sha256(SHIPPED_TABLE.read_bytes()).hexdigest()
    assert index.edition == "cchi-2026-subgroup+wmp-2023"
    assert len(index) == len(list(index)) > 1000
    assert all(len(offence.name) <= 80 and "[" not in offence.name for offence in index)


def test_harassment_between_partners_is_stalking_too() -> None:
    assert offence_classes(["harassment"], intimate_partner=True) == {"harassment", "stalking"}
    assert offence_classes({"harassment"}, intimate_partner=False) == {"harassment"}
    assert offence_classes(("violent",), intimate_partner=True) == {"violent"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("806,Assault,Violence with injury,violent,10,exact,test", "five digits"),
        ("٠٠٨٠٦,Assault,Violence with injury,violent,10,exact,test", "five digits"),
        ("00807,,Violence with injury,violent,10,exact,test", "must not be empty"),
        ("00807,Assault,,violent,10,exact,test", "must not be empty"),
        ("00807,Assault,Violence with injury,violence,10,exact,test", "classes"),
        ("00807,Assault,Violence with injury,violent;,10,exact,test", "classes"),
        ("00807,Assault,Violence with injury,violent,-1,exact,test", "harm_days"),
        ("00807,Assault,Violence with injury,violent,nan,exact,test", "harm_days"),
        ("00807,Assault,Violence with injury,violent,inf,exact,test", "harm_days"),
        ("00807,Assault,Violence with injury,violent,5475.5,exact,test", "harm_days"),
        ("00807,Assault,Violence with injury,violent,ten,exact,test", "harm_days"),
        ("00807,Assault,Violence with injury,violent,10,guess,test", "basis"),
        ("00807,Assault,Violence with injury,violent,10,exact", "cells"),
        (ROW, "earlier row"),
        ('00807,"Assault', "well-formed"),
    ],
)
def test_unusable_rows_are_named(tmp_path: Path, row: str, reason: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"{HEADER}\n{ROW}\n\n{row}\n", encoding="utf-8")
    with pytest.raises(SetupError, match=rf"table\.csv, row 4: .*{reason}"):
        load_harm_index(table)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"code,name\n", b"PK\x03\x04\xff\xfe", f"{HEADER}\n".encode(), b"\0" * 9]
)
def test_unusable_files_are_refused(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    with pytest.raises(SetupError, match=r"table\.csv"):
        load_harm_index(table)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        load_harm_index(tmp_path / "absent.csv")


@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: f"{HEADER}\n{text}".encode("utf-8", "replace"))
)
def test_no_content_breaks_the_loader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    table = tmp_path_factory.getbasetemp() / "garbage.csv"
    table.write_bytes(content)
    try:
        loaded = load_harm_index(table)
    except SetupError:
        return
    assert all(0 <= offence.harm <= 5475 for offence in loaded)


def test_saving_gives_the_same_bytes_back(index: HarmIndex, tmp_path: Path) -> None:
    saved = save_harm_index(reversed(list(index)), tmp_path / "new" / "copy.csv")
    assert saved.sha256 == index.sha256
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["copy.csv"]


def test_excel_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{ROW}\r\n".encode())
    assert len(load_harm_index(table)) == 1
