"""Does it treat groups of people unequally, by what was recorded and by what was done?"""

from collections.abc import Sequence

from training.documents import drawings
from training.documents.blocks import Block, Cell, Chapter, Line, Picture, Table, Words
from training.documents.chapters.common import Show, cell, title, worlds
from training.documents.facts import Facts, View
from training.documents.pictures import embedded
from training.documents.subjects import About
from training.documents.words import amount, bare, figure, listed, readable, share

_FLAGS: dict[str, tuple[str, Show]] = {
    "flag_rate": ("flagged", share),
    "false_positive_rate": ("false alarms: flagged of the two lower groups", share),
    "precision": ("flagged who belong to the two highest groups", share),
    "truly_top_two": ("in the two highest groups in the end", share),
    "flagged_at_equal_harm": ("flagged more than others of equal harm", share),
    "found_to_expected": ("in the two highest groups to those the score promises (1: as promised)", figure),
}
_MISSED = "missed: two lower groups, of the highest"
_TRIALS = {
    "tried_on_dealt_attributes": "with every attribute dealt anew at random",
    "tried_on_fresh_forces": "on fresh forces in which recording treats all alike",
}
_EVERYONE, _TRUE = "everyone", "true"


def chapter(facts: Facts) -> Chapter:
    """Verdicts of every audit, rates by group with intervals, and what the audit itself is worth."""
    blocks: list[Block] = []
    for name, world in _audited(facts):
        found = world.under("fairness")
        blocks += [_verdicts(name, found, facts.about), *_by_attribute(name, found, facts.about), *_trials(name, found)]
    blocks += _from_features(facts)
    return Chapter("fairness", "Fairness", "Does it treat groups of people unequally?", blocks)


def told(facts: Facts) -> str:
    """One or two sentences: what the audit found here, and whether it catches unfairness that was planted."""
    audits = facts.here.rows("fairness.audits")
    if not audits:
        return ""
    findings = _findings(audits)
    said = (
        f"The audit finds {listed(findings)}."
        if findings
        else "The audit finds no difference beyond what chance and base rates explain."
    )
    planted = facts.world(facts.unequal_name).rows("fairness.audits")
    if planted:
        caught = _findings(planted)
        said += (
            f" Where recording was made to disadvantage one group, it finds {listed(caught)}."
            if caught
            else " Where recording was made to disadvantage one group, it does not find it."
        )
    return said


def group_tables(facts: Facts) -> list[Table]:
    """Rates by group for the model card, against the best account of harm there is."""
    found = facts.here.under("fairness")
    audit = _main(found)
    return (
        [
            _rates(readable(attribute), view, _account(audit), facts.about)
            for attribute, view in audit.items("attributes")
        ]
        if audit
        else []
    )


def _audited(facts: Facts) -> list[tuple[str, View]]:
    shown = [*worlds(facts), (title(facts.unequal_name), facts.world(facts.unequal_name))]
    return [(name, world) for name, world in shown if world.rows("fairness.audits")]


def _findings(audits: Sequence[View]) -> list[str]:
    """Every finding once, with the accounts of harm that show it."""
    by_finding: dict[str, list[str]] = {}
    for audit in audits:
        for attribute, view in audit.items("attributes"):
            for one in view.rows("findings"):
                said = f"{one.at('group')} ({readable(attribute)}) {one.at('finding')}"
                by_finding.setdefault(said, []).append(f"{audit.at('harm')} harm, {audit.at('people')}")
    return [f"{said} ({'; '.join(dict.fromkeys(by))})" for said, by in by_finding.items()]


def _main(found: View) -> View:
    """The audit of everyone, against true harm where that is known."""
    audits = [audit for audit in found.rows("audits") if audit.at("people") == _EVERYONE]
    return next((audit for audit in audits if audit.at("harm") == _TRUE), audits[0] if audits else View(None))


def _account(audit: View) -> str:
    return f"against {audit.at('harm')} harm"


def _verdicts(name: str, found: View, about: About) -> Table:
    rows: list[Line] = []
    for audit in found.rows("audits"):
        for attribute, view in audit.items("attributes"):
            findings = [
                f"{one.at('group')}: {one.at('finding')} (p = {bare(one.at('p')) or 0:.3f})"
                for one in view.rows("findings")
            ]
            people = f"{audit.at('people')}, {amount(audit.at('nominals'))}"
            rows.append(
                [
                    readable(attribute),
                    f"{audit.at('harm')} harm",
                    people,
                    str(view.at("verdict")),
                    listed(findings) or "none",
                ]
            )
    note = (
        f"A finding needs both: flagged more (or less) often than others of equal harm, and {about.is_high} less (or more) often "
        "than others of the same score; corrected for the number of questions (Holm). Recorded outcomes carry whatever bias "
        "recording has; only invented people have a true account."
    )
    return Table(f"Verdicts, {name}", ["by", "against", "people", "verdict", "findings"], rows, note=note)


def _by_attribute(name: str, found: View, about: About) -> list[Block]:
    audit = _main(found)
    blocks: list[Block] = []
    for attribute, view in audit.items("attributes"):
        if len(view.rows("flags")) > 1:
            blocks += [
                _drawn(name, attribute, found),
                _rates(f"{readable(attribute)}, {name}", view, _account(audit), about),
            ]
    return blocks


def _rates(by: str, view: View, account: str, about: About) -> Table:
    missed = {str(row.at("group")): row for row in view.rows("misses")}
    rows: list[Line] = []
    for row in view.rows("flags"):
        group = str(row.at("group"))
        people = sum(bare(count.content) or 0.0 for _, count in row.items("counts"))
        line: Line = [group, Cell(amount(people), people)]
        line += [cell(row.at(key), show) for key, (_, show) in _FLAGS.items()]
        line.append(cell(missed.get(group, View(None)).at("false_negative_rate"), share))
        rows.append(line)
    heads = ["group", about.people, *(head for head, _ in _FLAGS.values()), _MISSED]
    return Table(f"By {by}, {account}", heads, rows)


def _drawn(name: str, attribute: str, found: View) -> Picture:
    rows: dict[str, dict[str, object]] = {}
    for audit in found.rows("audits"):
        if audit.at("people") == _EVERYONE:
            view = audit.under(f"attributes.{attribute}")
            for row in view.rows("flags"):
                rows.setdefault(str(row.at("group")), {})[f"false alarms, {audit.at('harm')} harm"] = row.at(
                    "false_positive_rate"
                )
            for row in view.rows("misses"):
                rows.setdefault(str(row.at("group")), {})[f"missed, {audit.at('harm')} harm"] = row.at(
                    "false_negative_rate"
                )
    said = f"False alarms and misses by {readable(attribute)}, {name}, with 95 % intervals"
    place = f"fair-{name}-{attribute}".replace(" ", "-").replace("'", "")
    drawing = embedded(
        drawings.intervals(rows, f"By {readable(attribute)}, {name}", "Share"),
        place,
        said,
        f"{said}; the table below holds them.",
    )
    return Picture(drawing, f"{said}.")


def _trials(name: str, found: View) -> list[Block]:
    lines = []
    for part, words in _TRIALS.items():
        trials = found.under(part)
        if trials:
            lines.append(
                f"{name}: the audit itself was tried {words}: silent in {trials.at('silent')} of {trials.at('trials')} trials."
                f"{_stood_in(trials)}"
            )
    lines += [f"{name}: {remark}" for remark in found.at("remarks") or []]
    return [Words(lines)] if lines else []


def _stood_in(trials: View) -> str:
    """What was tried with another model and fewer people than the artefact's own."""
    if trials.at("model") is None:
        return ""
    return (
        f" These forces were small, {amount(trials.at('nominals'))} people each, and a quick regression stood in for the "
        "stack: what is tried is the audit, not this model."
    )


def _from_features(facts: Facts) -> list[Block]:
    found = facts.here.under("fairness.ethnicity_from_features")
    if not found:
        return []
    first, theirs = next(iter(found.rows("importance")), View(None)), found.under("published")
    printed = (
        f" The report names {readable(str(theirs.at('most_important')))} with {share(theirs.at('share'))}."
        if theirs
        else ""
    )
    said = (
        f"Can ethnicity be told from what the model sees? Judged on {amount(found.at('people'))} people a regression had not "
        f"seen, its mean AUC is {figure(found.at('macro_auc'))} (0.5: not at all); most important is "
        f"{readable(str(first.at('feature')))} with {share(first.at('share'))} of what importance there is.{printed}"
    )
    return [Words([said])]
