"""The series of a fitted forecaster as the content of a file, and back.

Letters: `S` series, `N` values of all series, `U` dates, `A` steps after the ends of all series with known covariates;
`P`, `K` and `C` features, see `gatewise.forecast.model.window`.

The values of all series are concatenated. Each date is stored once, in order, with the position at which each series
starts. Where the calendars of series interleave, each calendar is stored separately.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gatewise.arguments import one_of
from gatewise.persistence.fields import (
    CONTROLS,
    Arrays,
    Content,
    array,
    as_text,
    check_text,
    checked,
    from_text,
    printable,
    sentences,
)
from gatewise.series import LARGEST, ExcludedSeries, Panel, Series, check_frequency
from gatewise.series.backends import Kind
from gatewise.series.outliers.treatment import treated, untreated
from gatewise.series.read_by import ReadBy
from gatewise.series.values import FILLS, NO_FILL

LATEST = 2**62  # integer time; tables with later ones are refused, too
UNITS = ("s", "ms", "us", "ns")
ON_BAD = ("raise", "skip", "naive")
NAMES = (str, int, float, bool)

# Names in version 1 of the format -> their present names.
CONTENT_OF_1 = {"bad": "excluded"}
ARRAYS_OF_1 = {
    "bad": "excluded",
    **{f"bad.{name}": f"excluded.{name}" for name in ("ds", "starts", "lengths", "y", "filled")},
}


def pack_panel(panel: Panel) -> tuple[Content, Arrays]:
    """Content and arrays of a panel.

    Raises:
        ValueError: a file cannot hold the name of a series or covariate, or a time zone.
    """
    excluded = [entry.series for entry in panel.excluded_series if entry.series is not None]
    time = _time_of([*panel.series, *excluded])
    covariates = None if panel.covariates is None else panel.covariates.content()
    check_text(covariates)
    categorical, kinds = _pack_categories(panel.categorical)
    content = {
        "freq": panel.freq,
        "guesses": [printable(sentence) for sentence in panel.guesses],
        "backend": panel.backend,
        "date_only": panel.date_only,
        "categorical": categorical,
        "on_bad": panel.on_bad,
        "excluded": len(panel.excluded_series),
        "time": time,
        "covariates": covariates,
    } | ({} if panel.fill is None else {"fill": panel.fill})
    if read_by := panel.read_by.content():
        check_text(read_by)
        content["read_by"] = read_by
    if panel.outliers != "report":
        content["outliers"] = panel.outliers
    arrays = {"names": as_text([_plain(series.unique_id) for series in panel.series])}
    as_read = [untreated(series) for series in panel.series]
    arrays |= kinds | _pack_series(as_read, time, "") | _pack_features(panel.series) | _pack_ahead(panel.series)
    if panel.excluded_series:
        reasons = [
            [_plain(entry.unique_id), printable(entry.reason), entry.series is not None]
            for entry in panel.excluded_series
        ]
        arrays["excluded"] = as_text(reasons)
    if excluded:
        arrays |= _pack_series(excluded, time, "excluded.")
    return content, arrays


def unpack_panel(content: Content, arrays: Arrays) -> Panel:
    """The panel of content and arrays; its arrays are removed.

    Raises:
        ValueError: the message says what is missing or invalid.
    """
    time = checked(content, "time", dict, type(None))
    one_of("backend", content.get("backend"), ("pandas", "polars"))
    one_of("on_bad", content.get("on_bad"), ON_BAD)
    bare = _unpack_series(time, arrays, "")
    names = _checked_names(from_text(arrays, "names", len(bare)))
    freq = check_frequency(checked(content, "freq", int, str), bare[0].ds)
    if isinstance(freq, int) and freq >= LATEST:
        raise ValueError("freq is too large")
    features = _unpack_features(arrays, [len(series) for series in bare])
    excluded = _unpack_excluded(content, arrays, time)
    categorical = _unpack_categories(content, arrays)
    kinds = [] if isinstance(categorical, bool) else categorical.categories.tolist()
    _check_types([*names, *(entry.unique_id for entry in excluded), *kinds], content["backend"], bool(categorical))
    series = tuple(
        replace(Series(name, one.ds, one.y, one.filled, *features_of), masked=one.masked)
        for name, one, features_of in zip(names, bare, zip(*features, strict=True), strict=True)
    )
    outliers = content.get("outliers", "report")  # files have it only if outliers are treated
    one_of("outliers", outliers, ("report", "clip", "missing"))
    if outliers != "report":
        series = treated(series, freq, outliers, _fill(content)).series
    return Panel(
        series,
        freq,
        sentences(content, "guesses"),
        content["backend"],
        checked(content, "date_only", bool),
        _covariates(content, freq),
        excluded,
        content["on_bad"],
        categorical,
        _fill(content),
        outliers=outliers,
        read_by=ReadBy.of_content(content.get("read_by", {})),  # older files have none
    )


def _fill(content: Content) -> str | None:
    fill: str | None = checked({"fill": None, **content}, "fill", str, type(None))  # older files have none
    if fill is not None:
        one_of("fill", fill, (*FILLS, NO_FILL))
    return fill


def widths(panel: Panel) -> tuple[int, int, int]:
    """How many features the series have: P, K and C."""
    first = panel.series[0]
    past, known, static = (0 if x is None else x.shape[-1] for x in (first.past, first.known, first.static))
    return past, known, static


# --------------------------------------------------------------------------------------------------------- series


def _pack_series(series: Sequence[Series], time: Content | None, prefix: str) -> Arrays:
    """Dates and values: ds (U,), starts and lengths (S,), y (N,); with repairs also filled (N,) and masked (S,)."""
    ds, starts = _dates_of(series, time)
    arrays = {
        "ds": ds,
        "starts": starts,
        "lengths": np.array([len(one_series) for one_series in series], np.int64),
        "y": np.concatenate([one_series.y for one_series in series]),
    }
    if any(one_series.filled is not None for one_series in series):
        filled = [
            np.zeros(len(one_series), bool) if one_series.filled is None else one_series.filled for one_series in series
        ]
        arrays["filled"] = np.concatenate(filled)
    if any(one_series.masked for one_series in series):
        arrays["masked"] = np.array([one_series.masked for one_series in series])
    return {prefix + name: values for name, values in arrays.items()}


def _unpack_series(time: Content | None, arrays: Arrays, prefix: str) -> list[Series]:
    """The series, without names."""
    y = array(arrays, f"{prefix}y")
    if len(y) == 0 or np.abs(y).max() > LARGEST:
        raise ValueError(f"{prefix}y is empty or beyond {LARGEST:g}")
    lengths = array(arrays, f"{prefix}lengths", np.int64)
    starts = array(arrays, f"{prefix}starts", np.int64, lengths.shape)
    if not len(lengths) or lengths.min() < 1 or lengths.max() > len(y) or lengths.sum() != len(y):
        raise ValueError(f"{prefix}lengths do not add up to the {len(y)} values")
    counts = array(arrays, f"{prefix}ds", np.int64)
    _check_order(counts, starts, lengths, prefix)
    dates = _index(time, counts)
    filled = array(arrays, f"{prefix}filled", np.bool_, y.shape) if f"{prefix}filled" in arrays else None
    has_mask = f"{prefix}masked" in arrays  # older files have none
    masked = array(arrays, f"{prefix}masked", np.bool_, lengths.shape) if has_mask else np.zeros(len(lengths), bool)
    calendars: dict[tuple[int, int], pd.Index] = {}  # series with equal dates share them
    series, end = [], 0
    for start, length, may_miss in zip(starts.tolist(), lengths.tolist(), masked.tolist(), strict=True):
        if (start, length) not in calendars:
            calendars[start, length] = dates[start : start + length]
        part = slice(end, end := end + length)
        filled_part = None if filled is None or not filled[part].any() else filled[part]
        series.append(Series(None, calendars[start, length], y[part], filled_part, masked=may_miss))
    return series


def _check_order(counts: np.ndarray, starts: np.ndarray, lengths: np.ndarray, prefix: str) -> None:
    """Refuse series whose dates are missing, out of order, or duplicated."""
    if starts.min() < 0 or (starts > len(counts) - lengths).any():
        raise ValueError(f"{prefix}starts and {prefix}lengths reach beyond the {len(counts)} dates of {prefix}ds")
    falls = np.concatenate([[0], np.cumsum(counts[1:] <= counts[:-1])])
    if (falls[starts + lengths - 1] != falls[starts]).any():
        raise ValueError(f"{prefix}ds is not sorted, or has duplicates")


def _pack_features(series: Sequence[Series]) -> Arrays:
    """past (N, P), known (N, K) and static (S, C), each if the series have it."""
    arrays = {}
    for name in ("past", "known", "static"):
        if getattr(series[0], name) is not None:
            rows = [np.atleast_2d(getattr(one_series, name)) for one_series in series]
            arrays[name] = np.concatenate(rows, dtype=np.float64)
    return arrays


def _pack_ahead(series: Sequence[Series]) -> Arrays:
    """ahead (A, K) and ahead.lengths (S,), if covariates of any series are known in advance."""
    lengths = np.array([0 if one_series.ahead is None else len(one_series.ahead) for one_series in series], np.int64)
    if not lengths.any():
        return {}
    rows = [one_series.ahead for one_series in series if one_series.ahead is not None]
    return {"ahead": np.concatenate(rows, dtype=np.float64), "ahead.lengths": lengths}


def _unpack_features(arrays: Arrays, lengths: list[int]) -> list[Sequence[Any]]:
    """past, known, static and ahead of each series."""
    missing, shapes = [None] * len(lengths), {"past": sum(lengths), "known": sum(lengths), "static": len(lengths)}
    features = {name: array(arrays, name, np.float64, (n, None)) for name, n in shapes.items() if name in arrays}
    past, known = (_parts(features[name], lengths) if name in features else missing for name in ("past", "known"))
    static = list(features["static"]) if "static" in features else missing
    width = features["known"].shape[1] if "known" in features else 0
    return [past, known, static, _unpack_ahead(arrays, len(lengths), width) if width else missing]


def _unpack_ahead(arrays: Arrays, count: int, width: int) -> Sequence[Any]:
    """The future covariates of each series, None where there are none."""
    if "ahead" not in arrays:
        return [None] * count
    values = array(arrays, "ahead", np.float64, (None, width))
    lengths = array(arrays, "ahead.lengths", np.int64, (count,))
    if lengths.min() < 0 or lengths.max() > len(values) or lengths.sum() != len(values):
        raise ValueError(f"ahead.lengths do not add up to the {len(values)} steps ahead")
    return [part if len(part) else None for part in _parts(values, lengths.tolist())]


def _parts(values: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    """The rows of each series, out of the concatenated rows."""
    return np.split(values, np.cumsum(lengths)[:-1])


def _unpack_excluded(content: Content, arrays: Arrays, time: Content | None) -> tuple[ExcludedSeries, ...]:
    count = checked(content, "excluded", int)
    rows = from_text(arrays, "excluded", count) if count else []
    if not all(type(row) is list and [type(part) for part in row[1:]] == [str, bool] for row in rows):
        raise ValueError("array 'excluded' is not a list of names, reasons, and whether the series is stored")
    check_text([reason for _, reason, _ in rows])
    names = _checked_names([name for name, _, _ in rows])
    series = _unpack_series(time, arrays, "excluded.") if any(stored for _, _, stored in rows) else []
    expected = sum(stored for _, _, stored in rows)
    if len(series) != expected:
        raise ValueError(f"'excluded.lengths' has {len(series)} series, but 'excluded' says {expected}")
    remaining = iter(series)
    excluded = []
    for name, (_, reason, stored) in zip(names, rows, strict=True):
        one_series = next(remaining) if stored else None
        named = None if one_series is None else Series(name, one_series.ds, one_series.y, one_series.filled)
        excluded.append(ExcludedSeries(name, reason, named))
    return tuple(excluded)


def _covariates(content: Content, freq: str | int) -> Any:
    if checked(content, "covariates", dict, type(None)) is None:
        return None
    from gatewise.series.covariates.roles import Covariates

    return Covariates.of_content(content["covariates"], freq)


# ---------------------------------------------------------------------------------------------------------- names


def _plain(name: Any) -> Any:
    """A name that a file can hold, as a Python value."""
    value = name.item() if isinstance(name, np.generic) else name
    if fault := _fault(value):
        raise ValueError(f"series {name!r}: a file can hold {fault}; rename the series")
    return value


def _fault(name: Any) -> str:
    """The rule that a name violates, to follow "a file can hold"; "" if a file can hold the name."""
    if type(name) not in NAMES or (type(name) is int and not -(2**63) <= name < 2**64):
        return "only text, booleans, floats and integers of up to 64 bits as names"
    if type(name) is float and not math.isfinite(name):
        return "only finite numbers as names"
    if type(name) is str and CONTROLS.search(name):
        return "only names without control characters"
    return ""


def _checked_names(names: list[Any]) -> list[Any]:
    if invalid := [name for name in names if _fault(name)]:
        raise ValueError(f"a series is called {invalid[0]!r:.80}, but a file can hold {_fault(invalid[0])}")
    if len({(type(name), name) for name in names}) < len(names):
        raise ValueError("two series have the same name")
    return names


def _pack_categories(categorical: Kind) -> tuple[bool | Content, Arrays]:
    """The type of the names; the categories themselves, which may be many, in an array."""
    if isinstance(categorical, bool):
        return categorical, {}
    categories = [_plain(name) for name in categorical.categories]
    description = {"count": len(categories), "ordered": bool(categorical.ordered)}
    return description, {"categories": as_text(categories)}


def _unpack_categories(content: Content, arrays: Arrays) -> Kind:
    description = checked(content, "categorical", bool, dict)
    if isinstance(description, bool):
        return description
    categories = _checked_names(from_text(arrays, "categories", checked(description, "count", int)))
    return pd.CategoricalDtype(categories, checked(description, "ordered", bool))


def _check_types(names: list[Any], backend: str, categorical: bool) -> None:
    """Refuse names of series, excluded series or categories that a polars table cannot hold."""
    if backend == "polars" and not _have_one_type(names):
        raise ValueError("the names of the series have several types, which a polars column cannot hold")
    if backend == "polars" and categorical and type(names[0]) is not str:
        raise ValueError(f"categorical is True, but a series is called {names[0]!r}, which is not text")


def _have_one_type(names: list[Any]) -> bool:
    kinds = {type(name) for name in names}
    return len(kinds) <= 1 and (kinds != {int} or min(names) >= 0 or max(names) < 2**63)


# ----------------------------------------------------------------------------------------------------------- time


def _time_of(series: Sequence[Series]) -> Content | None:
    """The unit and zone of the times: the finest unit of all series; None for integers."""
    distinct = list({id(one_series.ds): one_series.ds for one_series in series}.values())
    if not isinstance(distinct[0], pd.DatetimeIndex):
        return None
    zone = distinct[0].tz
    time = {"unit": max((ds.unit for ds in distinct), key=UNITS.index), "zone": None if zone is None else str(zone)}
    try:
        _dates(time, np.zeros(1, np.int64))
    except ValueError:
        raise ValueError(
            f"series {str(series[0].unique_id)!r}: a file cannot hold dates in the time zone {zone}; convert them to a "
            'zone with a name, as by dates.dt.tz_convert("Europe/Berlin")'
        ) from None
    return time


def _dates_of(series: Sequence[Series], time: Content | None) -> tuple[np.ndarray, np.ndarray]:
    """The dates of all series as integers (U,), and the position at which each series starts (S,)."""
    distinct = {id(one_series.ds): one_series.ds for one_series in series}
    counts = [_counts(ds, time) for ds in distinct.values()]
    lengths = np.array([len(calendar) for calendar in counts])
    merged = np.unique(np.concatenate(counts))
    first, last = (merged.searchsorted([calendar[end] for calendar in counts]) for end in (0, -1))
    if (last - first + 1 != lengths).any():  # calendars interleave
        merged, first = np.concatenate(counts), lengths.cumsum() - lengths
    start = dict(zip(distinct, first.tolist(), strict=True))
    return merged, np.array([start[id(one_series.ds)] for one_series in series], np.int64)


def _counts(ds: pd.Index, time: Content | None) -> np.ndarray:
    return ds.to_numpy(np.int64) if time is None else np.asarray(ds.as_unit(time["unit"]).asi8)


def _dates(time: Content, counts: np.ndarray) -> pd.DatetimeIndex:
    unit, zone = time.get("unit"), time.get("zone")
    one_of("unit", unit, UNITS)
    dates = counts.view(f"M8[{unit}]")
    years = dates.astype("M8[Y]").astype(np.int64) + 1970
    if np.isnat(dates).any() or not ((years > 0) & (years < 10000)).all():
        raise ValueError("ds holds a date outside the years 1 to 9999")
    index = pd.DatetimeIndex(dates)
    if zone is None:
        return index
    if not isinstance(zone, str) or not re.fullmatch(r"(?!dateutil)[A-Za-z][\w+/:-]{0,60}", zone):
        raise ValueError(f"zone is {str(zone)[:80]!r}, expected the name of a time zone such as Europe/Berlin")
    try:
        return index.tz_localize("UTC").tz_convert(zone)
    except (KeyError, TypeError, ValueError, OSError):  # depends on the source of the time zones
        raise ValueError(f"time zone {zone!r} is unknown on this machine, which may lack the package tzdata") from None


def _index(time: Content | None, counts: np.ndarray) -> pd.Index:
    if time is not None:
        return _dates(time, counts)
    if (np.abs(counts.astype(np.float64)) >= LATEST).any():
        raise ValueError("ds holds a time that is too large")
    return pd.Index(counts)
