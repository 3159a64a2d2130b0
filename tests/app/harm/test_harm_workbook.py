"""Importing the official workbook: every spelling a spreadsheet produces, nothing dropped in silence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import SetupError
from app.harm.harm_index import HarmIndex, load_harm_index
from app.harm.harm_workbook import ImportReport, import_workbook

HEADER = "Home Office Classification,FULL_OFFENCE_TITLE,CCHI_SCORE,GROUP,SUB_GROUP,SUB_SUB_GROUP,ATHENA URN"


@pytest.fixture(scope="module")
def base() -> HarmIndex:
    return load_harm_index()


@pytest.fixture
def workbook(tmp_path: Path, base: HarmIndex):
    def run(content: str | bytes, name: str = "CCHI-2026.csv") -> ImportReport:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_workbook(path, base, tmp_path / "out.csv")

    return run


def test_figures_replace_and_the_rest_stays(workbook, base: HarmIndex, tmp_path: Path) -> None:
    report = workbook(f"{HEADER}\n008/65,STALKING,252,VIOLENCE,STALKING AND HARASSMENT,,1\n")
    table = load_harm_index(tmp_path / "out.csv")
    stalking = table.lookup("00865")
    assert stalking and (stalking.harm, stalking.basis, stalking.edition) == (252, "exact", "cchi-2026-workbook")
    assert stalking.classes == {"stalking"} and stalking.name == base.lookup("00865").name
    assert table.lookup("19594") == base.lookup("19594")
    assert (report.rows, report.imported, report.added, len(report.kept)) == (1, 1, (), len(base) - 1)
    assert report.index.sha256 == table.sha256
    assert not report.unusable and not report.disagreements and not report.subgroup_differs


def test_new_codes_take_their_classes_from_the_workbook(workbook) -> None:
    report = workbook(
        f"{HEADER}\n"
        "008/90,STALKING BY DRONE,20,V,Stalking and Harassment,,\n"
        "008/91,Breach of a stalking order,5,V,Stalking and harassment,,\n"
        "008/92,New assault,30,V,VIOLENCE WITH INJURY,,\n"
        "999/98,New rape,2555,V,Rape Offences,,\n"
        "053/99,Fraud,7,F,Fraud offences,,\n"
    )
    classes = {code: set(report.index.lookup(code).classes) for code in report.added}
    assert classes == {"00890": {"stalking"}, "00891": set(), "00892": {"violent"}, "99998": {"sexual"}, "05399": set()}


@pytest.mark.parametrize(
    ("cell", "days"),
    [
        ('"1,825"', 1825),
        ("1 825", 1825),
        ("1\u00a0825", 1825),
        ('"547,5"', 547.5),
        (" 365 ", 365),
        ("0", 0),
        ("5475.0", 5475),
    ],
)
def test_scores_as_a_spreadsheet_writes_them(workbook, cell: str, days: float) -> None:
    assert workbook(f"{HEADER}\n019/08,Rape,{cell},,,,\n").index.lookup("01908").harm == days


@pytest.mark.parametrize("cell", ["", "-1", "nan", "inf", "1e3", "5476", '"12,3456"', "ten", "1.2.3", "²"])
def test_unusable_scores_are_listed_with_their_row(workbook, cell: str) -> None:
    report = workbook(f"{HEADER}\n019/08,Rape,{cell},,,,\n\n046/00,Shop,1,,,,\n")
    assert [item.row for item in report.unusable] == [2]
    assert "score" in report.unusable[0].reason
    assert report.rows == 2 and report.index.lookup("01908").harm == 2555


@pytest.mark.parametrize("cell", ["", "08-Jun", "8/6/1", "008/06A", "0806", "HO 8/6", "٠٠٨/٠٦", "008/65; 008/66"])
def test_unusable_codes_are_listed(workbook, cell: str) -> None:
    report = workbook(f"{HEADER}\n{cell},X,10,,,,\n046/00,Shop,1,,,,\n")
    assert [(item.row, item.reason) for item in report.unusable] == [(2, "not one Home Office code NNN/NN")]


@pytest.mark.parametrize("cell", ["008/06", "8/06", "8/6", "00806", "008 / 06"])
def test_spellings_of_a_code(workbook, cell: str) -> None:
    assert workbook(f"{HEADER}\n{cell},ABH,33,,,,\n").index.lookup("00806").harm == 33


def test_disagreeing_rows_give_the_median_and_are_listed(workbook) -> None:
    rows = "".join(f"008/65,STALKING,{days},,,,\n" for days in (10, 40, 252, 40))
    report = workbook(f"{HEADER}\n{rows}046/00,A,1,,,,\n046/00,B,1,,,,\n")
    assert [(item.code, item.taken) for item in report.disagreements] == [("00865", 40)]
    assert report.index.lookup("00865").basis == "code-median" and report.index.lookup("00865").approximate
    assert report.index.lookup("04600").basis == "exact"
    assert (report.rows, report.imported) == (6, 2)


def test_expired_rows_count_only_where_nothing_else_does(workbook) -> None:
    report = workbook(
        f"{HEADER}\n008/65,EXPIRED - STALKING,9,,,,\n008/65,STALKING,252,,,,\n195/12,STALKING,30,,,,EXPIRED\n"
    )
    assert report.index.lookup("00865").harm == 252
    assert report.index.lookup("19512").harm == 30
    assert report.expired_only == ("19512",)
    assert [item.row for item in report.unusable] == [2]


def test_another_subgroup_is_shown_and_the_table_kept(workbook) -> None:
    report = workbook(f"{HEADER}\n008/77,STRANGULATION,365,,Violence with injury,,\n")
    assert report.subgroup_differs == ("00877",)
    assert report.index.lookup("00877").subgroup == "Violence without injury"


def test_new_code_without_subgroup_is_listed(workbook) -> None:
    report = workbook(f"{HEADER}\n008/99,Unknown,10,,,,\n046/00,Shop,1,,,,\n")
    assert [item.row for item in report.unusable] == [2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_separators_and_title_rows(workbook, encoding: str, separator: str) -> None:
    lines = [
        "Cambridge Crime Harm Index – 2026",
        "",
        "home_office CLASSIFICATION|Full Offence Title|Cchi Score|Sub-Group",
    ]
    lines += ["149/00|Damage £5,000 or less|7|Criminal damage"]
    cells = [['"' + cell + '"' for cell in line.split("|")] for line in lines]
    report = workbook("\r\n".join(separator.join(row) for row in cells).encode(encoding))
    assert report.index.lookup("14900").harm == 7


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04\0\0binary",
        b"\x81\x8d",
        b"code,name\n1,2\n",
        HEADER.encode(),
        f"{HEADER}\nx,y,z\n".encode(),
        f'{HEADER}\n008/65,"{"x" * 200_000}",1\n'.encode(),
    ],
)
def test_nothing_usable_leaves_the_table_untouched(workbook, base: HarmIndex, tmp_path: Path, content: bytes) -> None:
    workbook(f"{HEADER}\n046/00,Shop,1,,,,\n")
    before = (tmp_path / "out.csv").read_bytes()
    with pytest.raises(SetupError):
        workbook(content)
    assert (tmp_path / "out.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CCHI-2026.csv", "out.csv"]


def test_workbook_that_is_not_there_is_refused(base: HarmIndex, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"absent\.csv"):
        import_workbook(tmp_path / "absent.csv", base, tmp_path / "out.csv")


def test_folder_that_cannot_be_written_is_refused(base: HarmIndex, tmp_path: Path) -> None:
    source = tmp_path / "book.csv"
    source.write_text(f"{HEADER}\n046/00,Shop,1,,,,\n", encoding="utf-8")
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="written"):
        import_workbook(source, base, tmp_path / "file" / "out.csv")


CELL = st.sampled_from(
    ["008/65", "008/65,x", "1,825", "-1", "nan", "", "EXPIRED", '"', "\r", "Stalking and harassment"]
) | st.text(st.characters(codec="utf-8"), max_size=12)


@given(rows=st.lists(st.lists(CELL, max_size=7), max_size=5), header=st.booleans())
def test_no_workbook_breaks_the_import(
    base: HarmIndex, tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], header: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    source, out = folder / "fuzz.csv", folder / "fuzz-out.csv"
    text = "\n".join([HEADER] * header + [",".join(row) for row in rows])
    source.write_bytes(text.encode())
    out.unlink(missing_ok=True)
    try:
        report = import_workbook(source, base, out)
    except SetupError:
        assert not out.exists()
        return
    assert load_harm_index(out).sha256 == report.index.sha256
    assert len(report.index) == len(base) + len(report.added)
