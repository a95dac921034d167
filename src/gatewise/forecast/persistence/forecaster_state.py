"""A fitted forecaster as the content of a file, and back; see `gatewise.persistence` for the file.

Values from a file are validated before use: every name, type, shape and size.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import torch

from gatewise import persistence
from gatewise.arguments import number, one_of, plain, whole
from gatewise.forecast.model.borrowed_past import fewest
from gatewise.forecast.model.ensemble import Ensemble
from gatewise.forecast.model.plan import LONGEST_SEGMENT, Plan, Sizes
from gatewise.forecast.model.selection import Selection
from gatewise.forecast.model.strategies import STRATEGIES
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import FLOORS, Features, WindowScaling
from gatewise.forecast.persistence import delivery_state, panel_state
from gatewise.forecast.persistence.calibration_state import LOG_SCALES, unpack_log_scales
from gatewise.forecast.persistence.delivery_state import (
    pack_method,
    pack_shifts,
    unpack_longer_seasons,
    unpack_method,
    unpack_shifts,
)
from gatewise.forecast.persistence.panel_state import pack_panel, unpack_panel, widths
from gatewise.forecast.validation import check_horizon
from gatewise.persistence.fields import (
    Arrays,
    Content,
    array,
    check_text,
    checked,
    measure,
    printable,
    renamed,
    sentences,
)
from gatewise.series import Panel
from gatewise.series.panel import length_of
from gatewise.training import History
from gatewise.windows import Difference, Scale

KIND = "Forecaster"
HISTORY_ARRAYS = ("train", "held_out", "lr", "seconds")
SCALING_FIELDS = tuple(
    field.name for field in fields(WindowScaling) if field.name not in ("difference", "scale", "features")
)
CONFIGURATION_FIELDS = tuple(
    field.name for field in fields(TrainingConfiguration) if field.name not in ("engine", "jobs", "quiet")
)
MOST_PADDED = 1000  # padded values for each value of the series: more cannot be a model of these series

# Names in version 1 of the format -> their present names.
ARGUMENTS_OF_1 = {"networks": "ensemble_size", "updates": "max_steps", "held_out": "validation_fraction"}
CONTENT_OF_1 = {
    "frame": "scaling",
    "recipe": "configuration",
    "rival": "baseline",
    "model": "ensemble",
    "said": "selection_choices",
    "chosen": "choices",
}
ARRAYS_OF_1 = {
    "rival.distances": "baseline.distances",
    "rival.errors": "baseline.errors",
    "model.distances": "ensemble.distances",
    "model.errors": "ensemble.errors",
    **panel_state.ARRAYS_OF_1,
}


def from_version_1(content: Content, arrays: Arrays) -> tuple[Content, Arrays]:
    """Content and arrays of version 1 under their present names."""
    content = renamed(content, CONTENT_OF_1)
    parts = {"arguments": ARGUMENTS_OF_1, "configuration": ARGUMENTS_OF_1, "panel": panel_state.CONTENT_OF_1}
    parts |= {part: {"renewals": "recalibrations"} for part in ("ensemble", "baseline")}
    for part, names in parts.items():
        if part in content:
            content[part] = renamed(content[part], names)
    return delivery_state.from_version_1(content, renamed(arrays, ARRAYS_OF_1))


UPGRADES = {1: from_version_1}


class StoredForecaster(NamedTuple):
    """What a file holds besides the arguments.

    Attributes:
        panel: the series.
        selection: the trained networks and the delivered method.
        choices: one sentence for each choice made for the series.
    """

    panel: Panel
    selection: Selection
    choices: tuple[str, ...]


class Configured(Protocol):
    """A forecaster before it is fitted."""

    plan: Plan
    sizes: Sizes


ForecasterType = TypeVar("ForecasterType", bound=Configured)


def save(
    path: str | os.PathLike[str],
    arguments: Mapping[str, Any],
    panel: Panel,
    selection: Selection,
    choices: tuple[str, ...],
) -> None:
    """Write a fitted forecaster to a file; see `gatewise.Forecaster.save`."""
    persistence.save(path, KIND, *pack(arguments, panel, selection, choices))


def load(
    path: str | os.PathLike[str], create: Callable[..., ForecasterType], known: Mapping[str, Any]
) -> tuple[ForecasterType, StoredForecaster]:
    """Read a file that `save` wrote; see `gatewise.Forecaster.load`.

    Arguments:
        path: of the file.
        create: creates a forecaster from its arguments.
        known: the names of the arguments.

    Returns:
        The forecaster before it is fitted, and its stored state.
    """
    content, arrays = persistence.load(path, KIND, UPGRADES)
    try:
        forecaster = create(**_arguments(content, known))
        return forecaster, unpack(content, arrays, forecaster.plan, forecaster.sizes)
    except ValueError as reason:
        raise persistence.FormatError(
            f"{path} does not hold a valid forecaster: {reason}; save it again with this Gatewise"
        ) from None


def pack(
    arguments: Mapping[str, Any], panel: Panel, selection: Selection, choices: tuple[str, ...]
) -> tuple[Content, Arrays]:
    """Content and arrays of a fitted forecaster.

    Raises:
        ValueError: a series has a name or a time zone that a file cannot hold.
    """
    ensemble, history = selection.ensemble, selection.ensemble.history
    panel_content, arrays = pack_panel(panel)
    method, method_arrays = pack_method(selection.delivered)
    content = {
        "arguments": {name: plain(value) for name, value in arguments.items()},
        "panel": panel_content,
        "scaling": _pack_scaling(ensemble.scaling),
        "configuration": {name: plain(getattr(selection.configuration, name)) for name in CONFIGURATION_FIELDS},
        "history": {"best_epoch": history.best_epoch, "stopped": history.stopped},
        "ensemble": {"error": ensemble.error, "bounded_scales": ensemble.log_scales is not None},
        "delivered": method,
        **({"longer_seasons": list(selection.longer)} if selection.longer else {}),
        "counting": selection.counting,
        "shifts": pack_shifts(selection.alignment, panel),
        **delivery_state.pack_cold_start(selection.cold_start),
        "selection_choices": [printable(sentence) for sentence in selection.choices],
        "choices": [printable(sentence) for sentence in choices],
    }
    arrays |= _pack_features(ensemble.scaling.features)
    arrays |= {f"history.{name}": np.asarray(asdict(history)[name], np.float64) for name in HISTORY_ARRAYS}
    arrays |= method_arrays
    if ensemble.log_scales is not None:
        arrays[LOG_SCALES] = ensemble.log_scales
    for k, network in enumerate(ensemble.networks):
        arrays |= {f"network.{k}.{name}": weight.cpu().numpy() for name, weight in network.state_dict().items()}
    return content, arrays


def unpack(content: Content, arrays: Arrays, plan: Plan, sizes: Sizes) -> StoredForecaster:
    """The stored state out of content and arrays; plan and sizes are those of the stored arguments.

    Raises:
        ValueError: the message says what is missing or invalid.
    """
    check_text(content)
    remaining = dict(arrays)
    panel = unpack_panel(checked(content, "panel", dict), remaining)
    scaling = _scaling(checked(content, "scaling", dict), remaining, plan)
    _check_features(panel, scaling)
    _check_lengths(panel, scaling)
    configuration = _configuration(checked(content, "configuration", dict), sizes)
    history = _history(checked(content, "history", dict), remaining)
    longer = unpack_longer_seasons(content, plan, panel.season)
    delivered = unpack_method(checked(content, "delivered", dict), remaining, scaling.season, longer)
    measured = checked(content, "ensemble", dict)
    error, log_scales = measure(measured, "error"), unpack_log_scales(measured, remaining, scaling.reach)
    networks = configuration.load_networks(scaling, _states(remaining, configuration, scaling))
    ensemble = Ensemble(scaling, networks, history, error, log_scales=log_scales)
    alignment = unpack_shifts(checked(content, "shifts", list), panel)
    options: dict[str, Any] = {
        "limits": plan.limits,
        "point": plan.point,
        "longer": longer,
        "counting": "counting" in content and checked(content, "counting", bool),  # earlier files forecast as before
        "cold_start": delivery_state.unpack_cold_start(content, fewest(scaling)),
    }
    choices, season = sentences(content, "selection_choices"), scaling.season
    selection = Selection(ensemble, configuration, season, panel.freq, delivered, choices, alignment, **options)
    return StoredForecaster(panel, selection, sentences(content, "choices"))


def _arguments(content: Content, known: Mapping[str, Any]) -> Content:
    """The arguments of the constructor; all names are known."""
    arguments: Content = checked(content, "arguments", dict)
    unknown = set(arguments) - set(known)
    if unknown:
        raise ValueError(f"argument {min(unknown)[:80]!r} is unknown, perhaps from a newer Gatewise")
    season = arguments.get("season")
    return {**arguments, "season": tuple(season)} if isinstance(season, list) else arguments


# ---------------------------------------------------------------------------------------------------------- scaling


def _pack_features(features: Features) -> Arrays:
    return {
        f"{name}.{part}": np.asarray(getattr(scale, part), np.float64)
        for name, scale in vars(features).items()
        if scale is not None
        for part in ("shift", "scale")
    }


def _pack_scaling(scaling: WindowScaling) -> Content:
    """The fields of a scaling; `masked` only if it is true, which older files do not have."""
    return {name: plain(getattr(scaling, name)) for name in SCALING_FIELDS if name != "masked" or scaling.masked}


def _scaling(content: Content, arrays: Arrays, plan: Plan) -> WindowScaling:
    """The scaling, whose sizes agree with each other and with the arguments."""
    one_of("strategy", content.get("strategy"), STRATEGIES)
    one_of("spread", content.get("spread"), FLOORS)
    for name in ("season", "lag", "segment", "context", "reach"):
        whole(name, content.get(name), 1)
    check_horizon(content["reach"])
    whole("seasons", content.get("seasons"), 0)
    measure(content, "dropout", 1)
    content = {"masked": False, **content}  # older files have none
    checked(content, "masked", bool)
    expected = {
        "strategy": None if plan.strategy == "auto" else plan.strategy,
        "season": plan.season,
        "context": plan.context and -(-plan.context // content["segment"]) * content["segment"],
        "reach": 1 if content["strategy"] == "one-step" else plan.horizon,
        "dropout": plan.dropout if content["strategy"] == "segment" else 0,
    }
    _check_expected(content, expected)
    difference = Difference(plan.difference, plan.seasonal_difference, content["season"])
    features = Features(**{field.name: _scale(arrays, field.name) for field in fields(Features)})
    scaling = WindowScaling(
        difference=difference, scale=plan.scale, features=features, **{name: content[name] for name in SCALING_FIELDS}
    )
    segments = scaling.strategy == "segment"
    fits = (
        scaling.lag % scaling.season == 0
        and scaling.context % scaling.segment == 0
        and (1 <= scaling.seasons <= scaling.length // scaling.lag if segments else scaling.seasons == 0)
        and (segments or scaling.segment == 1)
        and (scaling.spread == "std" or scaling.length > scaling.season)
    )
    if not fits:
        sizes = ", ".join(f"{name} {content[name]!r}" for name in SCALING_FIELDS if name != "strategy")
        raise ValueError(f"{sizes} are not a valid scaling of strategy {scaling.strategy!r}")
    return scaling


def _scale(arrays: Arrays, name: str) -> Scale | None:
    if f"{name}.shift" not in arrays:
        return None
    shift = array(arrays, f"{name}.shift")
    scale = array(arrays, f"{name}.scale", np.float64, shift.shape)
    if (scale <= 0).any():
        raise ValueError(f"{name}.scale holds {scale.min()}, expected numbers above 0")
    return Scale("standard", shift, scale)


def _check_expected(content: Content, expected: Content) -> None:
    for name, value in expected.items():
        if value is not None and content.get(name) != value:
            raise ValueError(f"{name} is {content.get(name)!r:.80}, but {value!r} in the arguments")


def _check_features(panel: Panel, scaling: WindowScaling) -> None:
    """Refuse series whose features differ from those that the model reads."""
    values, model = widths(panel), scaling.features.counts
    names = values if panel.covariates is None else panel.covariates.sizes
    if not values == model == names:
        raise ValueError(
            f"numbers of features (past, known, static) differ: {values} in the series, {model} in the model, "
            f"{names} named"
        )


def _check_lengths(panel: Panel, scaling: WindowScaling) -> None:
    """Refuse series that are too short for the differences, and windows that are much longer than the series."""
    lag, lengths = scaling.difference.lag, [len(series) for series in panel.series]
    shortest = min(panel.series, key=len)
    if min(lengths) <= lag or max(lengths) <= lag + 1:
        raise ValueError(f"{length_of(shortest)}, too few for differences of lag {lag}")
    padded = scaling.length * len(lengths)
    if scaling.length > max(lengths) + LONGEST_SEGMENT or padded > MOST_PADDED * sum(lengths):
        raise ValueError(
            f"windows of {scaling.length} values are too long: the longest series has {max(lengths)}, "
            f"all together {sum(lengths)}"
        )


# ---------------------------------------------------------------------------------------------------------- parts


def _configuration(content: Content, sizes: Sizes) -> TrainingConfiguration:
    """The configuration, which agrees with the arguments."""
    expected = {name: getattr(sizes, name) for name in CONFIGURATION_FIELDS}
    _check_expected(content, expected)
    for name in ("hidden_size", "max_steps", "batch_size", "ensemble_size"):
        whole(name, content.get(name), 1)
    number("lr", content.get("lr"), float("inf"), "a number above 0")
    values = {name: content[name] if value is None else value for name, value in expected.items()}
    return TrainingConfiguration(engine=sizes.engine, jobs=sizes.jobs, quiet=sizes.quiet, **values)


def _history(content: Content, arrays: Arrays) -> History:
    train = array(arrays, "history.train")
    epochs = len(train)
    lists = {name: array(arrays, f"history.{name}", np.float64, (epochs,)).tolist() for name in HISTORY_ARRAYS[1:]}
    best: int = checked(content, "best_epoch", int)
    whole("best_epoch", best, 1)
    if best > epochs:
        raise ValueError(f"best_epoch is {best}, but there are {epochs} epochs")
    one_of("stopped", content.get("stopped"), ("", "epochs", "patience", "divergence"))
    return History(train.tolist(), **lists, best_epoch=best, stopped=content["stopped"])


def _states(
    arrays: Arrays, configuration: TrainingConfiguration, scaling: WindowScaling
) -> list[dict[str, torch.Tensor]]:
    """The weights of each network; `TrainingConfiguration.load_networks` checks their shapes."""
    _check_size(arrays, configuration, scaling)
    states: list[dict[str, torch.Tensor]] = [{} for _ in range(configuration.ensemble_size)]
    numbers = {str(k): state for k, state in enumerate(states)}
    for name in list(arrays):
        k, _, weight = name.removeprefix("network.").partition(".")
        if not name.startswith("network.") or k not in numbers:
            raise ValueError(f"array {name[:80]!r} is not part of a forecaster")
        numbers[k][weight] = torch.from_numpy(array(arrays, name, np.float32, arrays[name].shape))
    return states


def _check_size(arrays: Arrays, configuration: TrainingConfiguration, scaling: WindowScaling) -> None:
    """Refuse sizes that need more weights than the file holds, before memory is allocated for them."""
    if len(arrays) < configuration.ensemble_size * configuration.num_layers:
        raise ValueError(
            f"too few arrays for {configuration.ensemble_size} networks of {configuration.num_layers} layers"
        )
    least = configuration.num_layers * configuration.hidden_size**2
    if scaling.strategy == "flatten":
        least += 2 * scaling.reach**2 * scaling.features.counts[1]
    count = sum(weights.size for weights in arrays.values())
    if count < configuration.ensemble_size * least:
        raise ValueError(
            f"{count} weights are too few for {configuration.ensemble_size} networks of hidden_size "
            f"{configuration.hidden_size}, num_layers {configuration.num_layers} and reach {scaling.reach}"
        )
