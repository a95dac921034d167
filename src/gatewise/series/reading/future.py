"""Future covariates: values for the dates to forecast, from a table or from the end of the history.

Letters: N rows, S series, h horizon, K known-future features.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from gatewise.series.covariates.features import CovariateReader, Places
from gatewise.series.covariates.roles import Covariates
from gatewise.series.errors import DataError
from gatewise.series.frequency import future
from gatewise.series.panel import Panel, Series
from gatewise.series.reading.aggregate import with_one_value
from gatewise.series.reading.calendars.ended import ended
from gatewise.series.reading.cells import CellFormat
from gatewise.series.reading.columns.ids import named_together
from gatewise.series.reading.dates.earlier import with_earlier
from gatewise.series.reading.dates.parsing import TIME_NAMES, looks_like_dates, read_time
from gatewise.series.reading.files.sources import load
from gatewise.series.reading.table import Table
from gatewise.series.wording import counted, format_date, listed, listed_dates


def future_known(
    series: Sequence[Series],
    source: Any,
    covariates: Covariates,
    freq: str | int,
    horizon: int,
    *,
    id_column: str | Sequence[str] | None = None,
    time_column: str | Sequence[str] | None = None,
    shared: bool = False,
    aggregate: str | None = None,
    cells: CellFormat = CellFormat(),  # noqa: B008  # immutable
) -> np.ndarray | None:
    """The known-future features of the `horizon` dates after the end of each series.

    Arguments:
        series: (S,); only their names and last dates are used.
        source: a file or table with the known columns and a row for every series and date to forecast; other rows and
            columns are ignored. None if there are only calendar features.
        covariates: the columns, their categories, the cycles of the calendar.
        freq: pandas offset alias, or the step of integer time.
        horizon: number of dates, h.
        id_column: column that names the series, or several that do so together; by default unique_id, or the only
            column with the names of all series. A single series needs none.
        time_column: column of the dates, or several to combine; by default ds, or the only column that reads as dates
            or has a name such as "month".
        shared: whether each row applies to all series; the table then needs no id column.
        aggregate: how several rows of a series and date become one; see `gatewise.read`.
        cells: how cells are written.

    Returns:
        (S, h, K), float64; None if there are no such features.

    Raises:
        DataError: naming the series, the dates and the remedy: no table; missing or duplicate dates; missing values;
            unknown categories.

    >>> series = Series("A", pd.Index([0, 1]), np.zeros(2))
    >>> table = pd.DataFrame({"ds": [2, 3, 4], "price": [1.5, 1.7, 9.9]})
    >>> future_known([series], table, Covariates(known=("price",)), 1, 2).tolist()
    [[[1.5], [1.7]]]
    """
    if not covariates.known_features:
        return None
    frame, places = pd.DataFrame(), _forecast_places(series, freq, horizon)
    if covariates.known:
        if source is None:
            raise _incomplete(series, 0, places.ds[:horizon], covariates, "", places.remedy, freq)
        table = load(source, id_column, covariates=covariates.known, cells=cells)
        table, ids = (table, None) if shared else _id_column(table, places.names, id_column)
        named = replace(places, names=places.names[:1], codes=np.zeros_like(places.codes)) if shared else places
        time = _time_columns(table, time_column, covariates)
        table, rows = _rows(table, named, ids, time, covariates.known, aggregate)
        frame, places = table.frame, replace(places, positions=rows, row=table.row)
        _refuse_no_rows(series, places, horizon, covariates, freq)
    values, _ = CovariateReader(frame, places, covariates).known(freq)
    return None if values is None else values.reshape(len(series), horizon, -1)


def known_ahead(panel: Panel, horizon: int, source: Any = None) -> np.ndarray | None:
    """The known-future features of the `horizon` dates after the end of each series of a panel.

    Arguments:
        panel: the series.
        horizon: number of dates, h.
        source: see `future_known`; None for the rows of those dates in the table of the series.

    Returns:
        (S, h, K), float64; None if there are no such features.

    Raises:
        DataError: as `future_known`; a table although no covariate is known in advance.

    >>> from gatewise.series import read
    >>> panel = read(pd.DataFrame({"y": [5.0, 6.0, None, None], "price": [1, 1, 2, 3]}), known="price")
    >>> panel.series[0].y, known_ahead(panel, 2).tolist()
    (array([5., 6.]), [[[2.0], [3.0]]])
    """
    covariates = panel.covariates or Covariates()
    if source is not None and not covariates.known:
        raise DataError(
            "got a table of future covariates, but no covariates are known in advance; omit future= (--future), or "
            "name the columns as known= when fitting"
        )
    if source is None and covariates.known:
        return _ahead_in_history(panel, covariates, horizon)
    by = covariates.read_by
    columns: dict[str, Any] = {name: by.get(name) for name in ("id_column", "time_column", "aggregate")}
    shared = by.get("layout") == "columns"
    cells = with_earlier(CellFormat(), panel.read_by)
    return future_known(panel.series, source, covariates, panel.freq, horizon, shared=shared, cells=cells, **columns)


def _ahead_in_history(panel: Panel, covariates: Covariates, horizon: int) -> np.ndarray:
    ahead = [np.empty((0, 0)) if series.ahead is None else series.ahead[:horizon] for series in panel.series]
    short = np.array([len(values) for values in ahead]) < horizon
    if short.any():
        first, more = int(short.argmax()), _more_series(int(short.sum()) - 1)
        places = _forecast_places(panel.series[first : first + 1], panel.freq, horizon)
        available = f"the first {counted(len(ahead[first]), 'date')}" if len(ahead[first]) else "none of them"
        missing = f", but the history has {available}{more}"
        raise _incomplete(panel.series, first, places.ds, covariates, missing, places.remedy, panel.freq)
    return np.stack(ahead)


def _forecast_places(series: Sequence[Series], freq: str | int, horizon: int) -> Places:
    """The dates to forecast of each series, as places without rows."""
    names, codes = [one_series.unique_id for one_series in series], np.repeat(np.arange(len(series)), horizon)
    ds = _future_dates(series, freq, horizon)
    remedy = f"supply every value in predict({horizon}, future=table) (--future FILE)"
    return Places(names, codes, ds, np.full(len(ds), -1), remedy=remedy)


def _future_dates(series: Sequence[Series], freq: str | int, horizon: int) -> pd.Index:
    """(S * h,) the dates after each series, computed once for series with the same last date."""
    ends, distinct = pd.factorize(pd.Index([one_series.ds[-1] for one_series in series]))
    continued = [future(distinct[[i]], freq, horizon) for i in range(len(distinct))]
    dates = continued[0].append(continued[1:])
    return dates[(ends[:, None] * horizon + np.arange(horizon)).ravel()]


def _rows(
    table: Table, places: Places, ids: str | None, time: list[str], known: Sequence[str], aggregate: str | None
) -> tuple[Table, np.ndarray]:
    """The table, and (S * h,) its row for each series and date, -1 if there is none.

    With `aggregate`, the first of several rows of a series and date holds the covariates of all of them.
    """
    of_series = _series_of_rows(table, places.names, ids)
    positions = np.flatnonzero(of_series >= 0)  # rows of other series are not checked
    dates = places.ds.unique()
    at = dates.get_indexer(_dates(table, time, positions, dates))
    positions, at = positions[at >= 0], at[at >= 0]
    keys = pd.Index(of_series[positions] * len(dates) + at)
    place_keys = places.codes * len(dates) + dates.get_indexer(places.ds)
    repeated = keys.duplicated()
    if aggregate is not None and repeated.any():
        order = np.argsort(keys, kind="stable")
        row = partial(_row_at, table, positions[order])
        groups = np.unique(keys[order], return_inverse=True)[1]
        frame = with_one_value(table.frame, groups, positions[order], aggregate, known, row)
        table = replace(table, frame=frame)
    else:
        _refuse_duplicates(table, places, positions[repeated], keys[repeated], place_keys)
    at = keys[~repeated].get_indexer(place_keys)
    rows = np.append(positions[~repeated], -1)[at]  # a key without a row has index -1, the appended -1
    return table, np.asarray(rows)


def _row_at(table: Table, positions: np.ndarray, i: int) -> str:
    return table.row(int(positions[i]))


def _series_of_rows(table: Table, names: Sequence[Any], ids: str | None) -> np.ndarray:
    """(rows,) the series of each row, -1 for rows of other series."""
    if ids is None:
        return np.zeros(len(table.frame), np.int64)
    of_series = pd.Index(names).get_indexer(table.frame[ids])
    if (of_series < 0).all():
        raise DataError(
            f"{table.name} has none of the series {listed(names)}: its column {ids!r} holds "
            f"{listed(table.frame[ids].unique())}; use the names of the history"
        )
    return np.asarray(of_series)


def _id_column(table: Table, names: Sequence[Any], given: str | Sequence[str] | None) -> tuple[Table, str | None]:
    """The table and its column of series names, None if it needs none; several id columns are joined."""
    columns = list(table.frame.columns)
    expected = [given] if isinstance(given, str) else list(given or ["unique_id"])
    if set(expected) <= set(columns):
        return named_together(table, expected) if len(expected) > 1 else (table, expected[0])
    if len(names) == 1:
        return table, None
    naming = [] if given else [column for column in columns if set(names) <= set(table.frame[column].dropna().unique())]
    if len(naming) != 1:
        raise DataError(
            f"{table.name}: no column of series names found; expected {listed(expected)}, got {listed(columns)}; "
            "name it as in the history"
        )
    return table, str(naming[0])


def _time_columns(table: Table, given: str | Sequence[str] | None, covariates: Covariates) -> list[str]:
    columns = list(table.frame.columns)
    expected = [given] if isinstance(given, str) else list(given or ["ds"])
    if set(expected) <= set(columns):
        return expected
    others = [column for column in columns if column not in covariates.columns]
    dates = [column for column in others if looks_like_dates(table.frame[column])]
    dates = dates or [column for column in others if column.lower() in TIME_NAMES]
    if given or len(dates) != 1:
        counted_rows = "ds; if the history has no time column, continue its row numbers (from 0) in ds"
        raise DataError(
            f"{table.name}: no time column found; expected {listed(expected)}, got {listed(columns)}; name it "
            f"{'as in the history' if given else counted_rows}"
        )
    return dates


def _dates(table: Table, columns: list[str], positions: np.ndarray, expected: pd.Index) -> pd.Index:
    """The dates of the rows at `positions`, in the type and unit of the dates to forecast."""
    frame = table.frame.iloc[positions]

    def where(i: int) -> str:
        return table.row(int(positions[i]))

    ds = read_time(frame, columns, where, table, expected=expected).ds
    if (_is_dates(ds), _has_zone(ds)) != (_is_dates(expected), _has_zone(expected)):
        raise DataError(
            f"time column {listed(columns)} of {table.name} holds {ds.dtype} such as {format_date(ds[0])}, but the "
            f"history holds {expected.dtype} such as {format_date(expected[0])}; write the dates as in the history"
        )
    return ds.as_unit(expected.unit) if _is_dates(ds) else ds


def _is_dates(ds: pd.Index) -> bool:
    return isinstance(ds, pd.DatetimeIndex)


def _has_zone(ds: pd.Index) -> bool:
    return getattr(ds, "tz", None) is not None


# --------------------------------------------------------------------------------------------------------- errors


def _refuse_no_rows(
    series: Sequence[Series], places: Places, horizon: int, covariates: Covariates, freq: str | int
) -> None:
    """Raise an error for the first series without a row for every date."""
    lacking = (places.positions < 0).reshape(-1, horizon)
    if not lacking.any():
        return
    first = int(lacking.any(axis=1).argmax())
    ds = places.ds[first * horizon : (first + 1) * horizon]
    absent = ds[lacking[first]]
    partly = f"all but {counted(len(absent), 'date')}: {listed_dates(absent)}"
    available = "none of them" if len(absent) == horizon else partly
    more = _more_series(int(lacking.any(axis=1).sum()) - 1)
    raise _incomplete(series, first, ds, covariates, f", but the table has {available}{more}", places.remedy, freq)


def _more_series(count: int) -> str:
    return f" ({counted(count, 'more series')} with missing dates)" if count else ""


def _incomplete(
    series: Sequence[Series],
    k: int,
    ds: pd.Index,
    covariates: Covariates,
    missing: str,
    remedy: str,
    freq: str | int,
) -> DataError:
    """The error for a series without the covariates of its dates (h,); one that ends early can also be excluded."""
    end = series[k].ds[-1]
    subject = f"series {str(series[k].unique_id)!r}"
    if end < max(one_series.ds[-1] for one_series in series):
        subject += f" ends {'on' if _is_dates(ds) else 'at'} {format_date(end)}, before the others, and"
        option = ' with ended="exclude" (--ended exclude)' if ended(series, freq)[k] else ""
        remedy = f"exclude it{option}, or {remedy}"
    span = format_date(ds[0]) if len(ds) == 1 else f"{format_date(ds[0])} to {format_date(ds[-1])}"
    return DataError(
        f"{subject} needs the known covariates {listed(covariates.known)} for {span} ({counted(len(ds), 'date')})"
        f"{missing}; {remedy}"
    )


def _refuse_duplicates(
    table: Table, places: Places, positions: np.ndarray, keys: pd.Index, place_keys: np.ndarray
) -> None:
    is_needed = keys.isin(place_keys)
    if is_needed.any():
        first = int(is_needed.argmax())
        place = int((place_keys == keys[first]).argmax())
        name, date = str(places.names[places.codes[place]]), format_date(places.ds[place])
        raise DataError(
            f"series {name!r}, {table.row(int(positions[first]))}: duplicate date {date}; remove one of the rows"
        )
