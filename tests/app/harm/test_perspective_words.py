"""A victim's answer speaks of someone to protect: in every sentence, picture and table, and as easy to read as the others."""

import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.harm.answers import AuditReceipt, ScoreAnswer, ScoreBody
from app.harm.curve import curve_svg
from app.harm.explanation_answers import BothExplanations
from app.harm.explanation_picture import factors_svg, incidents_svg
from app.harm.perspective_words import WORDS, Words
from app.harm.read_aloud import answer_aloud
from app.harm.records import parse_request
from app.harm.service import Scored, Scorer, load_scorer
from app.harm.survival import survival_answer
from app.harm.targets import TARGETS
from app.terminal import show_score
from tests.app.harm.test_explanation import TODAY, random_request
from tests.app.harm.test_words import ALLOWED, FORBIDDEN, GRADE, grade, said
from tests.requests import example
from tests.toy_bundle import as_seen_by, write_toy

VICTIM = "stalking-victim"
OF_A_NOMINAL = (
    r"\b(?:nominals?|suspects?|suspected|offend\w*|accus\w*|risk\w*|custody|perpetrat\w*|criminals?(?! damage))\b"
)
# The three sentences in which a nominal is named: to say that nothing is taken from what is done about them.
MAY = ("the attention a nominal gets", "what is done about the nominal", "A victim is not accused of anything")
REASSURING = ("that this person is safe", "that someone is safe")


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> list[Scored]:
    artifacts = tmp_path_factory.mktemp("artifacts")
    write_toy(artifacts, family=VICTIM)
    scorer: Scorer = load_scorer(artifacts, Path("no imported index"))
    odd = [
        example(incidents=example()["incidents"][2:]),
        example(nominal={"nominal_id": "N"}, index_victim_contacts=None),
        example(as_of="2020-05-11"),
        example(as_of="2020-03-20", incidents=[*example()["incidents"], late()]),
    ]
    requests = [as_seen_by("victim", one) for one in [*map(random_request, range(900, 920)), *odd]]
    return [scorer.score(parse_request(one | {"explain": "both", "explain_survival": True}), TODAY) for one in requests]


def late() -> dict[str, Any]:
    return example()["incidents"][0] | {"incident_id": "late", "occurred_on": "2020-03-15"}


@pytest.fixture(scope="module")
def bodies(scored: list[Scored]) -> list[ScoreBody]:
    return [one.body("id", datetime.now(UTC)) for one in scored]


def everything(body: ScoreBody, one: Scored) -> str:
    """All that is said of one score, by whichever door."""
    assert isinstance(body.explanation, BothExplanations)
    screen = StringIO()
    receipt = AuditReceipt(sequence=1, leaf_hash="0" * 64)
    show_score(ScoreAnswer(**dict(body), audit=receipt), Console(file=screen, width=500))
    pictures = [
        curve_svg(body, survival_answer(one.curve, daily=True)),
        factors_svg(body, body.explanation.factors, TARGETS["harm"]),
        incidents_svg(body, body.explanation.incidents, TARGETS["harm"], one.case),
    ]
    model = body.model.model_dump_json()
    assert VICTIM in model
    texts = [screen.getvalue(), answer_aloud(body), body.model_dump_json(exclude={"model"}), *pictures]
    return re.sub(r"\s+", " ", " ".join(texts))


def test_nothing_is_said_of_a_victim_as_of_a_nominal(scored: list[Scored], bodies: list[ScoreBody]) -> None:
    for one, body in zip(scored, bodies, strict=True):
        text = everything(body, one)
        assert body.advisory == getattr(
            WORDS["victim"], "advisory_short" if body.history.status == "insufficient" else "advisory"
        )
        assert "someone to protect" in text
        for allowed in MAY:
            text = text.replace(allowed, "")
        assert not (found := re.findall(OF_A_NOMINAL, text, re.IGNORECASE)), found


def test_no_word_of_cause_or_certainty_about_a_victim(bodies: list[ScoreBody]) -> None:
    words = WORDS["victim"]
    texts = {answer_aloud(body) for body in bodies} | {words.advisory, words.advisory_short, *words.warnings.values()}
    for text in texts:
        for allowed in (*ALLOWED, *REASSURING):
            text = text.replace(allowed, "")  # noqa: PLW2901
        assert not (found := re.findall(rf"\b(?:{'|'.join(FORBIDDEN)})\b", text, re.IGNORECASE)), found


def test_words_on_victims_are_as_easy_to_read(bodies: list[ScoreBody]) -> None:
    grades = {kind: grade(" ".join(texts)) for kind, texts in said(bodies).items()}
    assert max(grades.values()) <= GRADE, grades


def test_whoever_has_words_of_their_own_has_all_of_them() -> None:
    """No sentence of one perspective stands in the other's column."""
    nominal, victim = WORDS["nominal"], WORDS["victim"]
    for name in Words.__dataclass_fields__:
        ours, theirs = getattr(nominal, name), getattr(victim, name)
        if isinstance(theirs, str):
            assert ours != theirs, name
    assert set(victim.statements) == {"insufficient"}
    assert len(set(nominal.always) & set(victim.always)) == 1


def test_each_day_zero_rule_is_named_in_warnings(tmp_path: Path) -> None:
    write_toy(tmp_path, family="sh-nominal")
    scorer = load_scorer(tmp_path, Path("no imported index"))
    request = example(as_of="2020-05-20", incidents=[*example()["incidents"], late()], model="sh-nominal")
    for number in range(3):
        request["incidents"][number] |= {"is_non_crime": False, "offence_code": "10501"}
    request["incidents"][1]["offence_code"] = "19594"
    messages = [
        one.message
        for one in scorer.score(parse_request(request), TODAY).body("id", datetime.now(UTC)).history.warnings
    ]
    assert sum("most recent stalking or harassment incident" in message for message in messages) == 2
    assert not any("{" in message for message in messages)
