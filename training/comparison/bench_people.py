"""The test people of a bench and the stack as it is served, as a comparison sees them."""

from training.comparison.measures import People, Rival
from training.evaluation.bench import Bench
from training.harm.fit import Data
from training.harm.population import shares
from training.metrics import TOP

STACK = "stack"


def people_of(data: Data) -> People:
    """Test people of prepared data, in the order of `data.split.test`."""
    test = data.split.test
    groups = data.split.groups[test]
    return People(groups, data.labelled.future_harm[test], data.labelled.component[test], shares(groups), data.mix)


def stack_of(bench: Bench) -> Rival:
    """The stack's answers for the test people, through the graphs as served."""
    return Rival(STACK, bench.scored.predicted, bench.scored.probabilities[:, TOP])
