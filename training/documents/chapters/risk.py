"""Relative risk by ethnicity, the report's appendix 3 computed again from its own counts."""

from training.documents.blocks import Block, Chapter, Line, Table, Words
from training.documents.chapters.common import cell
from training.documents.facts import Facts, View
from training.documents.words import amount, exact

_TABLES = {"5": "stalkers", "6": "victims of stalking"}


def chapter(facts: Facts) -> Chapter:
    """Printed beside computed, and what cannot be had from the printed counts."""
    found = facts.evaluation.under("relative_risk")
    rows = found.rows("rows")
    blocks: list[Block] = []
    if rows:
        agreeing = f"{found.at('agreeing')} of {len(rows)} rows agree with the report to the printed digits"
        said = f"{agreeing}, computed from its own counts; no extract is in this."
        lost = [
            f"{one.at('what')}: printed {one.at('printed')}, computed {one.at('computed')}; {one.at('why')}."
            for one in found.rows("not_reproduced")
        ]
        blocks = [Words([said]), _table(rows), Words([*lost, *(str(remark) for remark in found.at("remarks") or [])])]
    return Chapter("risk", "Relative risk by ethnicity", "Can the report's own table be made again?", blocks)


def _table(rows: list[View]) -> Table:
    lines: list[Line] = []
    for row in rows:
        table = str(row.at("table"))
        lines.append(
            [
                str(row.at("ethnicity")),
                _TABLES.get(table, table),
                *(cell(row.at(key), amount) for key in ("cases", "population")),
                *(cell(row.at(key), exact) for key in ("printed", "computed")),
                "yes" if row.at("agrees") else "no",
            ]
        )
    heads = ["ethnicity", "of", "on record", "population", "relative risk, printed", "computed", "agrees"]
    return Table("Appendix 3, tables 5 and 6", heads, lines, sortable=True)
