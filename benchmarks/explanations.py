"""Time and memory of each view of a score by length of history: `python -m benchmarks.explanations`.

One thread, no HTTP and no ledger: what one explanation costs beside the score. Each length is measured in a process of
its own, so that the memory told is what that length added at its highest, ONNX Runtime's included.
"""

import random
import resource
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta
from typing import Any

from app.harm.golden import check_golden
from app.harm.records import Explain, ScoreRequest, parse_request
from app.harm.service import Scorer, load_scorer
from app.settings import read_settings

LENGTHS = (1, 5, 20, 500, 2000)
# What is asked for: the views, and whether the curve is explained by them too.
VIEWS: dict[str, tuple[Explain, bool]] = {
    "none": ("none", False),
    "factors": ("factors", False),
    "incidents": ("incidents", False),
    "both": ("both", False),
    "factors, with survival": ("factors", True),
    "incidents, with survival": ("incidents", True),
    "both, with survival": ("both", True),
}
DIFFERENT = 8
ROUNDS = 3
AS_OF = date(2024, 6, 1)


def request(length: int, seed: int, explain: Explain, survival: bool = False) -> ScoreRequest:
    """A varied record of `length` incidents over up to 25 years, stalking last, a few custody appearances."""
    draw = random.Random(seed)  # noqa: S311 - made-up records, no secret
    ages = sorted((draw.randrange(3, 9000) for _ in range(length)), reverse=True)
    days = [str(AS_OF - timedelta(days=age)) for age in [*ages[:-1], 2]]
    codes = [*draw.choices(("00806", "10501", "19594", "14900", "00301", "01908"), k=length - 1), "00865"]
    incidents: list[dict[str, Any]] = [
        {
            "incident_id": f"i{number}",
            "occurred_on": on,
            "offence_code": code,
            "role": draw.choice(("suspect", "offender")),
            "is_domestic": draw.random() < 0.6,
        }
        for number, (on, code) in enumerate(zip(days, codes, strict=True))
    ]
    return parse_request(
        {
            "nominal": {"nominal_id": "N", "date_of_birth": "1975-03-04", "gender": "male"},
            "index_victim_contacts": draw.randrange(9),
            "custody_dates": draw.sample(days, min(length, 5)),
            "incidents": incidents,
            "explain": explain,
            "explain_survival": survival,
            "as_of": str(AS_OF),
        }
    )


def milliseconds(scorer: Scorer, requests: list[ScoreRequest]) -> float:
    """Median time of one score over varied requests, after one that is not counted."""
    scorer.score(requests[0], AS_OF)
    times = []
    for one in requests * ROUNDS:
        began = time.perf_counter()
        scorer.score(one, AS_OF)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def row(length: int) -> str:
    """The table row of one length."""
    settings = read_settings()
    scorer = load_scorer(settings.artifacts, settings.harm_index)
    check_golden(scorer)
    before = _peak()
    scorer.score(request(length, 99, "both", True), AS_OF)
    added = _peak() - before
    count = DIFFERENT if length < 500 else 2
    times = [milliseconds(scorer, [request(length, seed, *asked) for seed in range(count)]) for asked in VIEWS.values()]
    return f"| {length} | " + " | ".join(f"{one:.1f}" for one in times) + f" | {added:.0f} |"


def _peak() -> float:
    """Highest resident memory of this process so far, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    """Print the table, or one row of it for the length named."""
    if len(sys.argv) > 1:
        print(row(int(sys.argv[1])))
        return
    print("| incidents | " + ", ms | ".join(VIEWS) + ", ms | memory the last added at most, MiB |")
    print("|---" * (len(VIEWS) + 2) + "|", flush=True)
    for length in LENGTHS:
        subprocess.run([sys.executable, "-m", "benchmarks.explanations", str(length)], check=True)


if __name__ == "__main__":
    main()
