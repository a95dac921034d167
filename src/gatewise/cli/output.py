"""What is said: the data, the backtest, the forecast, and what was put aside, short enough for a screen."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series import Panel, as_pandas
from gatewise.series.wording import counted, format_date

ROWS = 48  # a longer table is cut on the screen, never in a file
NAMES, REASONS, EXTREMES = 5, 3, 5  # of many series
LONGEST = 300  # letters of a reason


def account(panel: Panel) -> str:
    """What the data are: one series, or how many of which lengths.

    >>> import gatewise as gw
    >>> table = pd.DataFrame({"day": [0, 1, 2], "a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, None]})
    >>> print(account(gw.read(table, layout="columns")))
      2 series: 'a', 'b'
      2 to 3 values each (median 2.5), 0 to 2, frequency 1
    """
    if len(panel) == 1 and not panel.excluded_series:
        one = panel.series[0]
        span = f"{format_date(one.ds[0])} to {format_date(one.ds[-1])}"
        return f"  series {str(one.unique_id)!r}: {counted(len(one), 'value')}, {span}"
    aside = f", {len(panel.excluded_series)} more put aside" if panel.excluded_series else ""
    sizes = [len(one) for one in panel.series]
    each = f"{min(sizes)} to {max(sizes)} values each (median {np.median(sizes):g})"
    if min(sizes) == max(sizes):
        each = counted(sizes[0], "value") + " each" * (len(panel) > 1)
    first, last = min(one.ds[0] for one in panel.series), max(one.ds[-1] for one in panel.series)
    return (
        f"  {len(panel)} series{aside}: {names(one.unique_id for one in panel.series)}\n"
        f"  {each}, {format_date(first)} to {format_date(last)}, frequency {panel.freq}"
    )


def names(all_of_them: Iterable[Any]) -> str:
    """The first few names in quotes."""
    quoted = [repr(cut(str(name), 40)) for name in all_of_them]
    return ", ".join(quoted[:NAMES]) + (", ..." if len(quoted) > NAMES else "")


def say_guesses(guesses: Sequence[str]) -> None:
    """Everything that was guessed or chosen."""
    print("\nGuessed and chosen")
    for sentence in guesses:
        print(f"  {sentence}")


def say_aside(table: Any, arguments: argparse.Namespace) -> None:
    """How many series were put aside, and the first few reasons."""
    aside = plain(table)
    if not len(aside):
        return
    there = "; forecast naively, without intervals, if it has any value" if arguments.on_bad == "naive" else ""
    print(f"\nPut aside: {len(aside)} series (--on-bad {arguments.on_bad}{there})")
    for reason in aside["reason"][:REASONS]:
        print(f"  {cut(reason, LONGEST)}")
    if len(aside) > REASONS:
        whole = "" if arguments.excluded else "; --excluded FILE.csv lists them all"
        print(f"  ... and {len(aside) - REASONS} more{whole}")


def plain(table: Any) -> pd.DataFrame:
    """A report of series put aside as a pandas table, also if it has no rows."""
    return pd.DataFrame({name: list(table[name]) for name in ("unique_id", "reason")})


def say_backtest(found: Any, horizon: int, windows: int) -> None:
    """The mean scores, and what they are."""
    print(
        f"\nBacktest: {windows} x {counted(horizon, 'step')} held out, mean scores ({found.trained})\n{found.table()}"
    )
    print(found.definitions())


def say_details(found: Any) -> None:
    """The scores of each window of a single series, or of the best and worst of many."""
    if len(found.held.series) == 1:
        print(f"\nEach window\n{shown(found.scores)}")
        return
    table, score = _beside(found)
    print(f"\nEach series: {score} of the {found.model} and of the {found.best} forecast, best gain first")
    print(_ends(table))


def _beside(found: Any) -> tuple[pd.DataFrame, str]:
    """A row per series with a score of the model and of the best naive forecast, sorted by the gain, and the score."""
    scores = as_pandas(found.by_series)
    score = "MASE" if np.isfinite(found.overall[found.model]["MASE"]) else "MAE"
    both = {name: scores[scores["model"] == name].set_index("unique_id")[score] for name in (found.model, found.best)}
    table = pd.DataFrame(both).dropna()
    table["gain"] = table[found.best] - table[found.model]
    return table.sort_values("gain", ascending=False, kind="stable").reset_index(), score


def _ends(table: pd.DataFrame) -> str:
    text = _text(table).split("\n")
    if len(table) <= 2 * EXTREMES:
        return "\n".join(text)
    return "\n".join([*text[: EXTREMES + 1], f"  ... {len(table) - 2 * EXTREMES} more ...", *text[-EXTREMES:]])


def say_verdict(found: Any, arguments: argparse.Namespace) -> None:
    """The verdict, or why there is none."""
    if found is not None:
        print(f"\nVerdict: {found.verdict}")
    elif arguments.windows == 0:
        print("\nVerdict: none, without a backtest (--windows 0).")
    else:
        print(f"\nVerdict: none; holding out {arguments.horizon} steps leaves too little to train on. Trust with care.")


def say_forecast(table: Any, horizon: int) -> None:
    """The forecast, shortened."""
    frame = as_pandas(table)
    count = len(frame) // horizon
    many = f" of {count} series" if count > 1 else ""
    print(f"\nForecast of {counted(horizon, 'step')}{many}\n{shown(table)}")


def say_written(arguments: argparse.Namespace) -> None:
    """Which files there are now."""
    if arguments.written:
        print(f"\nWritten: {', '.join(arguments.written)}")


def shown(table: Any) -> str:
    """A table as text, its middle left out if it is long."""
    frame = as_pandas(table)
    if len(frame) <= ROWS:
        return _text(frame)
    return f"{_text(frame, max_rows=12)}\n({len(frame)} rows; --out FILE.csv has them all)"


def _text(frame: pd.DataFrame, **options: Any) -> str:
    return str(frame.to_string(index=False, float_format="{:.5g}".format, na_rep="", **options))


def cut(text: str, longest: int) -> str:
    """A text of at most so many letters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
