"""Recent breaks: the last values lie far from those of a season before, but are too few to show a level shift.

The changes over a season are compared with those of the past. If the last two or more all lie on the same side, far
from the usual ones, the series may have a new level. A model cannot know whether it will last; a person may.
"""

import numpy as np

from gatewise.series import Series
from gatewise.series.wording import counted, format_date

FAR = 5.0  # robust standard deviations of the changes over a season
FEWEST, SEASONS = 2, 3  # values beyond, at least; seasons of the past, at least
NORMAL = 1.4826  # standard deviations of a normal distribution for each median absolute deviation


def recent_break(series: Series, season: int) -> str:
    """A sentence for `guesses` that names the break and the remedy; "" without one.

    >>> import pandas as pd
    >>> y = np.tile([10.0, 12.0, 15.0, 11.0], 8) + np.random.default_rng(0).normal(0, 0.1, 32)
    >>> y[-2:] += 20
    >>> print(recent_break(Series("A", pd.date_range("2020-01-01", periods=32, freq="QS"), y), 4))
    recent break: the last 2 values of series 'A' are about 20 above ...; if that lasts, use shift='2027-07-01' ...
    """
    y, filled = series.y, series.filled
    if season == 1 or len(y) < SEASONS * season + FEWEST or (filled is not None and filled[-season:].any()):
        return ""
    changes = y[season:] - y[:-season]
    past, last = changes[: -(season - 1)], changes[-(season - 1) :]
    centre = float(np.median(past))
    limit = FAR * NORMAL * float(np.median(np.abs(past - centre)))
    beyond = np.sign(last - centre) * (np.abs(last - centre) > limit)
    count = len(beyond) - int(np.flatnonzero(beyond != beyond[-1]).max(initial=-1)) - 1
    if not beyond[-1] or not FEWEST <= count < season or not limit > 0:
        return ""
    size = float(np.median(last[-count:] - centre))
    side = "above" if size > 0 else "below"
    date = format_date(series.ds[len(y) - count])
    return (
        f"recent break: the last {counted(count, 'value')} of series {str(series.unique_id)!r} are about "
        f"{abs(size):.3g} {side} those of a season before, beyond the usual change; if that lasts, use shift={date!r} "
        f"(--shift {date})"
    )
