"""Accuracy of the forecaster with default settings, compared with naive forecasts and published results.

    python -m benchmarks.accuracy DATA [--only NAME ...] [--seeds 3] [--validate] [--out TABLE.md]

DATA is a folder with the data sets (none is part of Gatewise): AirPassengers.csv, monthly-sunspots.csv,
daily-min-temperatures.csv, example_wp_log_peyton_manning.csv, pollution.csv, ETTh1.csv and m4/Hourly-train.csv,
m4/Hourly-test.csv. The series of system A is generated. The table marks missing data sets.

Each data set has a training and a test part. All settings were selected with --validate, which forecasts the end of the
training part and does not read the test part. MASE is scaled by the in-sample seasonal naive error; sMAPE is
200 |y - f| / (|y| + |f|). Both are averaged per series, then over the series. MSE and MAE of ETTh1 refer to values
standardised by the training part.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pandas as pd

from gatewise import Forecaster, read
from gatewise.forecast import Backtest, tuning
from gatewise.series import Panel, Series

LEVELS = (80, 95)


def main() -> None:
    arguments = _arguments()
    lines = [
        "| data | setting | scores, mean ± spread over seeds | best baseline | coverage, 80 and 95 | s | reference |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, make in TASKS.items():
        if name not in (arguments.only or set(TASKS) - set(LONG)):
            continue
        try:
            lines.append(make(arguments).row(arguments.seeds, arguments.validate))
        except FileNotFoundError as error:
            lines.append(f"| {name} | skipped: {error.filename} is missing | | | | | |")
        print(lines[-1], flush=True)
    table = "\n".join(lines)
    print(f"\n{table}")
    if arguments.out is not None:
        arguments.out.write_text(table + "\n")


@dataclass(frozen=True)
class Rolling:
    """Forecasts from rolling cutoffs over the end of a panel.

    Attributes:
        name: name of the data set.
        setting: description of the cutoffs and the horizon.
        panel: function that returns the panel, without the test part if its argument is True.
        horizon: steps of each forecast.
        windows: cutoffs of each series.
        step: steps between cutoffs.
        reference: published results and the goal.
        options: options of the forecaster.
        score_names: scores in the table.
        unit: function that returns the units (S,) of MSE and MAE; 1 by default.
        budget: seconds of a search on the values before the first cutoff; None for default settings.
    """

    name: str
    setting: str
    panel: Callable[[bool], Panel]
    horizon: int
    windows: int
    step: int
    reference: str
    options: dict[str, Any]
    score_names: tuple[str, ...] = ("MASE",)
    unit: Callable[[Panel], np.ndarray] | None = None
    budget: float | None = None

    def row(self, seeds: int, validate: bool) -> str:
        """A row of the table."""
        panel = self.panel(validate)
        runs = [self._run(panel, seed) for seed in range(seeds)]
        scores = ", ".join(f"{name} {_spread([run[0][name] for run in runs])}" for name in self.score_names)
        naive = ", ".join(f"{name} {runs[0][1][name]:.4g}" for name in self.score_names)
        covered = ", ".join(_spread([100 * run[2].coverage[level] for run in runs], ".3g") for level in LEVELS)
        seconds = _spread([run[3] for run in runs], ".3g")
        best = runs[0][2].best
        part = "validation" if validate else "test"
        return (
            f"| {self.name} | {part}: {self.setting} | {scores}; {_verdicts(run[2] for run in runs)} | {best}: {naive} "
            f"| {covered} | {seconds} | {self.reference} |"
        )

    def _run(self, panel: Panel, seed: int) -> tuple[dict[str, float], dict[str, float], Backtest, float]:
        start = time.perf_counter()
        model = Forecaster(**self._settings(panel, {"seed": seed, **self.options}))
        backtest = model.backtest(panel, self.horizon, windows=self.windows, step=self.step, level=LEVELS)
        seconds = time.perf_counter() - start
        network = self._scores(backtest, backtest.model, backtest.held.mean)
        naive = self._scores(backtest, backtest.best, backtest.held.forecasts[backtest.best].mean)
        return network, naive, backtest, seconds

    def _settings(self, panel: Panel, options: dict[str, Any]) -> dict[str, Any]:
        if self.budget is None:
            return options
        past = tuning.without_end(panel, self.horizon + (self.windows - 1) * self.step)
        search = tuning.search({"horizon": self.horizon, **options}, past, self.budget)
        print(search, file=sys.stderr, flush=True)
        return search.settings

    def _scores(self, backtest: Backtest, name: str, forecasts: np.ndarray) -> dict[str, float]:
        unit = 1.0 if self.unit is None else self.unit(backtest.held.panel)[backtest.held.which, None]
        errors = (backtest.held.truth - forecasts) / unit
        return {
            **backtest.overall[name],
            "MSE": float(np.nanmean(errors**2)),
            "MAE": float(np.nanmean(np.abs(errors))),
        }


@dataclass(frozen=True)
class SystemA:
    """Random series of system A, 5 + 7 x with noise of standard deviation 10; the baseline is a fitted line."""

    draws: int = 20
    values: int = 200
    horizon: int = 5

    def row(self, seeds: int, validate: bool) -> str:
        """A row of the table; the random series replace the seeds."""
        generator = np.random.default_rng(1 if validate else 0)
        network_errors, line_errors, start = [], [], time.perf_counter()
        hits: dict[int, list[Any]] = {level: [] for level in LEVELS}
        x = np.arange(self.values + self.horizon)
        for seed in range(self.draws):
            y = 5 + 7 * x + generator.normal(0, 10, len(x))
            past, truth = y[: self.values], y[self.values :]
            forecast = Forecaster(seed=seed).fit(past).predict(self.horizon, level=LEVELS)
            line = np.polyval(np.polyfit(x[: self.values], past, 1), x[self.values :])
            network_errors.append((forecast["LSTM"] - truth) ** 2)
            line_errors.append((line - truth) ** 2)
            for level, inside in hits.items():
                inside.append((forecast[f"LSTM-lo-{level}"] <= truth) & (truth <= forecast[f"LSTM-hi-{level}"]))
        rmse, best = (float(np.sqrt(np.mean(errors))) for errors in (network_errors, line_errors))
        covered = ", ".join(f"{100 * np.mean(inside):.3g}" for inside in hits.values())
        seconds = (time.perf_counter() - start) / self.draws
        return (
            f"| System A | {self.draws} draws, {self.horizon} steps | RMSE {rmse:.4g}, {rmse / best:.3g} x the line's "
            f"| fitted line: RMSE {best:.4g} | {covered} | {seconds:.3g} each | at most 1.15 x |"
        )


def _spread(values: list[float], form: str = ".4g") -> str:
    deviation = f" ± {stdev(values):.2g}" if len(values) > 1 else ""
    return f"{mean(values):{form}}{deviation}"


def _verdicts(backtests: Iterator[Backtest]) -> str:
    trusted = [backtest.trusted for backtest in backtests]
    return f"verdict: worth using in {sum(trusted)} of {len(trusted)} runs"


# ----------------------------------------------------------------------------------------------------------- data


def _file(path: Path, windows: int, horizon: int, step: int, **columns: Any) -> Callable[[bool], Panel]:
    """A function that reads a file, whose last rolling windows are the test part."""

    def panel(validate: bool) -> Panel:
        whole = _read(path, **columns)
        return _without(whole, horizon + (windows - 1) * step) if validate else whole

    return panel


def _read(path: Path, **columns: Any) -> Panel:
    """Read a file; unlike `gatewise.read`, raise FileNotFoundError if there is none."""
    path.stat()
    return read(path, **columns)


def _without(panel: Panel, values: int) -> Panel:
    """The panel without the last values of each series."""
    series = [
        Series(s.unique_id, s.ds[:-values], s.y[:-values], None if s.filled is None else s.filled[:-values])
        for s in panel.series
    ]
    return Panel(tuple(series), panel.freq, panel.guesses)


def _m4(folder: Path) -> Callable[[bool], Panel]:
    def panel(validate: bool) -> Panel:
        train = _read(folder / "Hourly-train.csv", layout="rows")
        if validate:
            return train
        test = _read(folder / "Hourly-test.csv", layout="rows")
        ends = {series.unique_id: series.y for series in test.series}
        values = {series.unique_id: np.concatenate([series.y, ends[series.unique_id]]) for series in train.series}
        joined = tuple(Series(name, pd.RangeIndex(len(y)), y) for name, y in values.items())
        return Panel(joined, train.freq, train.guesses)

    return panel


def _ett(path: Path, months: Callable[[bool], int]) -> Callable[[bool], Panel]:
    def panel(validate: bool) -> Panel:
        table = pd.read_csv(path, nrows=months(validate) * 720)
        return read(table, layout="columns", time_column="date")

    return panel


def _training_spread(panel: Panel) -> np.ndarray:
    return np.array([series.y[: 12 * 720].std() for series in panel.series])


def _rolling_file(name: str, title: str, horizon: int, windows: int, step: int, **columns: Any) -> Any:
    def make(arguments: argparse.Namespace) -> Rolling:
        path = arguments.data / name
        panel = _file(path, windows, horizon, step, **columns)
        setting = f"{windows} cutoffs, {horizon} steps"
        return Rolling(
            title, setting, panel, horizon, windows, step, "better than the naive forecasts, or reported as not", {}
        )

    return make


def _air(arguments: argparse.Namespace) -> Rolling:
    panel = _file(arguments.data / "AirPassengers.csv", 1, 24, 24)
    reference = "at most 0.60; neuralforecast LSTM 0.440, darts with covariates 0.548, AutoETS 2.378"
    return Rolling("AirPassengers", "last 24", panel, 24, 1, 24, reference, {})


def _hourly(arguments: argparse.Namespace) -> Rolling:
    reference = "at most 0.90 / 11.0; ES-RNN, the winner, 0.893 / 9.328; neuralforecast LSTM 1.435 / 14.836"
    panel = _m4(arguments.data / "m4")
    return Rolling("M4 Hourly", "48 steps", panel, 48, 1, 48, reference, {"season": 24}, ("MASE", "sMAPE"))


def _hourly_budget(arguments: argparse.Namespace) -> Rolling:
    reference = "at most 0.82 / 10.0"
    return replace(_hourly(arguments), name="M4 Hourly, --budget 30m", reference=reference, budget=1800.0)


def _etth1(arguments: argparse.Namespace) -> Rolling:
    step = 24 if arguments.validate else 1
    windows = (4 * 720 - 96) // step + 1
    panel = _ett(arguments.data / "ETTh1.csv", lambda validate: 16 if validate else 20)
    reference = "at most 0.40 / 0.41; SegRNN 0.351 / 0.392; same hour yesterday 0.512 / 0.433"
    setting = f"7 series, {windows} cutoffs, 96 steps"
    return Rolling("ETTh1", setting, panel, 96, windows, step, reference, {}, ("MSE", "MAE"), _training_spread)


TASKS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "AirPassengers": _air,
    "SystemA": lambda arguments: SystemA(),
    "sunspots": _rolling_file("monthly-sunspots.csv", "monthly sunspots", 24, 44, 6),
    "temperatures": _rolling_file("daily-min-temperatures.csv", "daily temperatures", 28, 49, 7, fill="interpolate"),
    "Peyton": _rolling_file("example_wp_log_peyton_manning.csv", "Peyton Manning", 28, 39, 7, fill="interpolate"),
    "pollution": _rolling_file(
        "pollution.csv",
        "pollution",
        24,
        182,
        24,
        fill="previous",
        time_column=["year", "month", "day", "hour"],
        target_column="pm2.5",
    ),
    "ETTh1": _etth1,
    "M4Hourly": _hourly,
    "M4Hourly30m": _hourly_budget,
}
LONG = ("M4Hourly30m",)  # only with --only


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with the data sets")
    parser.add_argument("--only", nargs="+", choices=TASKS, help="data sets to run (all but M4Hourly30m)")
    parser.add_argument("--seeds", type=int, default=3, help="number of random seeds (3)")
    parser.add_argument(
        "--validate", action="store_true", help="forecast the end of the training part instead of the test part"
    )
    parser.add_argument("--out", type=Path, help="file for the table")
    return parser.parse_args()


if __name__ == "__main__":
    main()
