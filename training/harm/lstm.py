"""An LSTM over the incidents, oldest first (report, section 3.3.2 and appendix 1).

Padding is not an incident: the network starts at a nominal's first real row, whatever the length of the history (ours).
"""

import torch
from torch import Tensor, nn

from app.harm.features import FEATURES, ROWS
from training.harm.network import DROPOUT, HistoryNetwork
from training.harm.population import GROUP_COUNT
from training.harm.scaling import Scaling, logged

# 64 units cost twice the time and learn nothing more out of fold (ours).
HIDDEN = 32


class HarmLstm(HistoryNetwork):
    """Features (N, 20, 19) -> logits of the four groups (N, 4)."""

    def __init__(self, scaling: Scaling, hidden: int = HIDDEN) -> None:
        super().__init__(scaling)
        self.lstm = nn.LSTM(len(FEATURES), hidden, batch_first=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(hidden, GROUP_COUNT)

    def prepare(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scaled rows moved to the front (N, 20, 19), and how many of them are real (N,)."""
        lengths = (x != 0).any(dim=2).sum(dim=1)
        places = (torch.arange(ROWS) - lengths[:, None]) % ROWS
        front = torch.gather(x, 1, places[:, :, None].expand_as(x))
        return (logged(front, self.multiplier) - self.mean) / self.scale, lengths

    def score(self, rows: Tensor, real: Tensor) -> Tensor:
        """Logits from what `prepare` returns: the state after the last real row, nothing known = zero state."""
        states, _ = self.lstm(rows)
        last = states[torch.arange(len(rows)), (real - 1).clamp(min=0)] * (real > 0)[:, None]
        return torch.as_tensor(self.head(self.dropout(last)))
