"""The comparison as a table that sorts, in a page of its own or inside another; it needs nothing from any network.

Sorting is done by tablesort 5.6 (MIT, `tablesort.LICENCE` beside it): column headings take the focus, Enter sorts.
Without scripts the table is simply in the order of net harm.
"""

from html import escape
from pathlib import Path
from typing import Any, NamedTuple

_FOLDER = Path(__file__).parent
_SCRIPTS = ("tablesort.min.js", "tablesort.number.min.js")
_START = "document.querySelectorAll('table.sortable').forEach(function (table) { new Tablesort(table); });"
SYNTHETIC = (
    "Measured on synthetic people: nobody in it exists. The order of the models says how the method behaves, not which "
    "model would do best on a force's own records."
)
OWN = "Measured on the extract of a force."
_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.4; }
body { margin: 1.5rem; }
.notice { border-left: .3rem solid #b45309; padding: .4rem .8rem; max-width: 70ch; font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; max-width: 90ch; padding-bottom: .6rem; }
th, td { padding: .2rem .5rem; text-align: right; border-bottom: 1px solid #8884; }
th.text, td.text { text-align: left; }
th[role=columnheader]:not([data-sort-method=none]) { cursor: pointer; text-decoration: underline dotted; }
th[aria-sort=ascending]::after { content: " \\25B2"; }
th[aria-sort=descending]::after { content: " \\25BC"; }
tr.chosen { font-weight: 700; background: #b4530922; }
"""


class Column(NamedTuple):
    """Heading; where the value stands in a row; decimals, None for text."""

    heading: str
    place: tuple[str, ...]
    decimals: int | None


_GROUPS: tuple[tuple[str, tuple[Column, ...]], ...] = (
    ("", (Column("rank", ("rank",), 0), Column("model", ("name",), None), Column("kind", ("kind",), None))),
    (
        "test mix",
        (
            Column("net harm", ("test_mix", "net"), 0),
            Column("missed", ("test_mix", "missed"), 0),
            Column("positive", ("test_mix", "positive"), 0),
            Column("adjusted F1", ("test_mix", "adjusted_f1"), 3),
            Column("top 2", ("test_mix", "top_2_accuracy"), 3),
            Column("accuracy", ("test_mix", "accuracy"), 3),
            Column("predicted 80-90", ("test_mix", "predicted_80_90"), 3),
            Column("flagged", ("test_mix", "flagged"), 3),
            Column("AUC", ("auc_top_against_lowest",), 3),
        ),
    ),
    (
        "population mix",
        (
            Column("net harm", ("population_mix", "net"), 0),
            Column("adjusted F1", ("population_mix", "adjusted_f1"), 3),
            Column("precision", ("population_mix", "precision"), 3),
            Column("flagged", ("population_mix", "flagged"), 3),
        ),
    ),
    (
        "the report",
        (
            Column("rank", ("published", "rank"), 0),
            Column("net harm", ("published", "net"), 0),
            Column("adjusted F1", ("published", "adjusted_f1"), 3),
            Column("Hamming loss", ("published", "hamming_loss"), 3),
        ),
    ),
)
_COLUMNS = tuple(column for _, columns in _GROUPS for column in columns)


def page(document: dict[str, Any], synthetic: bool) -> str:
    """The whole page for what `training.zoo.zoo.zoo` found; what it was measured on comes first."""
    notice = SYNTHETIC if synthetic else OWN
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>168 combinations of two models</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<p class="notice" role="note">{escape(notice)}</p>\n<h1>168 combinations of two models</h1>\n'
        f"{table(document)}\n<h2>Single models</h2>\n{table(document, 'singles')}\n{script()}\n</body>\n</html>\n"
    )


def table(section: dict[str, Any], part: str = "rows") -> str:
    """One table as an HTML fragment: `part` "rows" (combinations) or "singles". Sorts where `script()` stands after it."""
    chosen = section["published_choice"]
    groups = "".join(f'<th colspan="{len(columns)}" scope="colgroup">{escape(name)}</th>' for name, columns in _GROUPS)
    headings = "".join(_heading(column) for column in _COLUMNS)
    body = "\n".join(
        f"<tr{_marked(row, chosen)}>{''.join(_cell(column, row) for column in _COLUMNS)}</tr>" for row in section[part]
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="Table of models"><table class="sortable">\n'
        f"<caption>{escape(_caption(section, part))}</caption>\n<thead>\n<tr>{groups}</tr>\n"
        f'<tr data-sort-method="thead">{headings}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'
    )


def script() -> str:
    """The sorter with its licence, to stand once after the last table."""
    licence = (_FOLDER / "tablesort.LICENCE").read_text(encoding="utf-8").strip()
    parts = [(_FOLDER / name).read_text(encoding="utf-8").strip() for name in _SCRIPTS]
    return "<script>\n/*\n" + licence + "\n*/\n" + "\n".join([*parts, _START]) + "\n</script>"


def _caption(section: dict[str, Any], part: str) -> str:
    nominals = section["nominals"]
    told = (
        f"Harm in days of the Cambridge Crime Harm Index over {nominals['test']:,} test nominals; fitted on "
        f"{nominals['train']:,}. Net harm is harm missed less harm prevented by flagging too much; the lower, the better, "
        "at the same share flagged. Headings sort: click, or Enter."
    )
    if part == "rows":
        correlation = section["rank_correlation_with_published"]["net"]
        told += f" Rank correlation with the report's order: {correlation:.2f}. Bold: the report's choice."
    return told


def _heading(column: Column) -> str:
    text = column.decimals is None
    return f'<th scope="col"{" class=text" if text else " data-sort-method=number"}>{escape(column.heading)}</th>'


def _marked(row: dict[str, Any], chosen: str) -> str:
    return ' class="chosen"' if row["name"] == chosen else ""


def _cell(column: Column, row: dict[str, Any]) -> str:
    value: Any = row
    for key in column.place:
        value = value.get(key) if value is not None else None
    if value is None:
        return "<td></td>"
    if column.decimals is None:
        return f'<td class="text">{escape(str(value))}</td>'
    return f'<td data-sort="{value:.6f}">{value:,.{column.decimals}f}</td>'
