"""Build the table of harm days, `app/harm/harm_index.csv`.

    python -m training.harm_index_table --codes PATH --days PATH --pairs PATH --out app/harm/harm_index.csv

Sources:

- `--codes` Home Office/MoJ offence codes, `ho_offence_codes.csv` (ministryofjustice/hmpps-arns-risk-actuarial-api,
  MIT, Crown copyright): which codes there are, and the text the names are trimmed from.
- `--days` harm days by recorded-crime subgroup of the Cambridge Crime Harm Index, 2026 update (smallest, median and
  largest over the codes of the subgroup; published summary, no licence stated, figures only).
- `--pairs` figures that belong to one offence (the report, section 3.1, and the same summary).
- `offence_subgroups.csv` beside this file: our own reading of which code belongs to which subgroup, informed by the
  recorded-crime classes of the ONS hierarchy (ONSdigital/dp-hierarchy-builder, MIT). An analyst edits that file.

A code gets the figure its rule names; otherwise the figure of its subgroup where all codes of the subgroup share one
(smallest = largest, `exact`), and the median of the subgroup elsewhere (`subgroup-median`).
"""

import argparse
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import DayZeroError, SetupError
from app.harm.harm_index import EXACT, SUBGROUP_CLASSES, SUBGROUP_MEDIAN, HarmIndex, Offence, save_harm_index

RULES = Path(__file__).with_name("offence_subgroups.csv")
LEFT_OUT = "left out"
CCHI_EDITION = "cchi-2026-subgroup"
FORCE_EDITION = "wmp-2023"
NAME_LENGTH = 80

UNSPECIFIED = re.compile(r"\[\s*use this code only.*", re.IGNORECASE | re.DOTALL)
NEEDS_CATEGORY = re.compile(r"(By|With|From) ")
SHORTER: tuple[tuple[str, str], ...] = (
    (r"\(or being concerned in supplying or offering to supply\) ?", ""),
    (r"Production of or being concerned in the production of", "Producing"),
    (r"Supplying or offering to supply", "Supplying"),
    (r"Having possession of", "Possession of"),
    (r"[Oo]ffender(?: aged)? not 18 or over(?: at time of offence)?", "offender under 18"),
    (r"[Oo]ffender aged (?:18 or over|18)(?: at time of offence)?", "offender adult"),
    (r"[Oo]ffender aged under 18", "offender under 18"),
    (r"penetration of anus, vagina,? (?:or )?mouth by penis.*", "penetration"),
    (r"Racially or religiously aggravated", "Aggravated (race or religion):"),
    (r"Criminal Justice and Immigration Act 2008", "CJIA 2008"),
)


@dataclass(frozen=True)
class Rule:
    """One span of codes of a rule row; the narrowest span that holds a code decides."""

    first: int
    last: int
    subgroup: str
    classes: frozenset[str]
    figure: str
    name: str

    @property
    def width(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Figure:
    """Harm in days, and what kind of figure it is."""

    days: float
    basis: str
    edition: str


def build(codes: Path, days: Path, pairs: Path, out: Path, *, rules: Path = RULES) -> HarmIndex:
    """Write the table to `out`; SetupError where the sources and the rules do not fit together."""
    subgroups, figures, spans = _subgroup_figures(days), _offence_figures(pairs), _rules(rules)
    offences = []
    for row in _rows(codes, "ho_code"):
        rule = _decide(row["ho_code"], spans)
        if rule is None or rule.subgroup == LEFT_OUT:
            continue
        figure = (figures if rule.figure else subgroups).get(rule.figure or rule.subgroup)
        if figure is None:
            raise SetupError(f"{rules.name}: no figure for {rule.figure or rule.subgroup!r} of code {row['ho_code']}")
        name = rule.name or short_name(row["subCategoryDescription"], row["categoryDescription"])
        classes = rule.classes | SUBGROUP_CLASSES.get(rule.subgroup, frozenset())
        offences.append(
            Offence(row["ho_code"], name, rule.subgroup, classes, figure.days, figure.basis, figure.edition)
        )
    return save_harm_index(offences, out)


def short_name(text: str, category: str) -> str:
    """A name of at most 80 characters from the long text of the code list."""
    name = " ".join(UNSPECIFIED.sub("", text).split()).strip("* ").rstrip(".;,")
    if NEEDS_CATEGORY.match(name):
        name = f"{category}: {name[0].lower()}{name[1:]}"
    if UNSPECIFIED.search(text):
        name += " (unspecified)"
    if len(name) > NAME_LENGTH:
        for pattern, replacement in SHORTER:
            name = re.sub(pattern, replacement, name)
        name = name[0].upper() + name[1:]
    if len(name) > NAME_LENGTH:
        name = name[: NAME_LENGTH - 1].rsplit(" ", 1)[0].rstrip(" ,;:-(") + "…"
    return name


def _decide(code: str, spans: Sequence[Rule]) -> Rule | None:
    holding = sorted((rule for rule in spans if rule.first <= int(code) <= rule.last), key=lambda rule: rule.width)
    if len(holding) > 1 and holding[0].width == holding[1].width:
        raise SetupError(f"offence_subgroups.csv: two rules of the same width hold code {code}; drop one")
    return holding[0] if holding else None


def _rules(path: Path) -> list[Rule]:
    rules = []
    for row in _rows(path, "codes"):
        classes = frozenset(row["classes"].split(";")) - {""}
        for written in row["codes"].split():
            first, last = _span(written, path.name)
            rules.append(Rule(first, last, row["subgroup"], classes, row["figure"], row["name"]))
    return rules


def _span(written: str, table: str) -> tuple[int, int]:
    """`008` is a whole group, `00806` one code, `00813-00818` all codes from one to the other."""
    match = re.fullmatch(r"(\d{3})|(\d{5})(?:-(\d{5}))?", written)
    if match is None:
        raise SetupError(f"{table}: {written!r} is neither NNN nor NNNNN nor NNNNN-NNNNN")
    group, first, last = match.groups()
    if group:
        return int(group) * 100, int(group) * 100 + 99
    return int(first), int(last or first)


def _subgroup_figures(path: Path) -> dict[str, Figure]:
    figures = {}
    for row in _rows(path, "prc_subgroup"):
        basis = EXACT if float(row["min_days"]) == float(row["max_days"]) else SUBGROUP_MEDIAN
        figures[row["prc_subgroup"]] = Figure(float(row["median_days"]), basis, CCHI_EDITION)
    return figures


def _offence_figures(path: Path) -> dict[str, Figure]:
    """The rows of the pairs table that are one exact number; ranges and conventions stay out."""
    figures = {}
    for row in _rows(path, "offence"):
        if row["exactness"].startswith("exact"):
            edition = FORCE_EDITION if "WMP edition" in row["exactness"] else CCHI_EDITION
            figures[row["offence"]] = Figure(float(row["days"]), EXACT, edition)
    return figures


def _rows(path: Path, column: str) -> Iterable[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path.name} cannot be read as UTF-8 text") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if column not in (reader.fieldnames or ()):
        raise SetupError(f"{path.name} has no column {column}")
    return reader


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 with one line on stderr where a source is unusable."""
    parser = argparse.ArgumentParser(prog="python -m training.harm_index_table", description="build harm_index.csv")
    for source in ("codes", "days", "pairs", "out"):
        parser.add_argument(f"--{source}", type=Path, required=True)
    paths = parser.parse_args(arguments)
    try:
        index = build(paths.codes, paths.days, paths.pairs, paths.out)
    except DayZeroError as error:
        parser.exit(2, f"{error.detail}\n")
    exact = sum(not offence.approximate for offence in index)
    print(f"{len(index)} codes, {exact} exact, edition {index.edition}, sha256 {index.sha256}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
