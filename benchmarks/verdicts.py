"""Does the verdict of a backtest hold on later values?

A backtest of the past of a generated series says whether the forecaster is worth using, and names the best baseline.
Later, on the values that were held back, the model's mean absolute error is or is not at most that of the baseline.
`python -m benchmarks.rolling --verdicts 20` counts how often the two agree, for backtests that train networks for each
window (the default for one series) and for those that repeat every choice (refit=True). The last column has the median
of the ratio of their errors in the test windows to those of the default.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks import generated
from benchmarks.report import lines
from gatewise import Forecaster, read
from gatewise.forecast import baselines
from gatewise.series import DataError, Panel

COLLECTIONS = {"MS": (96, 12), "QS": (48, 4), "W-SUN": (208, 13), "YS": (30, 3)}  # length and horizon, by frequency
MODES = {False: "default", True: "refit=True"}


class Verdict(NamedTuple):
    """A verdict and what came later.

    Attributes:
        series: its name.
        refit: of the backtest.
        trusted: whether the backtest calls the model worth using.
        best: the best baseline of the backtest.
        measured: the mean absolute error of the model in the test windows.
        model, baseline: their mean absolute errors on the later values.
    """

    series: str
    refit: bool
    trusted: bool
    best: str
    measured: float
    model: float
    baseline: float

    @property
    def better(self) -> bool:
        """Whether the model's error is later at most that of the baseline."""
        return self.model <= self.baseline


def later_error(name: str, past: Panel, later: np.ndarray, season: int) -> float:
    """The mean absolute error of a baseline, by name, after the end of the only series of a panel."""
    window = past.series, np.zeros(1, int), np.array([len(past.series[0])])
    options: dict[str, Any] = {"freq": past.freq, "names": (name,), "longer": baselines.longer_seasons([name])}
    forecast = baselines.forecasts(*window, len(later), season, **options)[name][0]
    return float(np.abs(later - forecast).mean())


def judge(name: str, series: pd.DataFrame, horizon: int, seed: int) -> Iterator[Verdict]:
    """The verdicts of backtests without and with refit on the past of a series, compared with its last values."""
    past, later = series.iloc[:-horizon], series["y"].to_numpy()[-horizon:]
    model = Forecaster(seed=seed)
    first = model.backtest(past, horizon, fit=True)
    error = float(np.abs(later - model.predict(horizon, level=())[model.name].to_numpy()).mean())
    second = Forecaster(seed=seed).backtest(past, horizon, refit=True)
    for refit, backtest in ((False, first), (True, second)):
        baseline = later_error(backtest.best, read(past), later, backtest.season)
        measured = backtest.overall[backtest.model]["MAE"]
        yield Verdict(name, refit, backtest.trusted, backtest.best, measured, error, baseline)


def sample(count: int, seed: int) -> Iterator[tuple[str, pd.DataFrame, int]]:
    """Series of the generated collections in turn: name, table and horizon."""
    tables = {freq: generated.collection(freq, length, seed=seed) for freq, (length, _) in COLLECTIONS.items()}
    for k in range(count):
        freq = list(COLLECTIONS)[k % len(COLLECTIONS)]
        name = f"{freq}{k // len(COLLECTIONS):02}"
        yield name, tables[freq][tables[freq]["unique_id"] == name], COLLECTIONS[freq][1]


def measure(count: int, seeds: list[int], save: Callable[[str, Any], None]) -> list[Verdict]:
    """The verdicts of `count` series for each seed; `save` gets them as soon as they exist."""
    results: list[Verdict] = []
    for seed in seeds:
        for name, series, horizon in sample(count, seed):
            try:
                results += judge(name, series, horizon, seed)
            except DataError as error:
                print(f"{name} skipped: {error}", file=sys.stderr, flush=True)
                continue
            print(*results[-2:], sep="\n", file=sys.stderr, flush=True)
            save("verdicts", [verdict._asdict() for verdict in results])
    return results


def table(verdicts: list[Verdict]) -> str:
    """How often the verdict was right: a row for each kind of backtest."""
    head = ["backtest", "trusted, better", "trusted, worse", "not trusted, better", "not trusted, worse"]
    rows, default = [], {v.series: v.measured for v in verdicts if not v.refit}
    for refit, mode in MODES.items():
        cases = [(v.trusted, v.better) for v in verdicts if v.refit == refit]
        counts = [cases.count((trusted, better)) for trusted in (True, False) for better in (True, False)]
        right = f"{counts[0] + counts[3]} of {len(cases)}"
        ratios = [v.measured / default[v.series] for v in verdicts if v.refit == refit and default.get(v.series)]
        rows.append([mode, *map(str, counts), right, f"{np.median(ratios):.3g}" if ratios else "-"])
    return lines([*head, "verdict right", "error"], rows)
