"""Windows: a series made ready for a network, and its predictions brought back.

Tables and networks are both unknown here: arrays and tensors in, arrays and tensors out.

- `transforms`: differences and scales with their inverses.
- `views`: windows as index views over one tensor, dealt in batches and split in time.
"""

from gatewise.windows.transforms import Difference, Scale, normalise_windows, restore_windows
from gatewise.windows.views import Batches, Windows

__all__ = ["Batches", "Difference", "Scale", "Windows", "normalise_windows", "restore_windows"]
