"""Printed output: data, choices, scores and forecasts, shortened to fit a screen."""

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gatewise.cli.digits import written
from gatewise.forecast.evaluation.verdict import articled
from gatewise.forecast.model.eligibility import EXCLUDED
from gatewise.forecast.outlier_effect import OutlierEffect, describe_effects
from gatewise.series import as_pandas
from gatewise.series.wording import counted, truncate

MAX_ROWS = 48  # a longer table is shortened on the screen, never in a file
SHORTENED_ROWS = 12
MAX_REASONS, EXTREMES = 3, 5  # limits for many series
REASON_LENGTH = 300  # characters


def excluded_table(table: Any) -> pd.DataFrame:
    """The table of excluded series as a pandas table; it may have no rows."""
    return pd.DataFrame({name: list(table[name]) for name in ("unique_id", "reason")})


def print_choices(choices: Sequence[str]) -> None:
    """Print every choice that was inferred from the data."""
    print("\nChoices")
    for choice in choices:
        print(f"  {choice}")


def excluded_from(backtest: Any) -> tuple[str, ...]:
    """The sentence about the series that are too short for a backtest, if there are any."""
    return () if backtest is None else tuple(guess for guess in backtest.guesses if guess.startswith(EXCLUDED))


def print_excluded(table: Any, arguments: argparse.Namespace) -> None:
    """Print the number of excluded series, and the first few reasons."""
    excluded = excluded_table(table)
    if not len(excluded):
        return
    naive = "; those with values get naive forecasts without intervals" if arguments.on_bad == "naive" else ""
    option = "" if arguments.on_bad is None else f" (--on-bad {arguments.on_bad}{naive})"
    print(f"\nExcluded series: {len(excluded)}{option}")
    for reason in excluded["reason"][:MAX_REASONS]:
        print(f"  {truncate(reason, REASON_LENGTH)}")
    if len(excluded) > MAX_REASONS:
        remedy = "" if arguments.excluded else "; --excluded FILE.csv lists them all"
        print(f"  ... and {len(excluded) - MAX_REASONS} more{remedy}")


def print_backtest(backtest: Any, horizon: int, windows: int) -> None:
    """Print the mean scores and their definitions."""
    design = f"{counted(windows, 'window')} of {counted(horizon, 'step')}"
    print(f"\nBacktest: {design}, mean scores ({backtest.trained})\n{backtest.table()}")
    print(backtest.definitions())


def print_details(backtest: Any) -> None:
    """Print the scores of each window of one series, or of the best and worst of many series."""
    if len(backtest.held.series) == 1:
        print(f"\nScores by window\n{format_table(backtest.scores)}")
        return
    table, score = _gains(backtest)
    print(f"\n{score} of {backtest.model} and {backtest.best} by series, largest gain first\n{_format_extremes(table)}")


def _gains(backtest: Any) -> tuple[pd.DataFrame, str]:
    """The score of the model and of the best naive forecast by series, sorted by gain; and the score's name."""
    scores = as_pandas(backtest.by_series)
    score = backtest.verdict_score
    columns = {
        name: scores[scores["model"] == name].set_index("unique_id")[score] for name in (backtest.model, backtest.best)
    }
    table = pd.DataFrame(columns).dropna()
    table["gain"] = table[backtest.best] - table[backtest.model]
    return table.sort_values("gain", ascending=False, kind="stable").reset_index(), score


def _format_extremes(table: pd.DataFrame) -> str:
    lines = _to_text(table).split("\n")
    if len(table) <= 2 * EXTREMES:
        return "\n".join(lines)
    return "\n".join([*lines[: EXTREMES + 1], f"  ... {len(table) - 2 * EXTREMES} more ...", *lines[-EXTREMES:]])


def print_forecast(table: Any, horizon: int, delivered: str, point: str) -> None:
    """Print the forecast, shortened if it is long, the method that delivered it, and its point: "median" or "mean"."""
    series = len(as_pandas(table)) // horizon
    for_series = f" for {series} series" if series > 1 else ""
    method = f"{articled(delivered)}; {point}s"
    print(f"\nForecast: {counted(horizon, 'step')}{for_series}, {method}\n{format_table(table)}")


def print_effects(effects: Sequence[OutlierEffect]) -> None:
    """Print how much the forecast would change without the outliers."""
    for line in describe_effects(effects):
        print(line)


def print_remark(sentence: str) -> None:
    """Print a sentence about the forecast, if there is one."""
    if sentence:
        print(sentence)


def print_verdict(backtest: Any, arguments: argparse.Namespace, delivered: str = "", shortage: str = "") -> None:
    """Print the verdict, or why there is none; and whether it is about another method than the delivered one."""
    if backtest is not None:
        print(f"\nVerdict: {backtest.verdict}")
        if delivered and set(backtest.delivered) != {delivered}:
            print(f"The forecast above is {articled(delivered)}; the backtest measures other methods too.")
    elif arguments.windows == 0:
        print("\nVerdict: none (no backtest: --windows 0).")
    else:
        print(f"\nVerdict: none (too few values for a backtest: {shortage}). Use the forecast with care.")


def print_files(paths: Sequence[str]) -> None:
    """Print the paths of the files that were written."""
    if paths:
        print(f"\nFiles written: {', '.join(paths)}")


def format_table(table: Any) -> str:
    """A table as text, without its middle if it is long."""
    frame = as_pandas(table)
    if len(frame) <= MAX_ROWS:
        return _to_text(frame)
    return f"{_to_text(frame, SHORTENED_ROWS)}\n({len(frame)} rows; --out FILE.csv writes them all)"


def _to_text(frame: pd.DataFrame, most: int | None = None) -> str:
    """A table as text, at most the first and the last rows."""
    rows = np.arange(len(frame))
    if most is not None:
        rows = rows[(rows < most // 2) | (rows >= len(rows) - most // 2)]
    return str(written(frame, rows).to_string(index=False, na_rep="", max_rows=most))
