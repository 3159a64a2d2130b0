"""The transparency record, the ALGO-CARE answers and the Covenant, each from its table of texts beside this file.

What only a force can know stands as a field marked for it; nothing is invented in its place.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.documents import Covenant, Part, Principle
from training.documents.facts import Told
from training.documents.render import told
from training.documents.words import MISSING

FOR_THE_FORCE = "for the force to fill in: "
STANDARD = "Algorithmic Transparency Recording Standard"
STANDARD_VERSION = "3.0"
NUMBERS = "Field numbers as known to this project; to be confirmed by the force against the current template before publication."
_FOLDER = Path(__file__).parent


def texts(name: str) -> dict[str, Any]:
    """One table of texts."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def atrs(facts: Told, known: Mapping[str, Any], found: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The record, both tiers: fields in order, each with what the product answers and what the force must add.

    `found` other texts than those of the models of harm, as in the two functions below.
    """
    return {
        "notice": facts.notice,
        "standard": STANDARD,
        "standard_version": STANDARD_VERSION,
        "numbers": NUMBERS,
        "manifest_sha256": facts.manifest_sha256,
        "fields": [_field(field, known) for field in (found or texts("atrs"))["field"]],
    }


def algo_care(known: Mapping[str, Any], found: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The eight letters with their questions, answers, and what the force must do."""
    return [
        {
            "name": letter["name"],
            "questions": [
                {
                    "asks": question["asks"],
                    "answer": told(question["answer"], **known),
                    "force": told(question["force"], **known),
                }
                for question in letter["question"]
            ],
        }
        for letter in (found or texts("algo_care"))["letter"]
    ]


def covenant(facts: Told, known: Mapping[str, Any], found: Mapping[str, Any] | None = None) -> Covenant:
    """The six principles and the letters of each part of the stack."""
    found = found or texts("covenant")
    return Covenant(
        notice=facts.notice,
        manifest_sha256=facts.manifest_sha256,
        principles=[_principle(one, known) for one in found["principle"]],
        parts=[
            _part(part)
            for part in found["part"]
            if part.get("second_stage") in (None, known.get("stack", {}).get("second_name"))
        ],
    )


def _field(field: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": field["number"],
        "name": field["name"],
        "tier": field["tier"],
        "model": field.get("model"),
        "answer": told(field["text"], **known) or None if "text" in field else None,
        "for_the_force": f"{FOR_THE_FORCE}{told(field['force'], **known)}" if "force" in field else None,
    }


def _principle(one: Mapping[str, Any], known: Mapping[str, Any]) -> Principle:
    measured, done, to_do = (
        [told(text, **known) for text in one[part]] for part in ("measured", "implemented_by", "for_the_force")
    )
    return Principle(
        name=one["name"],
        meaning=one["meaning"],
        implemented_by=[*done, f"Addresses: {', '.join(one['routes'])}."],
        tested_in=one["tested_in"],
        measured=[said for said in measured if MISSING not in said.lower()],
        for_the_force=to_do,
    )


def _part(part: Mapping[str, str]) -> Part:
    """Letters of one part; `second_stage` only says of which stacks it is one."""
    return Part(**{name: value for name, value in part.items() if name != "second_stage"})  # type: ignore[arg-type]
