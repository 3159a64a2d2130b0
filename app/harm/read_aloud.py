"""An answer in the order and words in which one person would read it to another."""

from collections.abc import Iterable

from app.harm.answers import ScoreBody
from app.harm.explanation_answers import BothExplanations, Explained, Explanation, IncidentExplanation
from app.harm.perspective_words import WORDS
from app.harm.sufficiency import SHORT_HISTORY
from app.harm.wording import percent, spoken_day

_LIMITS = "What it cannot say:"
_POINTS = "Points are percentage points."
_GROUPS = (
    "Group 90-100 is the tenth with the most recorded harm among people with any, group 0-50 the half with the least; "
    "people with none are in group 0-50."
)


def view_aloud(view: Explanation) -> str:
    """One view: the summary, each share, what it cannot say. Plain text, a paragraph a part."""
    return _paragraphs([_shares_aloud(view), _bullets(_LIMITS, view.limits)])


def answer_aloud(body: ScoreBody) -> str:
    """A whole answer, its limits once at the end. Plain text, a paragraph a part."""
    views = [*_views(body.explanation), *_views(body.survival_explanation)]
    limits = dict.fromkeys(limit for view in views for limit in view.limits)
    return _paragraphs(
        [
            body.advisory,
            _bullets("Before you read on:", _oddities(body)),
            _groups(body),
            _curve(body),
            *map(_shares_aloud, views),
            _bullets(_LIMITS, limits),
        ]
    )


def _oddities(body: ScoreBody) -> list[str]:
    """What to mind; a short history is told by its status alone, not twice."""
    others = [warning.message for warning in body.history.warnings if warning.code != SHORT_HISTORY]
    return [body.history.statement, *others]


def _views(explained: Explained) -> list[Explanation]:
    if isinstance(explained, BothExplanations):
        return [explained.factors, explained.incidents]
    return [] if explained is None else [explained]


def _groups(body: ScoreBody) -> str:
    named = zip(body.harm.groups, body.harm.population_probabilities, strict=True)
    without = f" {body.harm.without_uncharged.statement}" if body.harm.without_uncharged else ""
    left = f" {body.harm.conformal.text}" if body.harm.conformal else ""
    chances = ", ".join(f"{percent(chance)} for group {group}" for group, chance in named)
    when = f"in the 12 months after day zero ({spoken_day(body.day_zero)})"
    return (
        f"The chances of each group of harm {when}: {chances}. {_GROUPS}{left} "
        f"The flag, which weighs a missed case more than a false alarm, says group {body.harm.predicted_group}.{without}"
    )


def _curve(body: ScoreBody) -> str:
    marks = ", ".join(f"{percent(chance)} after {day} days" for day, chance in body.survival.at.items())
    rest = f" {body.survival.from_as_of.statement}" if body.survival.from_as_of else ""
    return f"The chance of {WORDS[body.model.perspective].no_further}: {marks}.{rest}"


def _shares_aloud(view: Explanation) -> str:
    named = (f"{share.name[0].upper()}{share.name[1:]}: {share.text}" for share in view.contributions)
    told = named if view.by == "factors" else (share.text for share in view.contributions)
    return _paragraphs([_bullets(f"By {view.by}. {view.summary} {_POINTS}", told), *_what_if(view)]).rstrip()


def _what_if(view: Explanation) -> list[str]:
    """Which incidents the flag hangs on, where the view says it."""
    return [view.what_if.statement] if isinstance(view, IncidentExplanation) and view.what_if is not None else []


def _bullets(first: str, lines: Iterable[str]) -> str:
    found = list(lines)
    return "\n".join([first, *(f"- {line}" for line in found)]) if found or not first.endswith(":") else ""


def _paragraphs(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
