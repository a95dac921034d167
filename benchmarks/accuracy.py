"""Accuracy of the forecaster with its defaults, beside naive forecasts and published figures.

    python -m benchmarks.accuracy DATA [--only NAME ...] [--seeds 3] [--validate] [--out TABLE.md]

DATA is a folder with the data sets (none is part of Gatewise): AirPassengers.csv, monthly-sunspots.csv,
daily-min-temperatures.csv, example_wp_log_peyton_manning.csv, pollution.csv, ETTh1.csv and m4/Hourly-train.csv,
m4/Hourly-test.csv. System A's series is drawn. A set that is missing is left out, and the table says so.

Each set has a training part and a test part. Whatever was chosen was chosen with --validate, which forecasts the end of
the training part and never opens the test part. MASE is scaled by the in-sample seasonal naive error, sMAPE is
200 |y - f| / (|y| + |f|) averaged, both per series first; MSE and MAE of ETTh1 are of values standardised by the
training part.
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
        "| data | setting | scores, mean ± spread over seeds | best naive | coverage, 80 and 95 | s | reference |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, make in TASKS.items():
        if name not in (arguments.only or set(TASKS) - set(LONG)):
            continue
        try:
            lines.append(make(arguments).row(arguments.seeds, arguments.validate))
        except FileNotFoundError as error:
            lines.append(f"| {name} | left out: {error.filename} is missing | | | | | |")
        print(lines[-1], flush=True)
    table = "\n".join(lines)
    print(f"\n{table}")
    if arguments.out is not None:
        arguments.out.write_text(table + "\n")


@dataclass(frozen=True)
class Rolling:
    """Forecasts from rolling cutoffs over the end of a panel.

    Attributes:
        name: of the data.
        setting: in words.
        panel: training part, with the test part if asked for.
        horizon: steps of each forecast.
        windows: cutoffs of each series.
        step: from one cutoff to the next.
        reference: published figures and the aim.
        options: of the forecaster.
        unit: (S,) of the errors of MSE and MAE; 1 by default.
        shown: names of the scores to show.
        budget: seconds spent on settings, judged on what comes before the first cutoff; None for the defaults.
    """

    name: str
    setting: str
    panel: Callable[[bool], Panel]
    horizon: int
    windows: int
    step: int
    reference: str
    options: dict[str, Any]
    shown: tuple[str, ...] = ("MASE",)
    unit: Callable[[Panel], np.ndarray] | None = None
    budget: float | None = None

    def row(self, seeds: int, validate: bool) -> str:
        """A line of the table."""
        panel = self.panel(validate)
        runs = [self._run(panel, seed) for seed in range(seeds)]
        scores = ", ".join(f"{name} {_spread([run[0][name] for run in runs])}" for name in self.shown)
        naive = ", ".join(f"{name} {runs[0][1][name]:.4g}" for name in self.shown)
        covered = ", ".join(_spread([100 * run[2].coverage[level] for run in runs], ".3g") for level in LEVELS)
        seconds = _spread([run[3] for run in runs], ".3g")
        best = runs[0][2].best
        part = "validation" if validate else "test"
        return (
            f"| {self.name} | {part}: {self.setting} | {scores}; {_verdicts(run[2] for run in runs)} | {best}: {naive} "
            f"| {covered} | {seconds} | {self.reference} |"
        )

    def _run(self, panel: Panel, seed: int) -> tuple[dict[str, float], dict[str, float], Backtest, float]:
        began = time.perf_counter()
        model = Forecaster(**self._settings(panel, {"seed": seed, **self.options}))
        found = model.backtest(panel, self.horizon, windows=self.windows, step=self.step, level=LEVELS)
        seconds = time.perf_counter() - began
        naive = found.held.forecasts()[found.best]
        return self._scores(found, found.model, found.held.mean), self._scores(found, found.best, naive), found, seconds

    def _settings(self, panel: Panel, options: dict[str, Any]) -> dict[str, Any]:
        if self.budget is None:
            return options
        known = tuning.without_end(panel, self.horizon + (self.windows - 1) * self.step)
        found = tuning.search({"horizon": self.horizon, **options}, known, self.budget)
        print(found, file=sys.stderr, flush=True)
        return found.settings

    def _scores(self, found: Backtest, name: str, mean: np.ndarray) -> dict[str, float]:
        unit = 1.0 if self.unit is None else self.unit(found.held.panel)[found.held.which, None]
        errors = (found.held.truth - mean) / unit
        return {
            **found.overall[name],
            "MSE": float(np.nanmean(errors**2)),
            "MAE": float(np.nanmean(np.abs(errors))),
        }


@dataclass(frozen=True)
class Line:
    """Draws of system A's series, 5 + 7 x and noise of standard deviation 10, beside a fitted straight line."""

    draws: int = 20
    values: int = 200
    horizon: int = 5

    def row(self, seeds: int, validate: bool) -> str:
        """A line of the table; the draws take the place of the seeds."""
        chance = np.random.default_rng(1 if validate else 0)
        ours, theirs, began = [], [], time.perf_counter()
        inside: dict[int, list[Any]] = {level: [] for level in LEVELS}
        x = np.arange(self.values + self.horizon)
        for seed in range(self.draws):
            y = 5 + 7 * x + chance.normal(0, 10, len(x))
            past, truth = y[: self.values], y[self.values :]
            made = Forecaster(seed=seed).fit(past).predict(self.horizon, level=LEVELS)
            line = np.polyval(np.polyfit(x[: self.values], past, 1), x[self.values :])
            ours.append((made["LSTM"] - truth) ** 2)
            theirs.append((line - truth) ** 2)
            for level, hits in inside.items():
                hits.append((made[f"LSTM-lo-{level}"] <= truth) & (truth <= made[f"LSTM-hi-{level}"]))
        rmse, best = (float(np.sqrt(np.mean(errors))) for errors in (ours, theirs))
        covered = ", ".join(f"{100 * np.mean(hits):.3g}" for hits in inside.values())
        seconds = (time.perf_counter() - began) / self.draws
        return (
            f"| System A | {self.draws} draws, {self.horizon} steps | RMSE {rmse:.4g}, {rmse / best:.3g} x the line's "
            f"| fitted line: RMSE {best:.4g} | {covered} | {seconds:.3g} each | at most 1.15 x |"
        )


def _spread(values: list[float], form: str = ".4g") -> str:
    away = f" ± {stdev(values):.2g}" if len(values) > 1 else ""
    return f"{mean(values):{form}}{away}"


def _verdicts(found: Iterator[Backtest]) -> str:
    trusted = [one.trusted for one in found]
    return f"worth using by the verdict in {sum(trusted)} of {len(trusted)} runs"


# ----------------------------------------------------------------------------------------------------------- data


def _file(path: Path, windows: int, horizon: int, step: int, **columns: Any) -> Callable[[bool], Panel]:
    """A file whose last rolling windows are the test part."""

    def panel(validate: bool) -> Panel:
        whole = read(path, **columns)
        return _without(whole, horizon + (windows - 1) * step) if validate else whole

    return panel


def _without(panel: Panel, values: int) -> Panel:
    """A panel without its last values."""
    series = [
        Series(one.unique_id, one.ds[:-values], one.y[:-values], None if one.filled is None else one.filled[:-values])
        for one in panel.series
    ]
    return Panel(tuple(series), panel.freq, panel.guesses)


def _m4(folder: Path) -> Callable[[bool], Panel]:
    def panel(validate: bool) -> Panel:
        train = read(folder / "Hourly-train.csv", layout="rows")
        if validate:
            return train
        test = read(folder / "Hourly-test.csv", layout="rows")
        ends = {one.unique_id: one.y for one in test.series}
        joined = [np.concatenate([one.y, ends[one.unique_id]]) for one in train.series]
        series = [Series(one.unique_id, pd.RangeIndex(len(y)), y) for one, y in zip(train.series, joined, strict=True)]
        return Panel(tuple(series), train.freq, train.guesses)

    return panel


def _ett(path: Path, months: Callable[[bool], int]) -> Callable[[bool], Panel]:
    def panel(validate: bool) -> Panel:
        table = pd.read_csv(path, nrows=months(validate) * 720)
        return read(table, layout="columns", time_column="date")

    return panel


def _training_spread(panel: Panel) -> np.ndarray:
    return np.array([one.y[: 12 * 720].std() for one in panel.series])


def _rolling_file(name: str, title: str, horizon: int, windows: int, step: int, **columns: Any) -> Any:
    def make(arguments: argparse.Namespace) -> Rolling:
        path = arguments.data / name
        panel = _file(path, windows, horizon, step, **columns)
        setting = f"{windows} cutoffs, {horizon} steps"
        return Rolling(title, setting, panel, horizon, windows, step, "better than both naives, or said so", {})

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
    "SystemA": lambda arguments: Line(),
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
LONG = ("M4Hourly30m",)  # left out unless asked for


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with the data sets")
    parser.add_argument("--only", nargs="+", choices=TASKS, help="some of the sets; M4Hourly30m only runs if named")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--validate", action="store_true", help="forecast the end of the training part instead")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
