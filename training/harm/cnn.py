"""A convolutional network over the incidents (report, section 3.3.2 and appendix 1).

Two convolutions of three incidents each, pooled over the real incidents; beside the pooled values stands what the last
convolution says of the index incident itself (ours).
"""

import torch
from torch import Tensor, nn

from app.harm.features import FEATURES
from training.harm.network import DROPOUT, HistoryNetwork
from training.harm.population import GROUP_COUNT
from training.harm.scaling import Scaling, scaled_rows

CHANNELS = 32
WIDTH = 3


class HarmCnn(HistoryNetwork):
    """Features (N, 20, 19) -> logits of the four groups (N, 4)."""

    def __init__(self, scaling: Scaling) -> None:
        super().__init__(scaling)
        self.first = nn.Conv1d(len(FEATURES), CHANNELS, WIDTH, padding=WIDTH // 2)
        self.second = nn.Conv1d(CHANNELS, CHANNELS, WIDTH, padding=WIDTH // 2)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(2 * CHANNELS, GROUP_COUNT)

    def prepare(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scaled rows, padding zero (N, 20, 19), and which of them are real (N, 20)."""
        return scaled_rows(x, Scaling(self.mean, self.scale))

    def score(self, rows: Tensor, real: Tensor) -> Tensor:
        """Logits from what `prepare` returns. Values after a ReLU are never negative, so a zero never wins the pool."""
        mask = real[:, None]
        found = torch.relu(self.first(rows.transpose(1, 2))) * mask
        found = torch.relu(self.second(found)) * mask
        both = torch.cat([found.amax(dim=2), found[:, :, -1]], dim=1)
        return torch.as_tensor(self.head(self.dropout(both)))
