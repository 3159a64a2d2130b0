"""Every document of a model of logs, from what was measured."""

import tomllib
from pathlib import Path
from typing import Any

from app.documents import ALGO_CARE, ATRS, ATRS_TEXT, CARD, COVENANT, PAGE, DocumentName
from training.documents import records, render
from training.documents.blocks import Table
from training.documents.chapters import covenant
from training.documents.readers import Answer, Reader
from training.documents.words import share
from training.text.report import chapters
from training.text.report.facts import LogFacts, committee, negations_told, non_crimes_told, rivals_told, vocabulary


def made_of_logs(facts: LogFacts) -> dict[DocumentName, str]:
    """Every document but the evaluation itself, name -> text."""
    known, own = vocabulary(facts), _texts()
    record = records.atrs(facts, known, _fields(own["field"]))
    letters = records.algo_care(known, _letters(own["question"]))
    answered = records.covenant(facts, known, _covenant(own))
    measures = next((block for block in chapters.measures(facts).blocks if isinstance(block, Table)), None)
    page = [chapter(facts) for chapter in chapters.CHAPTERS]
    page += [covenant.chapter(answered), chapters.made(facts)]
    return {
        CARD: render.markdown("text_model_card.md", **known, measures=measures, limits=chapters.LIMITS),
        ATRS: render.as_json(record),
        ATRS_TEXT: render.markdown("atrs.md", record=record, manifest=facts.manifest),
        ALGO_CARE: render.markdown("algo_care.md", letters=letters, **known),
        COVENANT: render.as_json(answered.model_dump()),
        PAGE: render.page(facts=facts, chapters=page, readers=_readers(facts)),
    }


def _readers(facts: LogFacts) -> list[Reader]:
    """Who asks what first."""
    calibration = facts.evaluation.at("test.calibration.named.expected_calibration_error")
    quality = rivals_told(facts)
    return [
        Reader(
            "An ethics committee",
            [
                Answer("How often is it wrong?", committee(facts), "errors"),
                Answer(
                    "Does it understand a denial?", negations_told(facts.evaluation.under("negations")), "negations"
                ),
                Answer("What can it not do?", chapters.LIMITS[0], "limits"),
            ],
        ),
        Reader(
            "A statistician",
            [
                Answer("Is it better than something simple?", quality, "measures"),
                Answer("Are the chances calibrated?", f"Calibration error {share(calibration)}.", "calibration"),
            ],
        ),
        Reader(
            "An analyst of a force",
            [
                Answer(
                    "Does it hold on what it is for?", non_crimes_told(facts.evaluation.under("non_crimes")), "worlds"
                )
            ],
        ),
    ]


def _texts() -> dict[str, Any]:
    """What of the records is said otherwise than of a model of harm."""
    return tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))


def _fields(own: list[dict[str, str]]) -> dict[str, Any]:
    """The transparency record's fields in their order, those of our own in place of the others'; there is one model, not two."""
    by_number = {field["number"]: field for field in own}
    first = [field for field in records.texts("atrs")["field"] if field.get("model") != "B"]
    return {"field": [by_number.get(field["number"], field) for field in first]}


def _letters(own: list[dict[str, str]]) -> dict[str, Any]:
    """The eight letters, with our own answers to some of their questions."""
    by_asked = {question["asks"]: question for question in own}
    return {
        "letter": [
            {**letter, "question": [{**one, **by_asked.get(one["asks"], {})} for one in letter["question"]]}
            for letter in records.texts("algo_care")["letter"]
        ]
    }


def _covenant(own: dict[str, Any]) -> dict[str, Any]:
    """The six principles, with what is implemented and measured of ours in place of the others'; parts of our own."""
    by_name = {principle["name"]: principle for principle in own["principle"]}
    theirs = records.texts("covenant")
    ledger = [part for part in theirs["part"] if part["part"] == "Ledger"]
    principles = [{**principle, **by_name.get(principle["name"], {})} for principle in theirs["principle"]]
    return {"principle": principles, "part": [*own["part"], *ledger]}
