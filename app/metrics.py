"""What the service counts, for Prometheus. Labels are closed lists: no identifier ever becomes a label."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("dayzero_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "dayzero_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
SCORES = Counter("dayzero_scores", "Scores given and recorded", ["family", "predicted_group"])
WARNINGS = Counter("dayzero_score_warnings", "Scores given with this warning", ["code"])
EXPLAINING = Gauge("dayzero_explanations_waiting", "Scores with an explanation under way or queued")
READY = Gauge("dayzero_ready", "1 when the golden cases reproduced and the store answered at the last check")
CHECKPOINT_SIZE = Gauge(
    "dayzero_checkpoint_size", "Records covered by the newest checkpoint this worker signed or found"
)
