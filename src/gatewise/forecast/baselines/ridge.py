"""Ridge: a direct ridge regression for each test window, on seasons, calendar and covariates.

Letters: `W` test windows, `U` regressions, `B` regressions of a block, `R` rows, `F` columns, `P` priors, `h` horizon,
`K` covariates known in advance.

Reference: A. E. Hoerl, R. W. Kennard, Ridge regression: biased estimation for nonorthogonal problems, Technometrics
12(1), 1970.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from gatewise.forecast.baselines.calendar_cells import Cells
from gatewise.forecast.baselines.regressors import Covariates, Form, Rows, Units
from gatewise.forecast.baselines.smoothing import scales
from gatewise.forecast.baselines.windows import Pasts, Values, grouped
from gatewise.series import Series

LONGEST = 10_000  # values of a past to learn from: more than a year of hours
FEWEST_ROWS, MOST_ROWS = 200, 4000  # of a regression
LEAST_TARGETS = 12  # fewer observed targets give no regression
EXACT = 512  # a longer past is fitted up to a rounded cut, so that windows close to each other share a regression
BLOCK = 2**21  # values of the columns of a block
PENALTIES = (1e-3, 1e-2, 1e-1, 0.5, 1e3)
SEASONS_NEEDED = (3, 4)  # of a longer season in a past; more if there is no season
TRAINED = 0.75  # of the rows in time order; the penalty and the prior are chosen on the rest


def solve(gram: np.ndarray, moments: np.ndarray, penalty: float, prior: np.ndarray) -> np.ndarray:
    """Ridge coefficients that shrink to a prior.

    argmin_b |y - X b|² / R + penalty |b - prior|²

    Arguments:
        gram: (..., F, F) X'X / R.
        moments: (..., F, 1) X'y / R.
        penalty: positive.
        prior: (..., F, P), for P priors.

    Returns:
        (..., F, P).

    >>> solve(np.array([[2.0]]), np.array([[3.0]]), 1.0, np.array([[0.0, 1.5]])).tolist()
    [[1.0, 1.5]]
    """
    shifted = gram + penalty * np.eye(gram.shape[-1])
    return np.asarray(prior + np.linalg.solve(shifted, moments - gram @ prior))


def choose(X: np.ndarray, y: np.ndarray, counts: tuple[np.ndarray, np.ndarray], priors: np.ndarray) -> np.ndarray:
    """Coefficients (B, F) with the penalty and the prior that forecast the last quarter of the rows best.

    Arguments:
        X: (B, F, R) columns, their rows in time order; rows of zeros are ignored.
        y: (B, R) targets.
        counts: the number (B,) of rows that are not zeros in the first part and in the last quarter.
        priors: (B, F, P).
    """
    split = int(TRAINED * X.shape[2])
    parts = []
    for part, count in zip((slice(split), slice(split, None)), counts, strict=True):
        rows, size = X[:, :, part], np.maximum(count, 1)[:, None, None]
        parts.append((rows @ rows.transpose(0, 2, 1) / size, rows @ y[:, part, None] / size))
    (gram, moments), (later, later_moments) = parts
    finite = np.isfinite(gram).all((1, 2)) & np.isfinite(later).all((1, 2))
    gram[~finite] = later[~finite] = 0.0  # a matrix with NaN may be singular; the moments still hold the NaN
    errors = []
    for penalty in PENALTIES:
        b = solve(gram, moments, penalty, priors)
        errors.append(((later @ b - 2 * later_moments) * b).sum(1))
    error = np.stack(errors, axis=1)  # (B, penalties, P), but for the same constant
    best = np.nan_to_num(error.reshape(len(X), -1), nan=np.inf).argmin(1)
    first, last = counts
    weight = (first / np.maximum(first + last, 1))[:, None, None]
    gram, moments = weight * gram + (1 - weight) * later, weight * moments + (1 - weight) * later_moments
    chosen = np.empty(X.shape[:2])
    for place in np.unique(best):
        rows = best == place
        prior = priors[rows][:, :, [place % priors.shape[2]]]
        chosen[rows] = solve(gram[rows], moments[rows], PENALTIES[place // priors.shape[2]], prior)[..., 0]
    return chosen


@dataclass(frozen=True)
class Regressions:
    """Fitted regressions of one form.

    Attributes:
        coefficients: (U, F) of the columns.
        units: of the regressions.
        bounds: (U, 2) lowest and highest forecast, on the scale of the values.
    """

    coefficients: np.ndarray
    units: Units
    bounds: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence["Regressions"]) -> "Regressions":
        """The regressions of several blocks."""
        coefficients = np.concatenate([part.coefficients for part in parts])
        bounds = np.concatenate([part.bounds for part in parts])
        return cls(coefficients, Units.joined([part.units for part in parts]), bounds)

    def take(self, rows: np.ndarray) -> "Regressions":
        """Some of the regressions."""
        return Regressions(self.coefficients[rows], self.units.take(rows), self.bounds[rows])


@dataclass(frozen=True)
class Task:
    """What all regressions share.

    Attributes:
        series: of all windows.
        cells: the calendar of their dates.
        covariates: known in advance, None if there are none.
        horizon: h.
        season: m.
        longer: each M, ascending; a regression has those of which the past holds three or four.
    """

    series: Sequence[Series]
    cells: Cells
    covariates: Covariates | None
    horizon: int
    season: int
    longer: tuple[int, ...] = ()

    def forms(self, sizes: np.ndarray) -> Iterator[tuple[Form, np.ndarray]]:
        """Each form of a regression, with the regressions (U,) of that form, by the sizes of their pasts."""
        kind, seasons = self.cells.kind, np.array([0, *self.longer])
        learnt = np.minimum(sizes, LONGEST)
        least = np.where((self.season == 1) & (seasons != kind.week), SEASONS_NEEDED[1], SEASONS_NEEDED[0]) * seasons
        longer = np.searchsorted(np.maximum.accumulate(least), learnt, side="right") - 1  # how many of them
        year = (sizes >= 1.25 * kind.year) & (kind.year > 0)
        fine = (sizes >= 9 * 7 * kind.parts) & (kind.unit == "day")
        enough = sizes >= 2 * max(self.season, 4) + LEAST_TARGETS
        targets = learnt - np.maximum(seasons[longer], 2 * max(self.season, 4))
        doublings = np.ceil(2 * np.log2(np.maximum(targets / FEWEST_ROWS, 1))).astype(
            np.int64
        )  # half doublings, from few to all
        code = np.where(enough, year + 2 * fine + 4 * longer + 4 * len(seasons) * doublings, -1)
        for value in np.unique(code[code >= 0]).tolist():
            number, count = divmod(value // 4, len(seasons))
            rows = min(round(FEWEST_ROWS * 2 ** (number / 2)), MOST_ROWS)
            form = Form(self.season, self.longer[:count], bool(value & 1), bool(value & 2), rows)
            yield form, np.flatnonzero(code == value)

    def blocks(
        self, values: Values, which: np.ndarray, cuts: np.ndarray, form: Form, longest: int, rows: int
    ) -> Iterator[tuple[np.ndarray, Pasts]]:
        """Blocks of pasts, so small that their columns (B, F, `rows`) fit into memory."""
        width = 40 + self.cells.columns(form.fine).shape[1]
        step = max(1, BLOCK // (width * rows))
        for block, pasts in values.blocks(which, cuts, longest):
            for at in range(0, len(block), step):
                yield block[at : at + step], pasts.take(slice(at, at + step))

    def matrix(self, rows: Rows, which: np.ndarray, ahead: np.ndarray | None = None) -> np.ndarray:
        """The columns (B, F, R) of a regression."""
        columns = [rows.of_past(), rows.of_calendar(self.cells, which)]
        if self.covariates is not None:
            columns.append(rows.of_covariates(self.covariates, which, ahead))
        return np.stack([*chain(*columns), rows.factor], axis=1)

    def fit(self, pasts: Pasts, which: np.ndarray, form: Form) -> Regressions:
        """The regressions of a block of pasts."""
        units, values = self._units(pasts, which)
        rows = self._training_rows(pasts, values, form, units)
        at = rows.cuts + rows.steps - 1
        seen = np.take_along_axis(pasts.observed, at, 1)
        X = self.matrix(rows, which)
        y = (np.take_along_axis(values, at, 1) - rows.level) * seen
        if not seen.all():
            X *= seen[:, None]
        split = int(TRAINED * X.shape[2])
        size = np.sqrt(np.einsum("bfr,bfr->bf", X, X) / np.maximum(seen.sum(1), 1)[:, None])
        calendar = self._calendar_columns(form, X.shape[1])
        size = np.where(calendar | (size < 1e-9), 1.0, size)
        priors = np.zeros((len(pasts), X.shape[1], len(form.priors) + 1))
        for p, column in enumerate(form.priors):
            priors[:, column, p + 1] = size[:, column]
        X /= size[..., None]
        coefficients = choose(X, y, (seen[:, :split].sum(1), seen[:, split:].sum(1)), priors) / size
        coefficients[seen.sum(1) < LEAST_TARGETS] = np.nan
        return Regressions(coefficients, units, _bounds(values, pasts))

    def _calendar_columns(self, form: Form, columns: int) -> np.ndarray:
        """Which columns are indicators of the calendar: all of them keep one common unit."""
        first = len(form.priors) + 10 + len(form.longer)
        indicators = self.cells.columns(form.fine).shape[1]
        places = np.arange(columns)
        return np.asarray((places >= first) & (places < first + indicators))

    def _training_rows(self, pasts: Pasts, values: np.ndarray, form: Form, units: Units) -> Rows:
        """Rows whose targets are spread evenly over the past, in time order, with every step."""
        targets = pasts.sizes - form.first
        count = form.rows
        generator = np.random.default_rng(0)
        spread = (np.arange(count) + generator.random(count)) / count
        at = form.first + np.floor(spread * targets[:, None]).astype(np.int64)
        most_steps = np.minimum(self.horizon, at - form.first + 1)
        steps = 1 + np.floor(generator.random(count) * most_steps).astype(np.int64)
        return Rows(pasts, values, at - steps + 1, steps, form, units)

    def _units(self, pasts: Pasts, which: np.ndarray) -> tuple[Units, np.ndarray]:
        """The units of each past, and its scaled values (B, N)."""
        scale = scales(pasts.values)
        values = pasts.values / scale
        centre = values.sum(1, keepdims=True) / pasts.sizes[:, None]
        relative = np.where(pasts.within, values, 1.0).min(1, keepdims=True) > 0
        mean = np.zeros((len(pasts), 0))
        if self.covariates is not None:
            start = self.covariates.offsets[which] + pasts.starts
            totals = self.covariates.totals
            mean = (totals[start + pasts.sizes] - totals[start]) / pasts.sizes[:, None]
        return Units(scale, centre, relative, mean), values

    def predict(
        self, pasts: Pasts, which: np.ndarray, form: Form, fitted: Regressions, ahead: np.ndarray | None
    ) -> np.ndarray:
        """Forecasts (B, h) after a block of pasts, by the regression of each."""
        steps = pasts.ahead(self.horizon)
        cuts = np.broadcast_to(pasts.sizes[:, None], steps.shape)
        values = pasts.values / fitted.units.scale
        rows = Rows(pasts, values, cuts, steps, form, fitted.units)
        mean = rows.level + np.einsum("bfh,bf->bh", self.matrix(rows, which, ahead), fitted.coefficients)
        return np.asarray(np.clip(mean, fitted.bounds[:, :1], fitted.bounds[:, 1:]) * fitted.units.scale)


def _bounds(values: np.ndarray, pasts: Pasts) -> np.ndarray:
    """The range (B, 2) of the values, widened by its width on both sides."""
    low = np.where(pasts.within, values, np.inf).min(1)
    high = np.where(pasts.within, values, -np.inf).max(1)
    return np.stack([2 * low - high, 2 * high - low], axis=1)


def ridge_forecasts(
    series: Sequence[Series],
    values: Values,
    which: np.ndarray,
    cuts: np.ndarray,
    horizon: int,
    season: int,
    freq: str | int | None = None,
    future: np.ndarray | None = None,
    fitted_on: Sequence[Series] | None = None,
    longer: Sequence[int] = (),
) -> np.ndarray:
    """Forecasts (W, h) by ridge regressions, NaN where the past is too short or covariates are missing.

    The target is the value at a step after a cut, relative to the mean of the last season before the cut. Columns: the
    last value and the mean of the last values at the phase of the target (of the season, of each longer one, and of a
    week for steps below a day), the last deviations from them, the trend, the calendar of the target (without dates,
    phases), and covariates of the target. If all values are positive, the effects of calendar and covariates are
    proportional to the level. Each window has its own regression on pairs of cuts and steps before its cut;
    coefficients shrink to the simple forecast (level, last season, mean of seasons) and by the penalty that forecast
    the last quarter of the pairs best.

    Arguments:
        series: the series of all windows.
        values: of the series.
        which: (W,) positions in `series`.
        cuts: (W,) number of known values.
        horizon: h, steps.
        season: m, steps; 1 for none.
        freq: pandas offset alias for the calendar; otherwise phases of the season replace it.
        future: (W, h, K) covariates of the steps after the cuts, used after the end of the table.
        fitted_on: the series with the covariates on which the regressions are fitted; by default `series`.
        longer: each M, steps.
    """
    cells = Cells.of(series, which, cuts + horizon - 1, freq, season, longer)
    seasons = tuple(sorted({one for one in (cells.kind.week, *longer) if one > season}))
    task = Task(series, cells, _covariates(series, which), horizon, season, seasons)
    ahead = None if task.covariates is None else _ahead(series, which, cuts, horizon, task.covariates, future)
    fitting = task
    if fitted_on is not None and task.covariates is not None:
        others = _covariates(fitted_on, which)
        fitting = replace(task, covariates=others and replace(others, curved=task.covariates.curved))
    pairs, owner = np.unique(np.stack([which, _fit_cuts(cuts)]), axis=1, return_inverse=True)
    owner = owner.ravel()
    mean = np.full((len(which), horizon), np.nan)
    for form, fits in task.forms(values.ends(*pairs)):
        fitted = _fit_all(fitting, values, pairs[0][fits], pairs[1][fits], form)
        place = np.full(pairs.shape[1], -1)
        place[fits] = np.arange(len(fits))
        windows = np.flatnonzero(place[owner] >= 0)
        for block, pasts in task.blocks(values, which[windows], cuts[windows], form, form.reach, horizon):
            rows = windows[block]
            own, next_values = fitted.take(place[owner[rows]]), None if ahead is None else ahead[rows]
            mean[rows] = task.predict(pasts, which[rows], form, own, next_values)
    return mean


def _fit_all(task: Task, values: Values, which: np.ndarray, cuts: np.ndarray, form: Form) -> Regressions:
    """The regressions (U,) of one form, in blocks."""
    pieces, order = [], []
    for block, pasts in task.blocks(values, which, cuts, form, LONGEST, form.rows):
        pieces.append(task.fit(pasts, which[block], form))
        order.append(block)
    return Regressions.joined(pieces).take(np.argsort(np.concatenate(order)))


def _fit_cuts(cuts: np.ndarray) -> np.ndarray:
    """The cut of the regression of each cut: itself for a short past, else rounded down by 1.6 % at most.

    >>> _fit_cuts(np.array([511, 1000, 17_003])).tolist()
    [511, 1000, 16896]
    """
    grain = 2 ** np.maximum(np.floor(np.log2(cuts)).astype(np.int64) - 6, 0)
    return np.where(cuts < EXACT, cuts, cuts // grain * grain)


def _covariates(series: Sequence[Series], which: np.ndarray) -> Covariates | None:
    """The covariates known in advance of all series with windows; None if there are none."""
    first = series[int(which[0])].known
    if first is None or not first.shape[1]:
        return None
    offsets, parts, sums, total = np.zeros(len(series), np.int64), [], [], 0
    zeros = np.zeros((1, first.shape[1]))
    for k in np.unique(which).tolist():
        known = series[k].known
        known = np.full((len(series[k]), first.shape[1]), np.nan) if known is None else known
        parts += [known, zeros]  # as many rows as sums
        sums += [zeros, np.cumsum(known, axis=0)]
        offsets[k] = total
        total += len(known) + 1
    values = np.concatenate(parts)
    return Covariates(values, np.concatenate(sums), offsets, ~((values == 0) | (values == 1)).all(0))


def _ahead(
    series: Sequence[Series],
    which: np.ndarray,
    cuts: np.ndarray,
    horizon: int,
    covariates: Covariates,
    future: np.ndarray | None,
) -> np.ndarray:
    """(W, h, K) covariates of the steps after each cut, NaN where unknown."""
    ahead = np.full((len(which), horizon, covariates.values.shape[1]), np.nan)
    for k, rows in grouped(which):
        parts = [part for part in (series[k].known, series[k].ahead) if part is not None]
        table = np.concatenate(parts) if parts else np.empty((0, ahead.shape[2]))
        at = cuts[rows, None] + np.arange(horizon)
        inside = at < len(table)
        values = (
            np.where(inside[..., None], table[np.minimum(at, len(table) - 1)], np.nan) if len(table) else ahead[rows]
        )
        if future is not None:
            beyond = (at >= len(series[k]))[..., None]
            values = np.where(beyond, future[rows], values)
        ahead[rows] = values
    return ahead
