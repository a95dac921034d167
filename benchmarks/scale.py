"""Time and memory for many series: read, fit with a fixed number of training steps, predict.

    python -m benchmarks.scale [--series 1000 10000 100000] [--points 100] [--max-steps 300]

Each size runs in a separate process, to measure its peak memory. Each series is monthly, with its own level, season and
noise; the forecasts are compared with the true values before anything is printed.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

HORIZON = 12


def table(series: int, points: int) -> pd.DataFrame:
    """A long table of monthly series."""
    generator = np.random.default_rng(0)
    x = np.arange(points)
    level, height, phase = (generator.uniform(low, high, (series, 1)) for low, high in ((50, 150), (5, 20), (0, 12)))
    y = level + height * np.sin(2 * np.pi * (x + phase) / 12) + generator.normal(0, 2, (series, points))
    names = np.char.add("s", np.arange(series).astype(str))
    ds = pd.date_range("2015-01-01", periods=points, freq="MS")
    return pd.DataFrame({"unique_id": np.repeat(names, points), "ds": np.tile(ds, series), "y": y.ravel()})


def measure(series: int, points: int, max_steps: int) -> str:
    """A row of the table, measured in this process."""
    import gatewise as gw

    long = table(series, points + HORIZON)
    future = long.groupby("unique_id", sort=False).tail(HORIZON)
    past = long.drop(future.index)
    panel, reading = timed(lambda: gw.read(past))
    model = gw.Forecaster(strategy="segment", max_steps=max_steps, ensemble_size=1, dropout=0.0, horizon=HORIZON)
    _, fitting = timed(lambda: model.fit(panel))
    forecast, predicting = timed(lambda: model.predict(HORIZON))
    error = float(np.abs(forecast["LSTM"].to_numpy() - future["y"].to_numpy()).mean())
    if not error < 3:  # the error of the noise alone is 1.6
        raise SystemExit(f"the mean absolute error for {series} series is {error:.3g}, expected about 1.6")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"| {series:,} | {reading:.2f} | {fitting:.1f} | {predicting:.2f} | {peak:.2f} | {error:.3g} |"


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """The result of a call, and its seconds."""
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--series", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--max-steps", type=int, default=300)
    parser.add_argument("--here", action="store_true", help="measure the first size in this process")
    arguments = parser.parse_args()
    if arguments.here:
        print(measure(arguments.series[0], arguments.points, arguments.max_steps))
        return
    print("| series | read, s | fit, s | predict 12, s | peak memory, GiB | mean absolute error |")
    print("|---|---|---|---|---|---|")
    for series in arguments.series:
        options = [f"--series={series}", f"--points={arguments.points}", f"--max-steps={arguments.max_steps}", "--here"]
        command = [sys.executable, "-m", "benchmarks.scale", *options]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="", flush=True)


if __name__ == "__main__":
    main()
