"""Control charts: generated sequences in six classes, a small data set for a classifier.

Letters: `N` sequences, `T` steps.
"""

import numpy as np

from gatewise.arguments import whole
from gatewise.datasets.labelled import Labelled

STEPS, LEVEL, NOISE = 60, 30.0, 2.0
CHARTS = ("normal", "cyclic", "rising", "falling", "upward shift", "downward shift")


def control_charts(each: int = 100, seed: int = 0) -> Labelled:
    """Measurements of a production process: 60 values around 30, normal or with one of five kinds of fault.

    With t = 0, ..., 59 and e uniform in [-3, 3], drawn for each value, y = 30 + 2 e and

    | class | plus | drawn for each sequence |
    |---|---|---|
    | normal | nothing | |
    | cyclic | a sin(2 pi t / p) | a, p in [10, 15] |
    | rising, falling | + g t, - g t | g in [0.2, 0.5] |
    | upward shift, downward shift | + s, - s from step k on | s in [7.5, 20], k in [20, 40] |

    Reference: the equations are those of Alcock and Manolopoulos, Time-series similarity queries employing a
    feature-based approach, 1999 (the Synthetic Control data set of the UCR archive); the values are generated here.

    Arguments:
        each: sequences of each class, 1 or more.
        seed: random seed.

    Returns:
        x (6 * each, 60, 1), y the names of the classes, in blocks of one class.

    Raises:
        ValueError: `each` is not an integer above 0.

    >>> charts = control_charts(each=2)
    >>> charts.x.shape, charts.y[::2].tolist()
    ((12, 60, 1), ['normal', 'cyclic', 'rising', 'falling', 'upward shift', 'downward shift'])
    """
    whole("each", each, 1)
    generator = np.random.RandomState(seed)  # numpy guarantees that its draws never change
    y = np.repeat(CHARTS, each)
    t = np.arange(STEPS)
    size, period, slope, shift, start = (
        generator.uniform(low, high, (len(y), 1)) for low, high in ((10, 15), (10, 15), (0.2, 0.5), (7.5, 20), (20, 40))
    )
    added = {
        "cyclic": size * np.sin(2 * np.pi * t / period),
        "rising": slope * t,
        "falling": -slope * t,
        "upward shift": shift * (t >= start),
        "downward shift": -shift * (t >= start),
    }
    x = LEVEL + NOISE * generator.uniform(-3, 3, (len(y), STEPS))
    for name, kind in added.items():
        x[y == name] += kind[y == name]
    return Labelled(x[..., None], y, "control charts")
