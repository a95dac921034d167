"""A fitted forecaster as what a file holds, and back; see `gatewise.storage` for the file.

Of what comes from a file nothing is believed: every name, type, shape and size is checked before it is used.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch

from gatewise.forecast.checks import LARGEST, one_of, whole
from gatewise.forecast.intervals import Calibration
from gatewise.forecast.one_step import Fitted, Pipeline, Recipe
from gatewise.forecast.plan import Plan
from gatewise.series import DataError, Panel, Series, check_frequency
from gatewise.series.dates import show
from gatewise.training import History
from gatewise.windows import Difference, Scale

KIND, STRATEGY = "Forecaster", "one-step"
LATEST = 2**62  # a time in whole numbers beyond is refused when a series is read, too
LOSSES_OF = ("train", "held_out", "lr", "seconds")

Content: TypeAlias = dict[str, Any]
Arrays: TypeAlias = dict[str, "np.ndarray[Any, Any]"]


def pack(arguments: Mapping[str, Any], panel: Panel, model: Fitted, chosen: tuple[str, ...]) -> tuple[Content, Arrays]:
    """Content and arrays of a fitted forecaster.

    Raises:
        ValueError: the series has a name or a time zone that a file cannot keep.
    """
    one, line, history = panel.series[0], model.pipeline, model.history
    if type(one.unique_id) not in (str, int, float, bool):
        raise ValueError(f"series {one.unique_id!r}: a file keeps names that are text or numbers; rename the series")
    time, counts = _time_of(one)
    content = {
        "arguments": {
            name: value.item() if isinstance(value, np.generic) else value for name, value in arguments.items()
        },
        "strategy": STRATEGY,
        "context": line.context,
        "season": line.season,
        "growth": model.calibrated.growth,
        "best_epoch": history.best_epoch,
        "stopped": history.stopped,
        "chosen": list(chosen),
        "unique_id": one.unique_id,
        "time": time,
        "freq": panel.freq,
        "guesses": list(panel.guesses),
        "backend": panel.backend,
        "date_only": panel.date_only,
    }
    arrays = {"ds": counts, "y": one.y, "distances": model.calibrated.distances}
    arrays |= {} if one.filled is None else {"filled": one.filled}
    arrays |= {f"scale.{name}": np.asarray(getattr(line.scale, name), np.float64) for name in ("shift", "scale")}
    arrays |= {f"history.{name}": np.asarray(asdict(history)[name], np.float64) for name in LOSSES_OF}
    for k, network in enumerate(model.networks):
        arrays |= {f"network.{k}.{name}": weight.cpu().numpy() for name, weight in network.state_dict().items()}
    return content, arrays


def unpack(content: Content, arrays: Arrays, plan: Plan, recipe: Recipe) -> tuple[Panel, Fitted, tuple[str, ...]]:
    """The series, the model, and what was chosen for it, of content and arrays whose arguments made plan and recipe.

    Raises:
        ValueError: says what is missing or cannot be.
    """
    one_of("strategy", content.get("strategy"), (STRATEGY,))
    left = dict(arrays)
    panel = _panel(content, left)
    pipeline = _pipeline(content, left, plan)
    check_enough(panel.series[0], pipeline)
    history = _history(content, left)
    growth, distances = _taken(content, "growth", int, float), _array(left, "distances")
    if not 0 <= growth <= 1 or not len(distances) or distances[0] < 0 or (np.diff(distances) < 0).any():
        raise ValueError("growth and distances are those of no calibration, a number from 0 to 1 and sorted errors")
    networks = recipe.restored(pipeline, _states(left, recipe))
    model = Fitted(pipeline, networks, history, Calibration(growth, distances))
    return panel, model, _sentences(content, "chosen")


def arguments(content: Content, known: Mapping[str, Any]) -> Content:
    """The arguments of the constructor, none of them unknown."""
    given: Content = _taken(content, "arguments", dict)
    unknown = set(given) - set(known)
    if unknown:
        raise ValueError(f"argument {min(unknown)[:80]!r} is unknown, perhaps of a newer Gatewise")
    return given


def check_newer(old: Panel, new: Panel, pipeline: Pipeline) -> None:
    """Refuse a history that does not continue the series of a model, or is too short for it.

    Raises:
        DataError: says what differs.
    """
    before, after = old.series[0], new.series[0]
    differences = {
        "series": (str(before.unique_id), str(after.unique_id)),
        "frequency": (old.freq, new.freq),
        "time zone": (str(getattr(before.ds, "tz", None)), str(getattr(after.ds, "tz", None))),
    }
    for what, (known, came) in differences.items():
        if known != came:
            raise DataError(
                f"{what} {came!r} came, but the model was trained on {what} {known!r}; give the same series, or train "
                "another model"
            )
    if after.ds[-1] < before.ds[-1]:
        raise DataError(
            f"series {str(after.unique_id)!r} ends at {show(after.ds[-1])}, expected {show(before.ds[-1])} or later, "
            "where what the model was trained on ends; give a newer history"
        )
    check_enough(after, pipeline)


def check_enough(one: Series, pipeline: Pipeline) -> None:
    """Refuse a series that is too short to be forecast and approximated."""
    if len(one) <= pipeline.needed:
        raise DataError(
            f"series {str(one.unique_id)!r} has {len(one)} values, expected at least {pipeline.needed + 1}, as the "
            f"model reads {pipeline.needed}; give a longer history"
        )


# ----------------------------------------------------------------------------------------------------------- time


def _time_of(one: Series) -> tuple[Content | None, np.ndarray]:
    """The time of a series in counts, and of what: None for whole numbers."""
    if not isinstance(one.ds, pd.DatetimeIndex):
        return None, one.ds.to_numpy(np.int64)
    time = {"unit": one.ds.unit, "zone": None if one.ds.tz is None else str(one.ds.tz)}
    counts = np.asarray(one.ds.asi8)
    try:
        _dates(time, counts)
    except ValueError:
        raise ValueError(
            f"series {str(one.unique_id)!r}: a file cannot keep dates in the time zone {one.ds.tz}; convert them to a "
            'zone with a name, as by dates.dt.tz_convert("Europe/Berlin")'
        ) from None
    return time, counts


def _dates(time: Content, counts: np.ndarray) -> pd.DatetimeIndex:
    unit, zone = time.get("unit"), time.get("zone")
    one_of("unit", unit, ("s", "ms", "us", "ns"))
    dates = counts.view(f"M8[{unit}]")
    years = dates.astype("M8[Y]").astype(np.int64) + 1970
    if np.isnat(dates).any() or not ((years > 0) & (years < 10000)).all():
        raise ValueError("ds holds what is no date of the years 1 to 9999")
    index = pd.DatetimeIndex(dates)
    if zone is None:
        return index
    if not isinstance(zone, str) or not re.fullmatch(r"(?!dateutil)[A-Za-z][\w+/:-]{0,60}", zone):
        raise ValueError(f"zone is {str(zone)[:80]!r}, expected the name of a time zone such as Europe/Berlin")
    try:
        return index.tz_localize("UTC").tz_convert(zone)
    except (KeyError, TypeError, ValueError, OSError):  # of whatever keeps the zones
        raise ValueError(f"this machine knows no time zone {zone!r}; install tzdata") from None


def _index(content: Content, counts: np.ndarray) -> pd.Index:
    time = _taken(content, "time", dict, type(None))
    index = pd.Index(counts) if time is None else _dates(time, counts)
    if time is None and (np.abs(counts.astype(np.float64)) >= LATEST).any():
        raise ValueError("ds holds a time that is too large")
    if not index.is_monotonic_increasing or not index.is_unique:
        raise ValueError("ds holds no dates in order")
    return index


# ---------------------------------------------------------------------------------------------------------- parts


def _panel(content: Content, arrays: Arrays) -> Panel:
    y = _array(arrays, "y")
    if len(y) == 0 or np.abs(y).max() > LARGEST:
        raise ValueError(f"y is empty or beyond {LARGEST:g}")
    ds = _index(content, _array(arrays, "ds", np.int64, y.shape))
    filled = _array(arrays, "filled", np.bool_, y.shape) if "filled" in arrays else None
    freq = check_frequency(_taken(content, "freq", int, str), ds)
    if isinstance(freq, int) and freq >= LATEST:
        raise ValueError("freq is too large")
    one_of("backend", content.get("backend"), ("pandas", "polars"))
    return Panel(
        (Series(_taken(content, "unique_id", str, int, float, bool), ds, y, filled),),
        freq,
        _sentences(content, "guesses"),
        content["backend"],
        _taken(content, "date_only", bool),
    )


def _pipeline(content: Content, arrays: Arrays, plan: Plan) -> Pipeline:
    for name in ("context", "season"):
        whole(name, content.get(name), 1)
        asked = getattr(plan, name)
        if asked not in (None, content[name]):
            raise ValueError(f"{name} is {content[name]}, but {asked} in the arguments")
    by_window, season = plan.scale == "window", content["season"]
    shift, scale = (_array(arrays, f"scale.{name}", np.float64, ()) for name in ("shift", "scale"))
    if scale <= 0:
        raise ValueError(f"scale.scale is {scale}, expected a number above 0")
    difference = Difference(plan.difference, plan.seasonal_difference, season)
    return Pipeline(
        difference, Scale("standard" if by_window else plan.scale, shift, scale), by_window, content["context"], season
    )


def _history(content: Content, arrays: Arrays) -> History:
    train = _array(arrays, "history.train")
    epochs = len(train)
    lists = {name: _array(arrays, f"history.{name}", np.float64, (epochs,)).tolist() for name in LOSSES_OF[1:]}
    best: int = _taken(content, "best_epoch", int)
    whole("best_epoch", best, 1)
    if best > epochs:
        raise ValueError(f"best_epoch is {best} of {epochs}")
    one_of("stopped", content.get("stopped"), ("", "epochs", "patience", "divergence"))
    return History(train.tolist(), **lists, best_epoch=best, stopped=content["stopped"])


def _states(arrays: Arrays, recipe: Recipe) -> list[dict[str, torch.Tensor]]:
    """The weights of each network; their shapes are for the networks to check."""
    if len(arrays) < recipe.networks * recipe.num_layers:  # before networks of so many layers are made
        raise ValueError(f"too few arrays for {recipe.networks} networks of {recipe.num_layers} layers")
    states: list[dict[str, torch.Tensor]] = [{} for _ in range(recipe.networks)]
    numbers = {str(number) for number in range(recipe.networks)}
    for name in list(arrays):
        number, _, weight = name.removeprefix("network.").partition(".")
        if not name.startswith("network.") or number not in numbers:
            raise ValueError(f"array {name[:80]!r} belongs to no part of the forecaster")
        states[int(number)][weight] = torch.from_numpy(_array(arrays, name, np.float32, arrays[name].shape))
    return states


# --------------------------------------------------------------------------------------------------------- values


def _taken(content: Content, name: str, *kinds: type) -> Any:
    value = content.get(name)
    if name not in content or type(value) not in kinds:
        raise ValueError(f"{name} is {value!r:.80}, expected {' or '.join(kind.__name__ for kind in kinds)}")
    return value


def _sentences(content: Content, name: str) -> tuple[str, ...]:
    sentences = _taken(content, name, list)
    if not all(isinstance(sentence, str) for sentence in sentences):
        raise ValueError(f"{name} is {sentences!r:.80}, expected sentences")
    return tuple(sentences)


def _array(arrays: Arrays, name: str, dtype: Any = np.float64, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """An array of a type and a shape, by default one-dimensional; it is taken out, so that what is left is strange."""
    if name not in arrays:
        raise ValueError(f"there is no array {name!r}")
    array = arrays.pop(name)
    fits = array.ndim == 1 if shape is None else array.shape == shape
    if array.dtype != dtype or not fits:
        wanted = "one dimension" if shape is None else f"shape {shape}"
        raise ValueError(
            f"array {name!r} is {array.dtype} of shape {array.shape}, expected {np.dtype(dtype)} of {wanted}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"array {name!r} holds NaN or infinity")
    return array
