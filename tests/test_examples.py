"""The examples in docs are those of the artefact in the repository, and of the kind they say."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from app.harm.service import load_scorer
from tests.write_examples import EXAMPLES, REQUEST, ROOT, examples


@pytest.fixture(scope="module")
def made() -> dict[Path, str]:
    return dict(examples(load_scorer(ROOT / "model_artifacts", Path("no imported index"))))


def near(value: Any) -> Any:
    """Numbers to a millionth, as for golden cases: the last bits belong to the machine."""
    if isinstance(value, dict):
        return {name: near(one) for name, one in value.items()}
    if isinstance(value, list):
        return [near(one) for one in value]
    return pytest.approx(value, abs=1e-6) if isinstance(value, float) else value


def test_examples_are_up_to_date(made: dict[Path, str]) -> None:
    requests = list(EXAMPLES.glob(f"*{REQUEST}"))
    assert len(made) == 4 * len(requests)
    assert {path.name for path in EXAMPLES.iterdir()} == {path.name for path in [*made, *requests]} | {"README.md"}
    for path, content in made.items():
        written = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            assert json.loads(written) == near(json.loads(content)), f"{path.name}: run `make examples`"
        elif path.suffix == ".md":
            assert written == content, f"{path.name}: run `make examples`"
        else:
            old, new = (list(Xml.fromstring(text).itertext()) for text in (written, content))
            assert old == new, f"{path.name}: run `make examples`"


def test_they_are_of_the_kinds_they_say(made: dict[Path, str]) -> None:
    answers = {path.name: json.loads(content) for path, content in made.items() if path.suffix == ".json"}
    roles = {
        path.name.removesuffix(REQUEST): [one["role"] for one in json.loads(path.read_text())["incidents"]]
        for path in EXAMPLES.glob(f"*{REQUEST}")
    }
    assert len(roles) == 3
    assert answers["index-only.answer.json"]["history"]["status"] == "insufficient"
    long = answers["long-domestic-history.answer.json"]["explanation"]
    assert any(share["evidence"]["incidents"] > 1 for share in long["incidents"]["contributions"])
    suspect = roles["mostly-suspect-only"]
    assert suspect.count("suspect") == len(suspect) - 1 > 4
    for answer in answers.values():
        for explanation in (answer["explanation"], answer["survival_explanation"]):
            assert explanation.keys() == {"factors", "incidents"}
