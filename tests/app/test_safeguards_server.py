"""The people's side of a score from end to end, on a real server that is stopped and upgraded on the way."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.keys import create_keys
from tests import patient
from tests.app.test_server import dayzero, environment, headers, server
from tests.requests import example
from tests.toy_bundle import one_sexual_offence, write_toy


class Desk:
    """One caller of a server."""

    def __init__(self, address: str, bearer: dict[str, str]) -> None:
        self._address, self._bearer = address, bearer

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self._ask("POST", path, status, **({} if body is None else {"json": body}))

    def get(self, path: str, status: int = 200) -> Any:
        return self._ask("GET", path, status)

    def _ask(self, method: str, path: str, status: int, **sent: Any) -> Any:
        answer = patient.request(method, self._address + path, headers=self._bearer, **sent)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.mark.slow
def test_a_view_a_decision_a_challenge_and_a_correction(database_url: str, tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    write_toy(artifacts)
    create_keys(tmp_path)
    settings = environment(tmp_path, artifacts, database_url)
    officer = headers(settings, "score", "triage")
    overseer = headers(settings, "audit", "audit:unseal", "admin")
    with server(settings) as (address, _):
        clinic = Desk(address, officer)
        told = clinic.post("/score?reveal=after-view", example())
        where = f"/scores/{told['score_id']}"
        assert "harm" not in told
        assert clinic.get(where, 409)["type"] == "view-first"
        shown = clinic.post(f"{where}/view", {"level": "high", "reason": "He was seen at her door again."})
        assert shown["view"]["late"] is False
        first = clinic.get(where)
        assert first == shown["score"]
        decision = clinic.post(f"{where}/decisions", {"level": "high", "reason": "Held to my view."})
        challenge = clinic.post(
            f"{where}/challenges",
            {"ground": "wrong-fact", "raised_by": "data-subject", "text": "I was not at the scene of incident A."},
        )
    write_toy(artifacts, version="0.0.2", model=one_sexual_offence())
    with server(settings) as (address, _):
        clinic, auditor = Desk(address, officer), Desk(address, overseer)
        outcome = clinic.post(
            f"{where}/challenges/{challenge['challenge_id']}/outcome",
            {"outcome": "upheld", "reason": "CCTV.", "corrected": example(incidents=example()["incidents"][1:])},
        )
        second = clinic.get(f"/scores/{outcome['corrected_score_id']}")
        page = clinic.get(f"{where}/challenges")
        assert page["original"]["population_probabilities"] == first["harm"]["population_probabilities"]
        assert page["corrected"][0]["population_probabilities"] == second["harm"]["population_probabilities"]
        assert [one["model_version"] for one in (page["original"], *page["corrected"])] == ["0.0.1", "0.0.2"]
        assert page["challenges"][0]["outcome"] == outcome
        assert clinic.get(f"{where}/decisions")["decisions"] == [decision]
        for score_id in (first["score_id"], second["score_id"]):
            assert auditor.post(f"/scores/{score_id}/replay")["result"] == "identical"
        entries = auditor.get("/audit?limit=500")["entries"][::-1]
        told_events = [one["event"] for one in entries if one["event"] not in {"read", "refusal"}]
        assert told_events == ["score", "view", "decision", "challenge", "score", "challenge", "replay", "replay"]
        for receipt, event in ((challenge, "challenge"), (second, "score"), (outcome, "challenge"), (first, "score")):
            record = auditor.get(f"/audit/{receipt['audit']['sequence']}")
            assert (record["event"], record["leaf_hash"]) == (event, receipt["audit"]["leaf_hash"])
        export = auditor.post("/subject-exports", {"nominal_id": "N-104"})
        held = json.dumps(export)
        for words in ("seen at her door", "Held to my view", "not at the scene", "CCTV"):
            assert words in held
        clinic.get("/decisions/summary")
        order = {"nominal_id": "N-104", "authority": "DPO/2026/1", "reason": "subject-request"}
        assert auditor.post("/erasures", order)["records"] == 9
        for path in (where, f"{where}/decisions", f"{where}/challenges", f"/scores/{second['score_id']}"):
            assert clinic.get(path, 410)["type"] == "erased"
        assert auditor.post("/subject-exports", {"nominal_id": "N-104"})["held"] == 1
    checked = dayzero(settings, "audit", "verify", "--open")
    assert checked.returncode == 0, checked.stderr
    assert "9 erased" in checked.stdout
