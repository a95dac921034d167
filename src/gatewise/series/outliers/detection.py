"""Detection of outliers: values far from their neighbours and from the same step of other seasons.

A residual is the difference of a value and the median of its neighbourhood, beside the seasonal pattern. It counts as
an outlier if it exceeds what a distribution with the spread, skewness and tails of all residuals of the series yields,
and if it is clearly larger than the others:

    |r| > s z exp(h z^2 / 2)          s spread of its side, h weight of the tails, z normal quantile for n values

Reference: Bruffaerts, Verardi, Vermandele 2014, "A generalized boxplot for skewed and heavy-tailed distributions"
(tails from quantiles, by a g-and-h distribution; here a spread for each side replaces g). Series of positive values are
also searched in logarithms: the scale on which the residuals are closer to a normal distribution counts, or both.

Letters: `S` series, `N` values of all series, `k` values on each side of a window.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from gatewise.series.outliers.layout import Layout, levels, medians, seasonal
from gatewise.series.outliers.plausibility import Outliers, plausible

WINDOWS = (2, 5)  # values on each side; the larger window finds runs of up to five outliers
FEWEST = 12  # values
ALARMS = 0.001  # of series of normal values without outliers
SHORT = 24.0  # in short series, whose spread is uncertain, z is larger by this number divided by that of the values
CENTRE, FAR, FARTHER = 0.75, 0.95, 0.98  # fractions of absolute residuals; the last one in long series
LONG = 250  # values
EXTREME, MOST_EXTREME = 20.0, 0.1  # residuals larger than usual ones by this factor do not count, if they are few
MIDDLE, SIDE = 0.6745, 1.2816  # normal quantiles of 50 % (absolute), and of 90 % (one side)
SLACK = 0.03, 0.4  # subtracted from h: of normal values, and its error, divided by the root of the number of values
HEAVY, HEAVIEST = 0.2, 0.6  # h of heavy tails, and the largest
APART = 1.5  # ratio of an outlier and the largest other residual, in units of their limits
SEASONAL = 0.75  # ratio of usual residuals beside a seasonal pattern and without it, below which it is used
END = 1.5  # the first and last two values have neighbours on one side only: their limit is larger
PANEL = 0.15  # the limits of 10 series are larger by this fraction, those of 100 by twice as much
BLOCK = 25  # values in which the local spread is measured
MOST_ZEROS = 0.25  # with more, zeros are usual, and only the other values are searched
UNDECIDED = 0.15  # difference of the heaviness of two scales
JUMP, CHANGES = 1.5, 0.9  # of an outlier from the next other value, in units of this quantile of the changes
MOSTLY = 0.9  # fraction of positive values from which others are outliers of a positive series
USUALLY_CONSTANT = 0.75  # fraction of values that equal the median of their neighbourhood
RELATIVE = 0.18  # spread of usually constant values, in units of the level
NARROW = 0.001  # smallest spread, in units of the range of a series
FEW_COUNTS = 5.0  # below it, the spread of counts is at least that of a Poisson distribution
MOST_RUNS = (2, 0.02)  # of outliers, or this fraction of the values; more are usual for the series
USUAL = 3.0  # normal quantile of the usual range
REPEATED = 0.4  # size of a repetition in another season
TOLERANCE = 0.012  # shift of a repetition, in seasons
ROUNDING = 1e-9


@dataclass(frozen=True)
class _View:
    """The values on one scale, with their residuals.

    Attributes:
        usual: (N,) medians of the neighbourhoods.
        pattern: (N,) the seasonal pattern in them.
        residual: (N,).
        spread: (2, N) of negative and positive residuals.
        tails: (N,) h.
        size: (N,) absolute residuals in units of the limit.
    """

    usual: np.ndarray
    pattern: np.ndarray
    residual: np.ndarray
    spread: np.ndarray
    tails: np.ndarray
    size: np.ndarray

    def take(self, rows: np.ndarray) -> "_View":
        """The view of some values."""
        return _View(*(getattr(self, name)[..., rows] for name in self.__dataclass_fields__))

    def heaviness(self, layout: Layout) -> np.ndarray:
        """(N,) how far each series is from the same normal distribution everywhere: heavy tails, or a spread that
        depends on the level."""
        high = self.usual > layout.quantile(layout.ordered(self.usual), 0.5)[layout.codes]
        sizes = np.abs(self.residual)
        tiny = np.finfo(float).tiny
        spreads = [  # medians of the absolute residuals of high and of low values, not of 0
            np.maximum(layout.quantile(layout.ordered(np.where(part, sizes, 0.0)), 0.5, layout.count(~part)), tiny)
            for part in (high & (sizes > 0), ~high & (sizes > 0))
        ]
        ratio = np.abs(np.log(spreads[0]) - np.log(spreads[1]))
        return np.asarray(self.tails + 0.5 * np.minimum(ratio, 4.0)[layout.codes])

    def range(self) -> np.ndarray:
        """(2, N) the usual range."""
        reach = _limit(USUAL, self.tails) * self.spread
        return np.array([self.usual - reach[0], self.usual + reach[1]])


def find(
    y: np.ndarray, layout: Layout, seasons: Sequence[int], observed: np.ndarray | None = None, total: int = 1
) -> Outliers:
    """The outliers of many series.

    Arguments:
        y: (N,) finite values.
        layout: where the series lie in them.
        seasons: steps of the seasons of the calendar, the usual one first.
        observed: (N,) False for values that are filled in, which are no outliers.
        total: number of series of the panel: the limits grow with it.

    >>> noise = np.random.default_rng(0).normal(size=60)
    >>> noise[30] = 40.0
    >>> find(100 + noise, Layout(np.array([60])), [1]).rows.tolist()
    [30]
    """
    observed = np.ones(len(y), bool) if observed is None else observed
    sparse = (layout.count((y == 0) & observed) > MOST_ZEROS * layout.lengths)[layout.codes]
    limit = 1 + PANEL * np.log10(total)
    parts = [
        _search_rows(y, layout, np.flatnonzero(~sparse), seasons, observed, limit),
        _search_rows(y, layout, np.flatnonzero(sparse & (y != 0)), [1], observed, limit),
    ]
    rows, lower, upper = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(rows)
    return plausible(Outliers(rows[order], lower[order], upper[order]), y, layout, observed)


def _search_rows(
    y: np.ndarray, layout: Layout, rows: np.ndarray, seasons: Sequence[int], observed: np.ndarray, limit: float
) -> Outliers:
    """The outliers among some values, as if the others did not exist."""
    if not len(rows):
        return Outliers(rows, y[rows], y[rows])
    lengths = np.bincount(layout.codes[rows], minlength=len(layout.lengths))
    found = _search(y[rows], Layout(lengths[lengths > 0]), seasons, observed[rows], limit)
    return found._replace(rows=rows[found.rows])


def _search(y: np.ndarray, layout: Layout, seasons: Sequence[int], observed: np.ndarray, limit: float) -> Outliers:
    """The outliers of series that are not mostly zero."""
    view = _view(y, layout, seasons, _smallest_spread(y, layout), RELATIVE * np.abs(levels(y, layout, WINDOWS[-1])))
    size = np.where(observed & (layout.lengths >= FEWEST)[layout.codes], view.size, 0.0)
    positive = layout.count(y > 0) >= MOSTLY * layout.lengths
    suspects = layout.any(size > 1) | (positive & (view.tails[layout.starts] > HEAVY) & (layout.lengths >= FEWEST))
    rows = np.flatnonzero(suspects[layout.codes])
    if not len(rows):
        return Outliers(rows, y[rows], y[rows])
    y, size, observed, layout = y[rows], size[rows], observed[rows], Layout(layout.lengths[suspects])
    view = view.take(rows)
    bounds, units = view.range(), view.residual / np.where(view.residual < 0, *view.spread)
    positive = positive[suspects]
    logarithms = np.flatnonzero(positive[layout.codes])
    if len(logarithms):
        part = Layout(layout.lengths[positive])
        x = _logarithms(y[logarithms], part)
        relative = _view(x, part, seasons, np.zeros(len(x)), np.full(len(x), RELATIVE))
        weight = view.take(logarithms).heaviness(part)
        plain = (weight < HEAVY) & _are_counts(y[logarithms], part)[part.codes]
        worse = np.where(plain, np.inf, relative.heaviness(part) - weight)
        chosen, both = logarithms[worse < UNDECIDED], worse < UNDECIDED
        scaled = np.where(observed[chosen], relative.size[both], 0.0)
        alone = worse[both] < -UNDECIDED
        larger = alone | (scaled > size[chosen])  # the range of the scale on which a value is farther off
        bounds[:, chosen[larger]] = np.exp(np.clip(relative.range()[:, both][:, larger], -700, 700))
        size[chosen] = np.where(alone, scaled, np.sqrt(scaled * size[chosen]))
    found = [
        start + _standing_apart(size[start : start + n] / limit, units[start : start + n], seasons)
        for start, n in zip(layout.starts.tolist(), layout.lengths.tolist(), strict=True)
    ]
    at = np.concatenate(found)
    return Outliers(rows[at], *bounds[:, at])


# --------------------------------------------------------------------------------------------------------- residuals


def _view(
    x: np.ndarray, layout: Layout, seasons: Sequence[int], smallest: np.ndarray, if_constant: np.ndarray
) -> _View:
    """The residuals from medians of small and of larger neighbourhoods, whichever is the larger one."""
    pattern, level = _pattern(x, layout, seasons)
    apart = x - pattern
    small, large = (
        _standardized(x, pattern + medians(apart, layout, k, known), pattern, layout, smallest, if_constant)
        for k, known in zip(WINDOWS, (None, level), strict=True)
    )
    larger = small.size > large.size
    view = _View(*(np.where(larger, getattr(small, f), getattr(large, f)) for f in _View.__dataclass_fields__))
    jumps = _jumps(x - view.pattern, layout, view.size > 1)
    near_end = np.minimum(layout.steps, layout.back) < WINDOWS[0]
    size = np.where(near_end, view.size / END, view.size)
    return replace(view, size=np.where(jumps, size, np.minimum(size, 1.0)))


def _jumps(x: np.ndarray, layout: Layout, marked: np.ndarray) -> np.ndarray:
    """(N,) whether each value differs from the next unmarked ones on both sides by more than usual changes."""
    at = np.arange(len(x))
    change = np.abs(x - x[at - np.minimum(layout.steps, 1)])
    large = JUMP * layout.quantile(layout.ordered(change), CHANGES)[layout.codes]
    before = np.maximum.accumulate(np.where(marked, -1, at))
    after = np.minimum.accumulate(np.where(marked, len(x), at)[::-1])[::-1]
    first, last = layout.starts[layout.codes], (layout.starts + layout.lengths - 1)[layout.codes]
    result = np.ones(len(x), bool)
    for near, inside in ((before, before >= first), (after, after <= last)):
        result &= ~inside | (np.abs(x - x[np.where(inside, near, at)]) > large)
    return result


def _pattern(x: np.ndarray, layout: Layout, seasons: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """(N,) the seasonal pattern beside which the residuals are smallest, 0 for none; and the medians without it."""
    pattern, level = np.zeros(len(x)), levels(x, layout, WINDOWS[-1])
    best = _sizes(x - level, layout)
    for season in (season for season in seasons if season > 1):
        other = seasonal(x, layout, season)
        rest = levels(x - other, layout, WINDOWS[-1])
        sizes = _sizes(x - other - rest, layout)
        better = (sizes < SEASONAL * best)[layout.codes]
        pattern, level = np.where(better, other, pattern), np.where(better, rest, level)
        best = np.where(sizes < SEASONAL * best, sizes, best)
    return pattern, level


def _sizes(residual: np.ndarray, layout: Layout) -> np.ndarray:
    """(S,) the size of usual residuals."""
    ordered = layout.ordered(np.abs(residual))
    return np.asarray(layout.quantile(ordered, 0.5) + layout.quantile(ordered, 0.9))


def _standardized(
    x: np.ndarray,
    usual: np.ndarray,
    pattern: np.ndarray,
    layout: Layout,
    smallest: np.ndarray,
    if_constant: np.ndarray,
) -> _View:
    """The view with these medians. Residuals of 0 are left out, because a median is often the value itself."""
    residual = x - usual
    sizes = np.abs(residual)
    zeros = layout.count(sizes <= ROUNDING * np.abs(x))
    middle = layout.quantile(layout.ordered(sizes), 0.5, zeros) / MIDDLE
    constant = (zeros > USUALLY_CONSTANT * layout.lengths)[layout.codes]
    floor = np.where(constant, np.maximum(smallest, if_constant), smallest)
    unit = np.maximum(np.where(constant, 0.0, middle[layout.codes]), floor)
    smallest_unit = ROUNDING * np.maximum(np.abs(usual), np.abs(x)) + np.finfo(float).tiny
    unit = np.maximum(np.maximum(unit, _local_spread(sizes, layout)), smallest_unit)
    relative = residual / unit
    ordered = layout.ordered(np.abs(relative))
    h = np.where(constant[layout.starts], 0.0, _tails(ordered, layout, zeros))
    half = np.maximum(layout.quantile(ordered, CENTRE, zeros), ROUNDING)
    ordered = layout.ordered(relative)
    both = np.maximum(0.7 * half / _limit(_normal(CENTRE), h), 0.75)
    sides = np.array([-layout.quantile(ordered, 0.1), layout.quantile(ordered, 0.9)])
    spread = np.maximum(sides / _limit(SIDE, h), both)[:, layout.codes] * unit
    z = np.array([NormalDist().inv_cdf(1 - ALARMS / (4 * n)) + SHORT / n for n in layout.lengths.tolist()])
    size = sizes / np.where(residual < 0, *spread) / _limit(z, h)[layout.codes]
    return _View(usual, pattern, residual, spread, h[layout.codes], size)


def _tails(ordered: np.ndarray, layout: Layout, zeros: np.ndarray) -> np.ndarray:
    """(S,) h, from two quantiles of the absolute residuals."""
    near = np.maximum(layout.quantile(ordered, CENTRE, zeros), ROUNDING)
    apart = layout.count(ordered > EXTREME * near[layout.codes])
    apart = np.where(apart <= MOST_EXTREME * layout.lengths, apart, 0)
    result = np.zeros(len(near))
    for fraction, rows in ((FAR, layout.lengths < LONG), (FARTHER, layout.lengths >= LONG)):
        a, b = _normal(CENTRE), _normal(fraction)
        far = layout.quantile(ordered, fraction, zeros, apart)
        h = 2 * np.log(np.maximum(far / near * a / b, 1)) / (b * b - a * a)
        result[rows] = h[rows]
    return np.asarray(np.clip(result - SLACK[0] - SLACK[1] / np.sqrt(layout.lengths), 0, HEAVIEST))


def _normal(fraction: float) -> float:
    """The normal quantile of a fraction of absolute values."""
    return NormalDist().inv_cdf((1 + fraction) / 2)


def _limit(z: np.ndarray | float, h: np.ndarray) -> np.ndarray:
    return np.asarray(z * np.exp(h * np.square(z) / 2))


def _smallest_spread(y: np.ndarray, layout: Layout) -> np.ndarray:
    """(N,) the smallest spread: of narrow noise beside a wide range, of whole numbers, and of small counts."""
    ordered = layout.ordered(y)
    floor = NARROW * (layout.quantile(ordered, 0.95) - layout.quantile(ordered, 0.05))
    whole, counts = ~layout.any(y != np.rint(y)), _are_counts(y, layout)
    middle = layout.quantile(ordered, 0.5)
    floor = np.maximum(floor, np.where(whole, 0.5, 0.0))
    return np.asarray(
        np.maximum(floor, np.where(counts, np.sqrt(np.clip(middle, 0, FEW_COUNTS) + 0.5), 0.0))[layout.codes]
    )


def _are_counts(y: np.ndarray, layout: Layout) -> np.ndarray:
    """(S,) whether all values are whole numbers that are not negative."""
    return np.asarray(~layout.any((y != np.rint(y)) | (y < 0)))


def _local_spread(sizes: np.ndarray, layout: Layout) -> np.ndarray:
    """(N,) the spread in blocks of 25 values, the largest of three neighbouring ones; 0 for short series."""
    table = Layout(np.maximum(layout.lengths // BLOCK, 1))
    first = layout.starts[table.codes] + table.steps * BLOCK
    block = sizes[np.minimum(first[:, None] + np.arange(BLOCK), len(sizes) - 1)]
    middle = np.partition(block, BLOCK // 2, axis=1)[:, BLOCK // 2] / MIDDLE
    before = np.where(table.steps > 0, np.roll(middle, 1), 0.0)
    after = np.where(table.back > 0, np.roll(middle, -1), 0.0)
    largest = np.maximum(middle, np.maximum(before, after))
    row = table.starts[layout.codes] + np.minimum(layout.steps // BLOCK, table.lengths[layout.codes] - 1)
    return np.asarray(np.where((layout.lengths >= 2 * BLOCK)[layout.codes], largest[row], 0.0))


def _logarithms(y: np.ndarray, layout: Layout) -> np.ndarray:
    """The logarithms; of half the smallest positive value where a value is not positive."""
    smallest = np.minimum.reduceat(np.where(y > 0, y, np.inf), layout.starts)[layout.codes]
    return np.asarray(np.log(np.where(y > 0, y, smallest / 2)))


# ---------------------------------------------------------------------------------------------------------- one series


def _standing_apart(size: np.ndarray, units: np.ndarray, seasons: Sequence[int]) -> np.ndarray:
    """The positions of outliers of one series: few, clearly larger than all others, and not repeated in a season.

    Arguments:
        size: (T,) absolute residuals in units of the limit.
        units: (T,) residuals in units of the spread.
        seasons: steps.
    """
    order = np.argsort(-size, kind="stable")
    ordered = np.append(size[order], 0.0)
    most = max(MOST_RUNS[0], MOST_RUNS[1] * len(size))
    for count in range(int((ordered > 1).sum()), 0, -1):
        if ordered[count - 1] >= APART * ordered[count]:
            rows = np.sort(order[:count])
            runs = np.cumsum(np.diff(rows, prepend=rows[0]) > 1)
            if runs[-1] + 1 <= most:
                return np.asarray(rows[~_repeated(rows, runs, units, seasons)])
    return order[:0]


def _repeated(rows: np.ndarray, runs: np.ndarray, units: np.ndarray, seasons: Sequence[int]) -> np.ndarray:
    """(R,) whether a residual of the same sign, and of a similar size, lies whole seasons before or after."""
    run = np.full(len(units), -1)
    run[rows] = runs
    result = np.zeros(len(rows), bool)
    for season in (season for season in seasons if season > 1):
        reach = round(TOLERANCE * season)
        for shift in (-2 * season, -season, season, 2 * season):
            at = rows[:, None] + shift + np.arange(-reach, reach + 1)
            valid = (at >= 0) & (at < len(units))
            at = np.where(valid, at, 0)
            alike = units[at] * np.sign(units[rows, None]) >= REPEATED * np.abs(units[rows, None])
            result |= (valid & alike & (run[at] != runs[:, None])).any(1)
    return result
