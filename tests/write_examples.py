"""Rewrite docs/examples from the requests there and the newest artefact of the repository: `make examples`."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from app.harm.explanation_answers import BothExplanations
from app.harm.explanation_picture import factors_svg, incidents_svg
from app.harm.read_aloud import answer_aloud
from app.harm.records import read_request
from app.harm.service import Scorer, load_scorer
from app.harm.targets import TARGETS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
SCORE_ID = "00000000-0000-7000-8000-00000000000{number}"
SCORED_AT = datetime(2024, 3, 5, 9, tzinfo=UTC)
REQUEST = ".request.json"


def examples(scorer: Scorer) -> Iterator[tuple[Path, str]]:
    """Every file made from a request, with its content: the answer, its words, its two pictures."""
    for number, path in enumerate(sorted(EXAMPLES.glob(f"*{REQUEST}")), start=1):
        name = path.name.removesuffix(REQUEST)
        scored = scorer.score(read_request(path.read_bytes()), date.max)
        body = scored.body(SCORE_ID.format(number=number), SCORED_AT)
        assert isinstance(body.explanation, BothExplanations), f"{path}: explain must be both"
        harm = TARGETS["harm"]
        yield EXAMPLES / f"{name}.answer.json", shortened(body.model_dump_json(indent=1))
        yield EXAMPLES / f"{name}.md", f"# {name.replace('-', ' ').capitalize()}, read aloud\n\n{answer_aloud(body)}"
        yield EXAMPLES / f"{name}.factors.svg", factors_svg(body, body.explanation.factors, harm) + "\n"
        history = incidents_svg(body, body.explanation.incidents, harm, scored.case)
        yield EXAMPLES / f"{name}.incidents.svg", history + "\n"


def shortened(text: str) -> str:
    """JSON with each list of numbers or names on one line."""
    return re.sub(r"\[[^][{}]*\]", lambda found: re.sub(r"\s*\n\s*", " ", found[0]), text) + "\n"


if __name__ == "__main__":
    for target, content in examples(load_scorer(ROOT / "model_artifacts", Path("no imported index"))):
        target.write_text(content, encoding="utf-8")
