"""Whom documents speak of: a victim's model of someone to protect, the model of stalking and harassment of all of it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.documents import MEDIA
from app.harm.subject import Subject
from tests.training.documents.artefact import evaluated
from training.documents.facts import read_facts
from training.documents.subjects import ABOUT, CASES, about
from training.documents.words import UNSAID
from training.documents.write import made, write_documents
from training.evaluation.left_out import LEFT_OUT, left_out
from training.evaluation.sections import SECTIONS
from training.evaluation.standing import UNEQUAL
from training.families import FAMILIES
from training.oracle.section import OF_VICTIMS

WRONG: dict[str, tuple[str, ...]] = {
    "stalking-nominal": (r"harm suffered", r"gravely harmed", r"cases of stalking and harassment"),
    "stalking-victim": (
        r"suspect", r"offender", r"harmful people", r"(?<!key )custody", r"the nominal's", r"\bnominals\b(?! (alone|only))",
        r"went on to (rape|murder)", r"\bposes?\b", r"dangerous", r"re-?offend", r"(?<!test_)uncharged",
        r"never charged", r"low risk", r"most harmful", r"convicted", r"accused of",
    ),
    "sh-nominal": (
        r"(?<!and )\bstalking (case|incident|suspect|report|nominal(?!s? (alone|only|, with|; ))|crime)", r"harm suffered",
        r"gravely harmed",
    ),
}  # fmt: skip
"""What must not be said of each family."""
EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9"><path/></svg>'
_ELSEWHERE = re.compile(
    r'<section id="fidelity">.*?</section>'
    r"|[^.<>]*(evaluation of (that family|stalking nominals)|(of|for) stalking nominals( only)?,?)[^.<>]*\.",
    re.DOTALL,
)
"""Reasons that name another family, and the figures of the whole force that was invented."""


def measured_as(family: str) -> Any:
    """A change that leaves of an evaluation what is measured of the family."""

    def change(measured: dict[str, Any]) -> None:
        missing = left_out(family)
        if missing:
            measured["left_out"] = dict(missing)
        for name in missing:
            measured.pop(name, None)
            measured["worlds"].pop(name, None)
            for world in measured["worlds"].values():
                world.pop(name, None)
        measured["artefact"]["family"] = family
        for world in measured["worlds"].values():
            _of_family(world, family)

    return change


def _of_family(world: dict[str, Any], family: str) -> None:
    """Texts and rows that a section of another family does not have or words otherwise, taken out."""
    if family != "stalking-nominal":
        world.get("ablations", {}).update(remarks=[])
        world.get("workload", {}).update(published=None)
        world["fairness"].pop("tried_on_fresh_forces", None)
        if "ethnicity_from_features" in world["fairness"]:
            world["fairness"]["ethnicity_from_features"]["published"] = None
    if family == "stalking-victim":
        if "oracle" in world:
            world["oracle"]["remarks"] = list(OF_VICTIMS)
        rows = world.get("ablations", {}).get("rows", [])
        rows[:] = [row for row in rows if "suspects" not in row["name"] and row["name"] != "final_roles"]
        world["fairness"]["audits"] = [one for one in world["fairness"]["audits"] if one["people"] == "everyone"]
        for one in world["fairness"]["audits"]:
            one["harm"] = "recorded"
        missed = world.get("missed_cases", {})
        missed.update(in_words=["Of 9 victims of the highest group 7 were flagged."], published=None)
        missed["histories"] = [row for row in missed.get("histories", []) if "ustody" not in row["trait"]]


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def documents(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    family = request.param
    folder = evaluated(tmp_path_factory.mktemp(family), measured_as(family), family)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("training.documents.drawings.svg", lambda _paint, **_size: EMPTY)
        write_documents(folder)
    return family, {name: (folder / name).read_text() for name in MEDIA if name != "evaluation.json"}


def test_no_wrong_word_in_any_document(documents: tuple[str, dict[str, str]]) -> None:
    family, texts = documents
    for name, text in texts.items():
        own = _ELSEWHERE.sub("", text)
        for wrong in WRONG[family]:
            found = re.search(wrong, own, re.IGNORECASE)
            assert found is None, f"{name}: ...{own[max(0, found.start() - 90) : found.end() + 60]}..."


def test_right_words_are_there(documents: tuple[str, dict[str, str]]) -> None:
    family, texts = documents
    subject = FAMILIES[family].subject
    words = about(subject)
    card, record = texts["model_card.md"], texts["atrs.md"]
    for said in (words.use, words.harm, words.false_alarm, words.miss, words.short):
        assert said in card, said
    for said in (words.means, words.in_scope, words.not_for, CASES[subject.day_zero].function):
        assert said in record, said
    assert words.people in texts["evaluation.html"]
    of_victims = [remark in texts["evaluation.html"] for remark in OF_VICTIMS]
    assert of_victims == [family == "stalking-victim"] * len(OF_VICTIMS)
    second = {part["part"] for part in json.loads(texts["covenant.json"])["parts"] if "second stage" in part["part"]}
    assert second == {"Support vector machine, second stage"}


def test_reasons_for_what_is_left_out_stand_on_the_page(documents: tuple[str, dict[str, str]]) -> None:
    family, texts = documents
    for name, reason in left_out(family).items():
        assert reason.replace("'", "&#39;") in texts["evaluation.html"], name
    if left_out(family):
        assert UNSAID not in texts["evaluation.html"]
        assert left_out(family)["zoo"] in texts["algo_care.md"]


def test_only_what_a_force_knows_is_left_to_it(documents: tuple[str, dict[str, str]]) -> None:
    family, texts = documents
    record = json.loads(texts["atrs.json"])
    owners = [field for field in record["fields"] if field["number"].startswith("2.1.")]
    assert owners
    assert all(field["answer"] is None and field["for_the_force"] for field in owners), family
    assert "{{" not in "".join(texts.values()).replace("{{ ... }}", "")


def test_every_combination_of_subject_has_its_words() -> None:
    for perspective in ABOUT:
        for day_zero in CASES:
            words = about(Subject(perspective=perspective, day_zero=day_zero))
            assert not [text for text in vars(words).values() if "{" in str(text)]
    assert "harassment" in about(Subject(perspective="victim", day_zero="stalking-and-harassment")).use


def test_every_family_says_of_known_sections_why_they_are_left_out() -> None:
    assert set(LEFT_OUT) == set(FAMILIES)
    names = {section.name for section in SECTIONS} | {UNEQUAL}
    for reasons in LEFT_OUT.values():
        assert set(reasons) <= names
        assert all(reason.endswith(".") and len(reason) > 40 for reason in reasons.values())
    assert not LEFT_OUT["stalking-nominal"]


def test_a_forest_has_its_own_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.documents.drawings.svg", lambda _paint, **_size: EMPTY)
    folder = evaluated(tmp_path, measured_as("sh-nominal"), "sh-nominal")
    facts = read_facts(folder)
    fit = {**facts.manifest.metrics["fit"], "stack": "xgboost+lstm:rf"}
    other = facts.manifest.model_copy(update={"metrics": {**facts.manifest.metrics, "fit": fit}})
    texts = made(type(facts)(other, facts.manifest_sha256, facts.evaluation))
    assert "Random forest, second stage" in texts["covenant.json"]
    assert "support vector machine" not in texts["model_card.md"]
    assert "a random forest" in texts["model_card.md"]
