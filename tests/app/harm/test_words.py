"""The words of many answers: they say what the figures say, name no cause, and are easy enough to read."""

import re
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import textstat

from app.harm.explanation_answers import BothExplanations, Explanation, FactorExplanation, FactorShare
from app.harm.factor_words import Standing, fact
from app.harm.oddities import WARNINGS
from app.harm.perspective_words import WORDS
from app.harm.read_aloud import answer_aloud, view_aloud
from app.harm.records import parse_request
from app.harm.service import Scorer
from app.harm.wording import moves, percent, spoken_day
from tests.app.harm.test_explanation import TODAY, random_request
from tests.requests import cases, example

# A word of cause, of guilt or of certainty in these answers would say more than the figures do.
FORBIDDEN = (
    r"caus(?:e|ed|ing)(?! harm\b)", r"because", r"due to", r"leads? to", r"led to", r"results? in", r"drives?", r"driven",
    r"triggers?", r"makes? (?:him|her|them)", r"responsible for", r"thanks to", r"owing to", r"therefore", r"will",
    r"certain(?:ly)?", r"prove[sd]? that", r"dangerous", r"guilty", r"perpetrators?", r"criminals", r"safe(?! )",
    r"low[- ]risk", r"high[- ]risk", r"no risk",
)  # fmt: skip
ALLOWED = (
    "not what causes harm",
    "no sign of low risk",
    "not low risk",
    "not a sign of low risk",
    "means that anyone is safe",
)
NOMINAL = WORDS["nominal"]
GRADE = 8.5  # for the hardest kind of sentence
KINDS = ("summary", "factors", "incidents", "limits", "warnings", "beside", "what if")


def explained(scorer: Scorer, request: dict[str, Any]) -> Any:
    wanted = parse_request(request | {"explain": "both", "explain_survival": True})
    return scorer.score(wanted, TODAY).body("id", datetime.now(UTC))


def views_of(body: Any) -> Iterator[Explanation]:
    for both in (body.explanation, body.survival_explanation):
        assert isinstance(both, BothExplanations)
        yield from (both.factors, both.incidents)


@pytest.fixture(scope="module")
def bodies(toy_scorer: Scorer) -> list[Any]:
    odd = [
        example(incidents=example()["incidents"][2:]),
        example(nominal={"nominal_id": "N"}, index_victim_contacts=None),
        example(incidents=example()["incidents"][2:], custody_dates=[], index_victim_contacts=0),
    ]
    return [explained(toy_scorer, request) for request in [*map(random_request, range(900, 920)), *odd]]


def said(bodies: list[Any]) -> dict[str, list[str]]:
    """Sentences by kind."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for body in bodies:
        found["warnings"] += [warning.message for warning in body.history.warnings]
        found["beside"] += [body.history.statement, body.harm.without_uncharged.statement]
        found["beside"] += [body.survival.from_as_of.statement] if body.survival.from_as_of else []
        found["what if"].append(body.explanation.incidents.what_if.statement)
        for view in views_of(body):
            found["summary"].append(view.summary)
            found["limits"] += view.limits
            found[view.by] += [share.text for share in view.contributions]
    return found


def test_no_word_of_cause_guilt_or_certainty(bodies: list[Any]) -> None:
    texts = {answer_aloud(body) for body in bodies} | {NOMINAL.advisory, NOMINAL.advisory_short, *WARNINGS.values()}
    for text in texts:
        plain = text
        for allowed in ALLOWED:
            plain = plain.replace(allowed, "")
        found = re.findall(rf"\b(?:{'|'.join(FORBIDDEN)})\b", plain, re.IGNORECASE)
        assert not found, found


@pytest.mark.parametrize(
    "bad", ["this will happen", "because of age", "he is safe.", "a cause of harm", "low-risk", "drives it"]
)
def test_the_list_of_words_finds_them(bad: str) -> None:
    assert re.search(rf"\b(?:{'|'.join(FORBIDDEN)})\b", bad)


def test_reading_age(bodies: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """School grades by two measures that count letters and words; five years more is the reading age.

    Measures that count syllables would fetch a dictionary from elsewhere.
    """
    monkeypatch.setattr(socket.socket, "connect", no_network)
    grades = {kind: grade(" ".join(texts)) for kind, texts in said(bodies).items()}
    assert max(grades.values()) <= GRADE, grades
    assert grade(" ".join(text for texts in said(bodies).values() for text in texts)) <= 7.5, (
        "reading age 12 or so over all"
    )
    hard = "Notwithstanding aforementioned considerations, multivariate probabilistic heterogeneity necessitates circumspection."
    assert grade(hard) > 2 * GRADE


def no_network(*_: object) -> None:
    raise AssertionError("a measure of reading age asked the network")


def grade(text: str) -> float:
    """The mean of the automated readability index and the index of Coleman and Liau; points in brackets are not read."""
    plain = re.sub(r" \([+-]?\d+\.\d points\)", "", text)
    return float(textstat.automated_readability_index(plain) + textstat.coleman_liau_index(plain)) / 2


def test_direction_size_and_points_agree_in_every_sentence(bodies: list[Any]) -> None:
    count = 0
    for body in bodies:
        for view in views_of(body):
            for share in view.contributions:
                found = re.search(r"\(([+-]?\d+\.\d) points\)", share.text)
                if found is None:
                    assert share.text.endswith("The curve does not look at this.")
                    assert share.effect == 0.0
                    continue
                shown, count = float(found[1]), count + 1
                assert shown == round(100 * share.effect, 1)
                size = "no difference" if not shown else "little difference" if abs(shown) < 0.5 else "slightly"
                size = "clearly" if abs(shown) >= 3 else size
                assert size in share.text
                if abs(shown) >= 0.5:
                    assert f"{size} {'higher' if shown > 0 else 'lower'}" in share.text
    assert count > 300


def test_summary_is_two_or_three_sentences_with_the_numbers_of_the_view(bodies: list[Any]) -> None:
    for body in bodies:
        for view in views_of(body):
            sentences = re.findall(r"[A-Z][^.]*(?:\.\d[^.]*)*\.", view.summary)
            assert 2 <= len(sentences) <= 3, view.summary
            assert percent(view.value) in sentences[0]
            assert percent(view.reference.value) in sentences[0]
            named = [share for share in view.contributions if f"{share.name} (" in view.summary]
            assert all(abs(round(100 * share.effect, 1)) >= 0.5 for share in named)
            strongest = view.contributions[0] if view.contributions else None
            if strongest is not None and abs(round(100 * strongest.effect, 1)) >= 0.5:
                assert strongest in named


FIGURES: dict[str, Callable[[FactorShare], str]] = {
    "age": lambda share: f"Aged {share.evidence['age_at_index']:.1f} years",
    "harm severity": lambda share: f"{plain(share.evidence['cumulative_harm'])} day",
    "timing": lambda share: f"is {plain(share.evidence['days_since_previous'])} day",
    "stalking pattern": lambda share: f"{of_all(share, 'stalking')} of",
    "domestic context": lambda share: f"{of_all(share, 'domestic')} of",
    "role": lambda share: (
        f"offender in {plain(share.evidence['offender'])} and as suspect in {plain(share.evidence['suspect'])} of"
    ),
    "custody": lambda share: f"{plain(share.evidence['custody_appearances'])} custody appearance",
    "victim contacts": lambda share: f"{plain(share.evidence['victim_contacts'])} times",
    "harm pattern": lambda share: percent(share.evidence["index_harm_rate"] or 0),
    "offence types": lambda share: f"{plain(share.evidence['sexual'])} sexual and",
}


def of_all(share: FactorShare, name: str) -> str:
    return "All" if share.evidence[name] == share.evidence["incidents"] else plain(share.evidence[name])


def plain(value: float | None) -> str:
    assert value is not None
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


def test_each_factor_tells_its_own_figures(bodies: list[Any]) -> None:
    told = dict.fromkeys(FIGURES, 0)
    for body in bodies[:20]:
        assert isinstance(body.explanation, BothExplanations)
        for share in body.explanation.factors.contributions:
            if share.evidence["incidents"] == 1 or 0.0 in share.evidence.values():
                continue
            if share.name == "victim contacts" and share.evidence["victim_contacts"] == 1:
                continue
            assert FIGURES[share.name](share) in share.text
            told[share.name] += 1
    assert min(told.values()) > 0, told


def test_figures_with_a_scale_say_where_they_stand(bodies: list[Any]) -> None:
    scaled = {"age", "harm severity", "harm pattern", "timing", "custody", "victim contacts"}
    for body in bodies[:20]:
        assert isinstance(body.explanation, BothExplanations)
        for share in body.explanation.factors.contributions:
            alone = share.evidence["incidents"] == 1 and share.name in {"timing", "harm pattern"}
            assert ("nominals" in share.text) == (share.name in scaled and not alone)
            assert ("population_percentile" in share.evidence) == (share.name in scaled and not alone)


@pytest.mark.parametrize("case", cases("factor_words.yaml"), ids=lambda case: case["says"][:60])
def test_facts(case: dict[str, Any]) -> None:
    place = Standing(*case["standing"]) if "standing" in case else None
    assert fact(case["name"], case["figures"], place, NOMINAL) == case["says"]


def test_read_aloud_leaves_nothing_out_and_says_limits_once(bodies: list[Any]) -> None:
    for body in bodies:
        text = answer_aloud(body)
        lines = text.splitlines()
        assert body.advisory in lines[0]
        assert spoken_day(body.day_zero) in text
        for chance in (*body.harm.population_probabilities, *body.survival.at.values()):
            assert percent(chance) in text
        assert f"- {body.history.statement}" in lines
        beside = [body.history.statement, body.harm.without_uncharged.statement]
        beside += [body.explanation.incidents.what_if.statement]
        beside += [body.survival.from_as_of.statement] if body.survival.from_as_of else []
        beside += [body.harm.conformal.text] if body.harm.conformal else []
        assert all(said in text for said in beside)
        for warning in body.history.warnings:
            assert (f"- {warning.message}" in lines) == (warning.code != "short-history")
        for view in views_of(body):
            assert sum(view.summary in line for line in lines) == 1
            assert all(share.text in text for share in view.contributions)
            assert [lines.count(f"- {limit}") for limit in view.limits] == [1] * len(view.limits)
            assert view.summary in view_aloud(view)


def test_an_answer_without_an_explanation_is_read_without_limits(toy_scorer: Scorer) -> None:
    body = toy_scorer.score(parse_request(example(explain="none")), TODAY).body("id", datetime.now(UTC))
    assert "cannot say" not in answer_aloud(body)


def test_moves_names_what_it_moves() -> None:
    assert moves(-0.02, "chance of rain") == "This is associated with a slightly lower chance of rain (-2.0 points)"


def test_unknown_figures_have_no_place(toy_scorer: Scorer) -> None:
    body = explained(toy_scorer, example(nominal={"nominal_id": "N"}, index_victim_contacts=None))
    for view in views_of(body):
        if isinstance(view, FactorExplanation):
            for share in view.contributions:
                if share.name in {"age", "victim contacts"}:
                    assert "not given" in share.text
                    assert "nominals" not in share.text
