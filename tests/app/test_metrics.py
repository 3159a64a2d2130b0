"""What is counted: labels are closed lists, each figure moves when it should, and the alarms name figures that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from app import metrics
from app.artifacts import GROUPS
from app.harm.drift import DRIFT_WARNINGS
from app.harm.features import FEATURES
from app.harm.oddities import WARNINGS
from app.middleware import METHODS
from app.problems import CATALOGUE, INTERNAL
from app.text.manifest import FAMILY as LOGS
from app.tokens import Rejection
from app.triage.records import GROUNDS, OUTCOMES
from app.triage.service import AGREEMENTS, RELATIONS
from tests.app.service_fixtures import Client
from tests.app.test_permissions import ADDRESSES
from tests.requests import example
from training.families import FAMILIES

DOCS = Path(__file__).parents[2] / "docs"

CLOSED: dict[str, set[str]] = {
    "method": METHODS | {"other"},
    "route": ADDRESSES.keys() | {"unknown"},
    "status": {str(status) for status in range(200, 600)},
    "problem": {kind.slug for kind in [*CATALOGUE.values(), INTERNAL]},
    "reason": set(Rejection),
    "by": {"caller", "address"},
    "family": {*FAMILIES, LOGS},
    "predicted_group": set(GROUPS),
    "code": set(WARNINGS),
    "figure": {
        *FEATURES,
        "predicted_groups",
        "top_probability",
        *(f"warning {code}" for code in DRIFT_WARNINGS),
        "known_words",
        "terms",
        "inferred_scores",
        "highest_probability",
    },
    "cause": {"queue-full", "database", "unexpected"},
    "agreement": set(AGREEMENTS),
    "late": {"true", "false"},
    "relation": set(RELATIONS),
    "ground": set(GROUNDS),
    "outcome": {"fetched", "failed"} | set(OUTCOMES),
    "result": {"identical", "equivalent", "different"},
}
"""Every label there is, with all it can ever say. `family` is what the loaded artefacts are called."""

OWN = {name: found for name, found in vars(metrics).items() if hasattr(found, "_labelnames")}


def samples(client: Client) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    text = client.as_caller("prometheus", "metrics").get("/metrics").text
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def value(client: Client, name: str, **labels: str) -> float:
    return samples(client).get(name, {}).get(tuple(sorted(labels.items())), 0.0)


def test_every_label_is_a_closed_list() -> None:
    used = {label for found in OWN.values() for label in found._labelnames}
    assert used == CLOSED.keys()
    assert len(OWN) > 15


CANARY = "CANARY-7"


def send_canaries(client: Client) -> None:
    """A canary in everything a caller can choose."""
    http: Any = client.http
    named = example(nominal=example()["nominal"] | {"nominal_id": CANARY})
    named["incidents"][0]["incident_id"] = CANARY
    officer = client.as_caller(CANARY, "score", "audit")
    assert officer.score(named, Idempotency_Key=CANARY, Purpose="safeguarding").status_code == 200
    for change in ({CANARY: CANARY}, {"model": CANARY}, {"explain": CANARY}, {"purpose": CANARY}):
        assert officer.score(example(**change)).status_code == 422
    officer.score(example(), Purpose=CANARY)
    officer.score(f'{{"{CANARY}'.encode(), Content_Type=f"application/{CANARY}")
    for path in (f"/{CANARY}", f"/scores/{CANARY}", f"/scores?{CANARY}={CANARY}", f"/audit/{CANARY}", f"/models/{CANARY}",
                 f"/audit?event={CANARY}", f"/docs/{CANARY}", f"/scores/{CANARY}/survival"):  # fmt: skip
        for method in ("GET", "POST", CANARY):
            http.request(method, path, headers=officer.headers | {"User-Agent": CANARY, "X-Request-ID": CANARY})
    http.get("/scores", headers={"Authorization": f"Bearer {CANARY}.{CANARY}.{CANARY}", "Host": CANARY})
    http.get("/scores", headers={"Authorization": CANARY})


def test_no_identifier_becomes_a_label(sqlite_service: Client) -> None:
    send_canaries(sqlite_service)
    found = samples(sqlite_service)
    assert len(found) > 30
    for name, rows in found.items():
        for labels in rows:
            for label, said in labels:
                if name.startswith("dayzero_") and label != "le":
                    assert said in CLOSED[label], f"{name}{{{label}={said!r}}}"
                assert CANARY not in said


def test_problems_tokens_and_requests_are_counted(sqlite_service: Client) -> None:
    def counted() -> list[float]:
        return [
            value(sqlite_service, "dayzero_problems_total", problem="not-authenticated"),
            value(sqlite_service, "dayzero_tokens_rejected_total", reason="form"),
            value(sqlite_service, "dayzero_requests_total", method="GET", route="/scores", status="401"),
        ]

    before = counted()
    sqlite_service.http.get("/scores", headers={"Authorization": "Bearer nonsense"})
    assert [after - old for after, old in zip(counted(), before, strict=True)] == [1, 1, 1]


def test_the_ledger_is_measured(sqlite_service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def counted() -> dict[str, float]:
        names = ("dayzero_ledger_append_seconds_count", "dayzero_ledger_batch_records_count",
                 "dayzero_ledger_batch_records_sum", "dayzero_ledger_queue")  # fmt: skip
        failed = {"failed": value(sqlite_service, "dayzero_ledger_failures_total", cause="unexpected")}
        return {name: value(sqlite_service, name) for name in names} | failed

    before = counted()
    for _ in range(3):
        assert sqlite_service.score(example(explain="none")).status_code == 200
    after = counted()
    assert after["dayzero_ledger_append_seconds_count"] - before["dayzero_ledger_append_seconds_count"] == 3
    assert after["dayzero_ledger_batch_records_sum"] - before["dayzero_ledger_batch_records_sum"] == 3
    assert after["dayzero_ledger_queue"] == 0
    with monkeypatch.context() as broken:
        broken.setattr(sqlite_service.app.state.ledger._appender, "append", lambda _: 1 / 0)
        assert sqlite_service.score(example(explain="none")).status_code == 503
    assert counted()["failed"] - before["failed"] == 1


def test_checkpoints_are_measured(sqlite_service: Client) -> None:
    sqlite_service.score(example(explain="none"))
    sqlite_service.app.state.checkpoints.sign()
    assert value(sqlite_service, "dayzero_checkpoint_size") == sqlite_service.app.state.store.size()
    assert value(sqlite_service, "dayzero_checkpoint_timestamp_seconds") > 1.7e9


def names() -> set[str]:
    """Every name under which Prometheus sees something of ours, without what each histogram adds."""
    return {family.name for family in REGISTRY.collect() if family.name.startswith("dayzero_")}


def test_the_page_lists_every_figure() -> None:
    page = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    listed = {re.sub("_total$", "", name) for name in re.findall(r"^\| `(dayzero_[a-z_]+)", page, re.MULTILINE)}
    assert listed == names()


def test_the_alarms_name_figures_that_exist() -> None:
    text = (DOCS / "alerts.yaml").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    known = names()
    assert len(rules) >= 10
    page = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    for rule in rules:
        used = re.findall(r"dayzero_[a-z_]+", rule["expr"])
        assert used or "up{" in rule["expr"], rule["alert"]
        assert {re.sub("_(total|bucket|count|sum)$", "", name) for name in used} <= known, rule["alert"]
        assert set(re.findall(r"(\w+)=~?\"", rule["expr"])) - {"job"} <= CLOSED.keys()
        assert rule["annotations"]["summary"]
        assert rule["alert"] in page, f"monitoring.md does not say what to do about {rule['alert']}"
