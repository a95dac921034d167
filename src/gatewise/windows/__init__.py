"""Windows: the transforms of a series before and after a network, and its windows.

The package depends neither on tables nor on networks: arrays and tensors in, arrays and tensors out.

- `transforms`: differences and scales with their inverses.
- `views`: windows as index views over one tensor, with batches and a split in time.
"""

from gatewise.windows.transforms import Difference, Scale, normalise_windows, restore_windows
from gatewise.windows.views import Batches, Windows

__all__ = ["Batches", "Difference", "Scale", "Windows", "normalise_windows", "restore_windows"]
