"""The committed table is what the sources and the rules give; the rules are read the way an analyst would."""

from pathlib import Path

import pytest

from app.errors import SetupError
from app.harm.harm_index import SHIPPED_TABLE
from training.harm_index_table import build, main, short_name

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SOURCES = {
    "codes": SHARED / "ho-offence-codes" / "ho_offence_codes.csv",
    "days": SHARED / "cchi2026-subgroup" / "cchi_2026_by_prc_subgroup.csv",
    "pairs": SHARED / "cchi2026-subgroup" / "offence_days_pairs.csv",
}


@pytest.mark.skipif(not SHARED.exists(), reason="the public sources are not beside the repository")
def test_committed_table_is_the_rebuilt_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rebuilt.csv"
    options = [part for name, path in SOURCES.items() for part in (f"--{name}", str(path))]
    assert main([*options, "--out", str(out)]) == 0
    assert "exact" in capsys.readouterr().out
    assert out.read_bytes() == SHIPPED_TABLE.read_bytes()


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    texts = {
        "codes": "ho_code,categoryDescription,subCategoryDescription\n"
        "00801,Wounding,Wound\n00806,Wounding,ABH\n00865,Stalking,Stalk\n",
        "days": "prc_subgroup,min_days,median_days,max_days\nViolence with injury,2,365,4380\nShoplifting,1,1,1\n",
        "pairs": "offence,days,exactness\nLowest,10,exact per WMP edition\nRape,1825-4745,range\n",
        "rules": "codes,subgroup,classes,figure,name,note\n008,Violence with injury,,,,\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return {name: tmp_path / f"{name}.csv" for name in texts} | {"out": tmp_path / "out.csv"}


def test_narrowest_rule_decides(sources: dict[str, Path]) -> None:
    with sources["rules"].open("a", encoding="utf-8") as rules:
        rules.write("00860-00870,Shoplifting,,,,\n00806,Violence with injury,,Lowest,Actual bodily harm,\n")
    index = build(**sources)
    assert [(o.code, o.harm, o.basis, o.edition) for o in index] == [
        ("00801", 365, "subgroup-median", "cchi-2026-subgroup"),
        ("00806", 10, "exact", "wmp-2023"),
        ("00865", 1, "exact", "cchi-2026-subgroup"),
    ]
    assert index.lookup("00806").classes == {"violent"}
    assert index.lookup("00865").classes == frozenset()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("008,Shoplifting,,,,", "same width"),
        ("00865,No such subgroup,,,,", "no figure"),
        ("00865,Shoplifting,,Rape,,", "no figure"),
        ("8/65,Shoplifting,,,,", "neither"),
    ],
)
def test_rules_that_do_not_fit_are_refused(sources: dict[str, Path], rule: str, message: str) -> None:
    with sources["rules"].open("a", encoding="utf-8") as rules:
        rules.write(f"{rule}\n")
    with pytest.raises(SetupError, match=message):
        build(**sources)
    assert not sources["out"].exists()


def test_left_out_beats_the_group(sources: dict[str, Path]) -> None:
    with sources["rules"].open("a", encoding="utf-8") as rules:
        rules.write("00865,left out,,,,\n")
    assert build(**sources).lookup("00865") is None


def test_unusable_source_is_exit_code_2(sources: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--codes", "absent.csv", "--days", str(sources["days"]), "--pairs", str(sources["pairs"])]
    with pytest.raises(SystemExit) as stopped:
        main([*options, "--out", str(sources["out"])])
    assert stopped.value.code == 2
    assert "absent.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Murder    [Use this code only if you are unable to determine which]", "Murder (unspecified)"),
        ("*Assault PC\n (Indictable).", "Assault PC (Indictable)"),
        ("By a man with another man", "Category: by a man with another man"),
    ],
)
def test_short_names(text: str, name: str) -> None:
    assert short_name(text, "Category") == name


def test_long_names_end_at_a_word() -> None:
    name = short_name("word " * 40, "Category")
    assert len(name) <= 80 and name.endswith("word…")
