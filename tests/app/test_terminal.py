"""A score as it is shown in a terminal, by either view and by both."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from app.cli import main
from app.harm.answers import ScoreAnswer
from app.harm.explanation_answers import BothExplanations, IncidentExplanation
from app.harm.wording import points
from app.terminal import show_score
from tests.app.harm.test_incidents import long_request


def answered(
    home: Path,
    artifacts: Path,
    explain: str,
    monkeypatch: pytest.MonkeyPatch,
    request: Mapping[str, Any] = MappingProxyType(long_request(14)),
) -> ScoreAnswer:
    """What `dayzero score` writes for one request."""
    monkeypatch.setenv("DAYZERO_HOME", str(home / "home"))
    monkeypatch.setenv("DAYZERO_ARTIFACTS", str(artifacts))
    monkeypatch.delenv("DAYZERO_DATABASE_URL", raising=False)
    (home / "request.json").write_text(json.dumps(dict(request) | {"explain": explain}))
    result = CliRunner().invoke(main, ["score", str(home / "request.json")])
    assert result.exit_code == 0, result.output
    return ScoreAnswer.model_validate_json(result.stdout)


def shown(answer: ScoreAnswer) -> str:
    out = StringIO()
    show_score(answer, Console(file=out, width=2000))
    return out.getvalue()


@pytest.mark.parametrize(
    ("explain", "views"),
    [("none", []), ("factors", ["factors"]), ("incidents", ["incidents"]), ("both", ["factors", "incidents"])],
)
def test_each_view_that_was_given_is_shown(
    tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch, explain: str, views: list[str]
) -> None:
    answer = answered(tmp_path, toy_artifacts, explain, monkeypatch)
    text = shown(answer)
    assert answer.harm.conformal is not None
    assert answer.harm.conformal.text in text
    assert [view for view in ("factors", "incidents") if f"Why, by {view}" in text] == views
    given = answer.explanation
    parts = [given.factors, given.incidents] if isinstance(given, BothExplanations) else [given] if given else []
    for part in parts:
        assert part.summary in text
        if isinstance(part, IncidentExplanation):
            assert part.what_if is not None
            assert part.what_if.statement in text
        for share in part.contributions:
            assert f"{points(share.effect)}" in text
            assert share.text in text
    for limit in {limit for part in parts for limit in part.limits}:
        assert text.count(f"• {limit}") == 1, "what both views share is said once"


def test_what_stands_beside_the_figures_is_shown(
    tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = long_request(14)
    later = str(date.fromisoformat(request["as_of"]) + timedelta(days=20))
    answer = answered(tmp_path, toy_artifacts, "none", monkeypatch, request | {"as_of": later})
    beside, rest = answer.harm.without_uncharged, answer.survival.from_as_of
    assert beside is not None
    assert rest is not None
    text = shown(answer)
    for told in (answer.history.statement, beside.statement, rest.statement):
        assert told in text
    for rate in answer.harm.base_rates or ():
        assert f"{rate:.3f}" in text


def test_an_insufficient_history_is_said_before_any_figure(
    tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = long_request(14)
    answer = answered(tmp_path, toy_artifacts, "none", monkeypatch, request | {"incidents": request["incidents"][-1:]})
    text = shown(answer)
    assert text.index(answer.history.statement) < text.index("percentile group")
    assert answer.history.statement.startswith("Insufficient history")


def test_an_incident_is_shown_with_its_id(tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(answered(tmp_path, toy_artifacts, "incidents", monkeypatch))
    lines = {line.split("points")[1].split()[0] for line in text.splitlines() if " points  " in line}
    assert lines == {*(f"i{number}" for number in range(3, 13)), "older"}
