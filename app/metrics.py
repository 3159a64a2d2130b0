"""What the service counts, for Prometheus. Labels are closed lists: no identifier ever becomes a label.

Every number is that of one worker process; docs/monitoring.md says how several add up.
"""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("dayzero_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "dayzero_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
PROBLEMS = Counter("dayzero_problems", "Problems answered, by type", ["problem"])
TOKENS_REJECTED = Counter("dayzero_tokens_rejected", "Bearer tokens refused, by reason", ["reason"])
RATE_LIMITED = Counter("dayzero_rate_limited", "Requests over a limit: of one caller, or of one address", ["by"])
KEY_FETCHES = Counter("dayzero_provider_key_fetches", "Times the identity provider was asked for its keys", ["outcome"])
KEYS_FETCHED = Gauge("dayzero_provider_keys_timestamp_seconds", "When the provider's keys were last fetched; 0 never")
SCORES = Counter("dayzero_scores", "Scores given and recorded", ["family", "predicted_group"])
WARNINGS = Counter("dayzero_score_warnings", "Scores given with this warning", ["code"])
WITHHELD = Counter("dayzero_scores_withheld", "Scores given to be shown after a view is recorded", ["family"])
VIEWS = Counter("dayzero_views", "Officers' own views, compared with the score's flag", ["agreement", "late"])
DECISIONS = Counter("dayzero_decisions", "Human decisions, compared with the score's flag", ["relation"])
CHALLENGES = Counter("dayzero_challenges", "Challenges lodged, by ground", ["ground"])
CHALLENGE_OUTCOMES = Counter("dayzero_challenge_outcomes", "Challenges resolved, by outcome", ["outcome"])
REPLAYS = Counter("dayzero_replays", "Scores replayed, by result", ["result"])
DRIFT = Gauge("dayzero_drift_psi", "Population stability index of recent scores, by figure", ["family", "figure"])
DRIFT_LEVEL = Gauge("dayzero_drift_level", "Gravest verdict: 0 steady, 1 worth watching, 2 alarming", ["family"])
DRIFT_SCORES = Gauge("dayzero_drift_scores", "Recent scores that drift was last measured on", ["family"])
DRIFT_TIME = Gauge("dayzero_drift_timestamp_seconds", "When drift was last measured", ["family"])
EXPLAINING = Gauge("dayzero_explanations_waiting", "Scores with an explanation under way or queued")
BULK_CALLS = Gauge("dayzero_bulk_calls", "Calls of POST /score/bulk under way")
READY = Gauge("dayzero_ready", "1 when the golden cases reproduced and the store answered at the last check")
ARTEFACTS_UNSIGNED = Gauge("dayzero_artefacts_unsigned", "Loaded artefacts that no key of ours signed")
LEDGER_QUEUE = Gauge("dayzero_ledger_queue", "Records waiting for the ledger's writer")
LEDGER_SECONDS = Histogram(
    "dayzero_ledger_append_seconds",
    "From handing a record in to its being durable",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
LEDGER_BATCH = Histogram(
    "dayzero_ledger_batch_records", "Records in one commit", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
LEDGER_FAILURES = Counter("dayzero_ledger_failures", "Records that could not be appended", ["cause"])
CHECKPOINT_SIZE = Gauge(
    "dayzero_checkpoint_size", "Records covered by the newest checkpoint this worker signed or found"
)
CHECKPOINT_TIME = Gauge(
    "dayzero_checkpoint_timestamp_seconds", "When this worker last signed, or found that nothing was left to sign"
)


def count_score(family: str, group: str, warnings: Iterable[str]) -> None:
    """One more score given and recorded."""
    SCORES.labels(family, group).inc()
    for code in warnings:
        WARNINGS.labels(code).inc()
