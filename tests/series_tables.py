"""Tables that the tests of reading share."""

import numpy as np
import pandas as pd
import polars as pl

from gatewise.datasets import air_passengers

MONTHS = pd.date_range("2020-01-01", periods=30, freq="MS")
DAYS = pd.date_range("2020-01-01", periods=12)
CALENDARS = {
    "MS": MONTHS,
    "B": pd.date_range("2020-01-01", periods=30, freq="B"),
    "D": pd.date_range("2020-01-01", periods=30),
    "D local": pd.date_range("2020-10-10", periods=30, tz="Europe/Berlin"),
    "h local": pd.date_range("2020-10-24 12:00", periods=30, freq="h", tz="Europe/Berlin"),
    "15min": pd.date_range("2020-01-01", periods=30, freq="15min"),
    "numbers": pd.Index(np.arange(-20, 70, 3)),
}
DATES = MONTHS.strftime("%Y-%m-%d")


def table(ds=MONTHS, y=None, **columns):
    return pd.DataFrame({**columns, "ds": ds, "y": np.arange(30.0) if y is None else y})


def daily(name="s3", ds=DAYS, y=range(12)):
    return pd.DataFrame({"unique_id": name, "ds": ds, "y": y})


def ten_series(**replaced):
    """Ten daily series; those named have other rows."""
    parts = {f"s{i}": pd.DataFrame({"unique_id": f"s{i}", "ds": DAYS, "y": np.arange(12.0)}) for i in range(10)}
    return pd.concat({**parts, **replaced}.values(), ignore_index=True)


def lines(ds, y, header="ds,y", delimiter=","):
    return "\n".join([header, *(f"{date}{delimiter}{value}" for date, value in zip(ds, y, strict=True))]) + "\n"


def spoil(values, at, value):
    values = list(values)
    values[at] = value
    return values


def polars_air(kind):
    frame = pl.DataFrame(
        {"unique_id": "AirPassengers", "ds": list(air_passengers()["ds"]), "y": air_passengers()["y"].to_list()}
    )
    return frame.with_columns(pl.col("ds").cast(kind))


AIR = air_passengers()
SOURCES = {
    "pandas": (AIR, "AirPassengers", "pandas"),
    "pandas index": (AIR.set_index("ds")[["y"]], "y", "pandas"),
    "pandas series": (AIR.set_index("ds")["y"].rename("air"), "air", "pandas"),
    "pandas periods": (AIR.set_index(AIR["ds"].dt.to_period("M"))["y"], "y", "pandas"),
    "pandas text": (AIR.assign(ds=AIR["ds"].dt.strftime("%Y-%m")), "AirPassengers", "pandas"),
    "pandas Int64": (AIR.assign(y=AIR["y"].astype("Int64")), "AirPassengers", "pandas"),
    "polars dates": (polars_air(pl.Date), "AirPassengers", "polars"),
    "polars datetimes": (polars_air(pl.Datetime("ms")), "AirPassengers", "polars"),
    "polars text": (polars_air(pl.Date).with_columns(pl.col("ds").cast(pl.String)), "AirPassengers", "polars"),
}
