"""Tables that the tests of reading share."""

import numpy as np
import pandas as pd
import polars as pl

from gatewise.datasets import air_passengers

MONTHS = pd.date_range("2020-01-01", periods=30, freq="MS")
DATES = MONTHS.strftime("%Y-%m-%d")


def table(ds=MONTHS, y=None, **columns):
    return pd.DataFrame({**columns, "ds": ds, "y": np.arange(30.0) if y is None else y})


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
