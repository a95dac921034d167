"""Does the verdict of a backtest hold on later values?

A backtest of the past of a generated series says whether the forecaster is worth using, and names the best naive
forecast. Later, on the values that were held back, the model's mean absolute error is or is not at most that of the
naive forecast. `python -m benchmarks.rolling --verdicts 20` counts how often the two agree.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks import generated
from benchmarks.report import lines
from gatewise import Forecaster
from gatewise.forecast import baselines
from gatewise.series import DataError

COLLECTIONS = {"MS": (96, 12), "QS": (48, 4), "W-SUN": (208, 13), "YS": (30, 3)}  # length and horizon, by frequency
MODES = {False: "trained once", True: "refit=True"}


class Verdict(NamedTuple):
    """A verdict and what came later.

    Attributes:
        series: its name.
        refit: of the backtest.
        trusted: whether the backtest calls the model worth using.
        best: the best naive forecast of the backtest.
        model, baseline: their mean absolute errors on the later values.
    """

    series: str
    refit: bool
    trusted: bool
    best: str
    model: float
    baseline: float

    @property
    def better(self) -> bool:
        """Whether the model's error is later at most that of the naive forecast."""
        return self.model <= self.baseline


def later_error(name: str, past: np.ndarray, later: np.ndarray, season: int) -> float:
    """The mean absolute error of a naive forecast, by name."""
    forecast = {
        baselines.NAIVE: baselines.naive(past, len(later)),
        baselines.DRIFT: baselines.drift(past, len(later)),
        baselines.SEASONAL: baselines.seasonal_naive(past, len(later), season),
    }[name]
    return float(np.abs(later - forecast).mean())


def judge(name: str, series: pd.DataFrame, horizon: int, seed: int) -> Iterator[Verdict]:
    """The verdicts of backtests without and with refit on the past of a series, compared with its last values."""
    past, later = series.iloc[:-horizon], series["y"].to_numpy()[-horizon:]
    model = Forecaster(seed=seed)
    first = model.backtest(past, horizon, fit=True)
    error = float(np.abs(later - model.predict(horizon, level=())[model.name].to_numpy()).mean())
    second = Forecaster(seed=seed).backtest(past, horizon, refit=True)
    for refit, backtest in ((False, first), (True, second)):
        baseline = later_error(backtest.best, past["y"].to_numpy(), later, backtest.season)
        yield Verdict(name, refit, backtest.trusted, backtest.best, error, baseline)


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
    rows = []
    for refit, mode in MODES.items():
        cases = [(v.trusted, v.better) for v in verdicts if v.refit == refit]
        counts = [cases.count((trusted, better)) for trusted in (True, False) for better in (True, False)]
        right = f"{counts[0] + counts[3]} of {len(cases)}"
        rows.append([mode, *map(str, counts), right])
    return lines([*head, "verdict right"], rows)
