"""Results as people read them in a terminal: groups, curve, reasons, receipt."""

import plotext
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from app.harm.answers import ScoreAnswer
from app.harm.explanation_answers import BothExplanations, Explanation, IncidentExplanation, IncidentShare, Share
from app.harm.perspective_words import WORDS
from app.harm.wording import points

_BAR = 30


def show_score(answer: ScoreAnswer, console: Console) -> None:
    """Print one score whole."""
    warnings = "\n".join(f"[yellow]•[/] {warning.message}" for warning in answer.history.warnings)
    console.print(Panel(answer.advisory, title=f"Score for day zero {answer.day_zero}", subtitle=_model(answer)))
    console.print(f"[bold yellow]The model learnt from {answer.model.learnt_from}.[/]")
    console.print(
        f"{answer.history.used} of {answer.history.received} incidents used, up to day zero; "
        f"{len(answer.history.ignored)} left out."
    )
    style = "bold yellow" if answer.history.status == "insufficient" else ""
    console.print(answer.history.statement, style=style)
    if warnings:
        console.print(warnings)
    console.print(_groups(answer))
    if answer.harm.conformal is not None:
        console.print(answer.harm.conformal.text)
    if answer.harm.without_uncharged is not None:
        console.print(answer.harm.without_uncharged.statement)
    console.print(_curve(answer), markup=False, highlight=False)
    console.print(_marks(answer))
    if answer.survival.from_as_of is not None:
        console.print(answer.survival.from_as_of.statement)
    _show_explanation(answer, console)
    console.print(f"\n[bold]Audit receipt[/] record {answer.audit.sequence}, leaf {answer.audit.leaf_hash}")


def _model(answer: ScoreAnswer) -> str:
    return f"{answer.model.family} {answer.model.version}"


def _groups(answer: ScoreAnswer) -> Table:
    words = WORDS[answer.model.perspective]
    table = Table(title=words.groups, title_justify="left")
    for heading in ("group", "at the population mix", "", f"among all {words.people}", "at the training mix"):
        table.add_column(heading, justify="left" if heading in {"group", ""} else "right")
    harm = answer.harm
    usual = ["" if harm.base_rates is None else f"{rate:.3f}" for rate in harm.base_rates or harm.groups]
    rows = zip(harm.groups, harm.population_probabilities, usual, harm.probabilities, strict=True)
    for group, population, rate, plain in rows:
        mark = " ◀ flagged" if group == harm.predicted_group else ""
        table.add_row(group, f"{population:.3f}", "█" * round(_BAR * population) + mark, rate, f"{plain:.3f}")
    return table


def _curve(answer: ScoreAnswer) -> str:
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(76, 18)
    plotext.plot(answer.survival.days, answer.survival.probability, marker="braille")
    plotext.ylim(0, 1)
    plotext.xlim(0, 365)
    plotext.yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    plotext.xticks([0, 30, 90, 180, 270, 365])
    plotext.title(f"Probability of {WORDS[answer.model.perspective].no_further}")
    plotext.xlabel("days after day zero")
    return str(plotext.uncolorize(plotext.build())).rstrip()


def _marks(answer: ScoreAnswer) -> str:
    marks = ", ".join(f"day {day}: {share:.2f}" for day, share in answer.survival.at.items())
    half = answer.survival.median_days
    return f"No further incident by {marks}." + ("" if half is None else f" One half by day {half}.")


def _show_explanation(answer: ScoreAnswer, console: Console) -> None:
    views = _views(answer)
    for view in views:
        console.print(f"\n[bold]Why, by {view.by}[/] {escape(view.summary)}")
        for found in view.contributions:
            told = f"[bold]{_label(found)}[/]  {escape(found.text)}"
            console.print(f"  {points(found.effect):>13}  {told}", soft_wrap=True)
        if isinstance(view, IncidentExplanation) and view.what_if is not None:
            console.print(f"[bold]What if an incident were found wrong?[/] {escape(view.what_if.statement)}")
    if views:
        console.print("[bold]What it cannot say[/]")
    for limit in dict.fromkeys(limit for view in views for limit in view.limits):
        console.print(f"  • {escape(limit)}", soft_wrap=True)


def _views(answer: ScoreAnswer) -> list[Explanation]:
    explanation = answer.explanation
    if isinstance(explanation, BothExplanations):
        return [explanation.factors, explanation.incidents]
    return [] if explanation is None else [explanation]


def _label(share: Share) -> str:
    """A factor by its name, an incident by its id, since its sentence begins with what it is."""
    if isinstance(share, IncidentShare):
        return share.evidence.incident_id or "older"
    return share.name
