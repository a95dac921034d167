"""Conformal prediction: intervals and sample paths, calibrated on the errors of validation forecasts.

Letters: `h` horizon, `B` forecasts, `O` cutoffs of the validation forecasts, `K` steps of each.

Locally weighted split conformal prediction: the distance (nonconformity score) of an error e at step k is

    z = e / (s_k g_k)

where s_k is the spread of the forecast (that of the window, or a network output for each step), and g_k is the profile:
how much larger errors are k steps ahead than the spread says. The quantile of probability p of a forecast is

    forecast + G(p) s_k g_k

where G is the quantile function of the validation distances. An interval lies between two such quantiles.

profile.py      g_k: a growth k^b, corrected at each step by the errors there; non-decreasing unless there is a reason
quantiles.py    G: quantiles of signed distances, closer to symmetry the fewer there are; no single one decides
adaptive.py     levels that follow the coverage of earlier intervals, at each step
shrinkage.py    widths closer to those of a naive forecast, and of the whole past, the fewer errors there are
correlation.py  the correlation of simultaneous errors of different series
paths.py        sample paths: errors of whole validation forecasts, drawn for all series together
calibration.py  `Calibration`: all of it for one model
earlier.py      the intervals and paths of files that hold no profile
width.py        a warning about intervals that are wider than the range of the series

Errors of overlapping forecasts are dependent. For W validation steps of S series, the effective sample size n is set to
S W / 2. Quantiles are taken at (n + 1) / n times the level. Because series change over time, the coverage guarantee
holds only approximately; a backtest measures the coverage. Newer errors can replace old ones, so that intervals follow
a series that becomes calmer or more volatile (`Calibration.recalibrated`). In addition, the levels of later intervals
are adapted to the coverage of earlier ones (`Calibration.following`); before the first outcome, they are the requested
levels. Intervals, quantiles and sample paths all read them.

References: Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, Distribution-free predictive inference for regression, 2018,
section 5.2, for locally weighted distances. Romano, Patterson and Candes, Conformalized quantile regression, 2019,
section 4, for one quantile on each side. Gibbs and Candes, Adaptive conformal inference under distribution shift, 2021,
for adapted levels.
"""

from gatewise.forecast.conformal.calibration import Calibration
from gatewise.forecast.conformal.correlation import Origins
from gatewise.forecast.conformal.width import TooWide, too_wide

__all__ = ["Calibration", "Origins", "TooWide", "too_wide"]
