"""What the report prints for the model variants that are fitted here again, each with its place in the report."""

from typing import Any

PUBLISHED: dict[str, dict[str, Any]] = {
    "stack": {
        "source": "section 4.1, table 2",
        "nominals": 28_279,
        "nominals_by_group": [21_595, 3_932, 1_310, 1_442],
        "test_nominals": 2_591,
        "top_2_accuracy": 0.84,
        "adjusted_f1": 0.627,
        "missed_harm": 47_456.5,
        "positive_harm": 33_837.5,
        "net_harm": 13_619.0,
    },
    "no_suspects_recut": {
        "source": "appendix 9, table 11",
        "nominals": 4_501,
        "nominals_by_group": [3_788, 419, 154, 140],
        "test_nominals": 901,
        "top_2_accuracy": 0.45,
        "adjusted_f1": 0.283,
        "missed_harm": 16_294.0,
        "positive_harm": 3_593.0,
        "net_harm": 12_701.0,
    },
    "no_domestic_non_crimes": {
        "source": "appendix 10, table 12",
        "nominals": 28_279,
        "nominals_by_group": [21_595, 3_932, 1_310, 1_442],
        "test_nominals": 2_477,
        "top_2_accuracy": 0.83,
        "adjusted_f1": 0.577,
        "missed_harm": 53_296.0,
        "positive_harm": 25_645.0,
        "net_harm": 27_651.0,
    },
}
REMARKS = (
    "Appendix 9 divides 12,691 (its own net harm is 12,701) and 15,427 (section 4.1: 13,619) by all nominals, though the "
    "harm is that of test nominals only; here net harm stands per test nominal.",
    "The group counts of table 11 (30, 11 and 10 % of those above zero) show that appendix 9 cut the harm groups afresh from "
    "charged incidents, so that its highest group is another one; those of table 12 are the counts of table 2.",
)


def per_nominal(published: dict[str, Any]) -> float:
    """Printed net harm per printed test nominal, days."""
    return float(published["net_harm"] / published["test_nominals"])
