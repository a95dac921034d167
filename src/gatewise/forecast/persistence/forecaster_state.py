"""A fitted forecaster as what a file holds, and back; see `gatewise.persistence` for the file.

Of what comes from a file nothing is believed: every name, type, shape and size is checked before it is used.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import torch

from gatewise.arguments import number, one_of, plain, whole
from gatewise.forecast import baselines as baselines
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.ensemble import Ensemble
from gatewise.forecast.model.plan import LONGEST_SEGMENT, Plan, Sizes
from gatewise.forecast.model.selection import BestBaseline, Selection
from gatewise.forecast.model.strategies import STRATEGIES
from gatewise.forecast.model.training import TrainingConfiguration
from gatewise.forecast.model.window import FLOORS, Features, WindowScaling
from gatewise.forecast.persistence.panel_state import pack_panel, unpack_panel, widths
from gatewise.forecast.validation import check_horizon
from gatewise.persistence.fields import Arrays, Content, array, check_text, measure, renamed, sentences, shown, taken
from gatewise.series import Panel
from gatewise.series.wording import counted
from gatewise.training import History
from gatewise.windows import Difference, Scale

KIND = "Forecaster"
LOSSES_OF = ("train", "held_out", "lr", "seconds")
OF_SCALING = tuple(one.name for one in fields(WindowScaling) if one.name not in ("difference", "scale", "features"))
OF_CALIBRATION = {"growth": "growth", "span": "span", "series": "series", "renewals": "recalibrations"}
OF_CONFIGURATION = tuple(one.name for one in fields(TrainingConfiguration) if one.name not in ("engine", "quiet"))
MOST_PADDED = 1000  # values put before the series for each that is there: more is no model of these series


# What version 1 of the format called the same.
ARGUMENTS_OF_1 = {"networks": "ensemble_size", "updates": "max_steps", "held_out": "validation_fraction"}
CONTENT_OF_1 = {"frame": "scaling", "recipe": "configuration", "rival": "baseline"}
ARRAYS_OF_1 = {"rival.distances": "baseline.distances", "rival.errors": "baseline.errors"}


def from_version_1(content: Content, arrays: Arrays) -> tuple[Content, Arrays]:
    """Content and arrays of version 1 under their present names."""
    content = renamed(content, CONTENT_OF_1)
    for part in ("arguments", "configuration"):
        if part in content:
            content[part] = renamed(content[part], ARGUMENTS_OF_1)
    return content, renamed(arrays, ARRAYS_OF_1)


UPGRADES = {1: from_version_1}


def pack(
    arguments: Mapping[str, Any], panel: Panel, selection: Selection, chosen: tuple[str, ...]
) -> tuple[Content, Arrays]:
    """Content and arrays of a fitted forecaster.

    Raises:
        ValueError: a series has a name or a time zone that a file cannot keep.
    """
    model, baseline, history = selection.ensemble, selection.baseline, selection.ensemble.history
    of_panel, arrays = pack_panel(panel)
    content = {
        "arguments": {name: plain(value) for name, value in arguments.items()},
        "panel": of_panel,
        "scaling": {name: plain(getattr(model.scaling, name)) for name in OF_SCALING},
        "configuration": {name: plain(getattr(selection.configuration, name)) for name in OF_CONFIGURATION},
        "history": {"best_epoch": history.best_epoch, "stopped": history.stopped},
        "model": {"error": model.error, **_pack_calibration(model.calibrated)},
        "baseline": {"name": baseline.name, "error": baseline.error, **_pack_calibration(baseline.calibration)},
        "said": [shown(sentence) for sentence in selection.choices],
        "chosen": [shown(sentence) for sentence in chosen],
    }
    arrays |= _pack_features(model.scaling.features)
    arrays |= {f"history.{name}": np.asarray(asdict(history)[name], np.float64) for name in LOSSES_OF}
    for name, calibration in {"model": model.calibrated, "baseline": baseline.calibration}.items():
        arrays |= {f"{name}.distances": calibration.distances, f"{name}.errors": calibration.errors}
    for k, network in enumerate(model.networks):
        arrays |= {f"network.{k}.{name}": weight.cpu().numpy() for name, weight in network.state_dict().items()}
    return content, arrays


def unpack(content: Content, arrays: Arrays, plan: Plan, sizes: Sizes) -> tuple[Panel, Selection, tuple[str, ...]]:
    """The series, the model, and what was chosen for it, of content and arrays whose arguments made plan and sizes.

    Raises:
        ValueError: says what is missing or cannot be.
    """
    check_text(content)
    left = dict(arrays)
    panel = unpack_panel(taken(content, "panel", dict), left)
    scaling = _scaling(taken(content, "scaling", dict), left, plan)
    _check_features(panel, scaling)
    _check_lengths(panel, scaling)
    configuration = _configuration(taken(content, "configuration", dict), sizes)
    history = _history(taken(content, "history", dict), left)
    baseline = _rival(taken(content, "baseline", dict), left, scaling.season)
    measured = taken(content, "model", dict)
    calibration, error = _calibration(measured, left, "model"), measure(measured, "error")
    networks = configuration.load_networks(scaling, _states(left, configuration, scaling))
    model = Ensemble(scaling, networks, history, calibration, error)
    selection = Selection(model, configuration, scaling.season, baseline, sentences(content, "said"))
    return panel, selection, sentences(content, "chosen")


def arguments(content: Content, known: Mapping[str, Any]) -> Content:
    """The arguments of the constructor, none of them unknown."""
    given: Content = taken(content, "arguments", dict)
    unknown = set(given) - set(known)
    if unknown:
        raise ValueError(f"argument {min(unknown)[:80]!r} is unknown, perhaps of a newer Gatewise")
    return given


# ---------------------------------------------------------------------------------------------------------- scaling


def _pack_features(features: Features) -> Arrays:
    return {
        f"{name}.{part}": np.asarray(getattr(scale, part), np.float64)
        for name, scale in vars(features).items()
        if scale is not None
        for part in ("shift", "scale")
    }


def _scaling(content: Content, arrays: Arrays, plan: Plan) -> WindowScaling:
    """The scaling, of sizes that agree with each other and with what was asked for."""
    one_of("strategy", content.get("strategy"), STRATEGIES)
    one_of("spread", content.get("spread"), FLOORS)
    for name in ("season", "lag", "segment", "context", "reach"):
        whole(name, content.get(name), 1)
    check_horizon(content["reach"])
    whole("seasons", content.get("seasons"), 0)
    measure(content, "dropout", 1)
    asked = {
        "strategy": None if plan.strategy == "auto" else plan.strategy,
        "season": plan.season,
        "context": plan.context and -(-plan.context // content["segment"]) * content["segment"],
        "reach": 1 if content["strategy"] == "one-step" else plan.horizon,
        "dropout": plan.dropout if content["strategy"] == "segment" else 0,
    }
    _check_asked(content, asked)
    difference = Difference(plan.difference, plan.seasonal_difference, content["season"])
    features = Features(**{one.name: _scale(arrays, one.name) for one in fields(Features)})
    scaling = WindowScaling(
        difference=difference, scale=plan.scale, features=features, **{name: content[name] for name in OF_SCALING}
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
        together = ", ".join(f"{name} {content[name]!r}" for name in OF_SCALING if name != "strategy")
        raise ValueError(f"{together} make no scaling of strategy {scaling.strategy!r}")
    return scaling


def _scale(arrays: Arrays, name: str) -> Scale | None:
    if f"{name}.shift" not in arrays:
        return None
    shift = array(arrays, f"{name}.shift")
    scale = array(arrays, f"{name}.scale", np.float64, shift.shape)
    if (scale <= 0).any():
        raise ValueError(f"{name}.scale holds {scale.min()}, expected numbers above 0")
    return Scale("standard", shift, scale)


def _check_asked(content: Content, asked: Content) -> None:
    for name, value in asked.items():
        if value is not None and content.get(name) != value:
            raise ValueError(f"{name} is {content.get(name)!r:.80}, but {value!r} in the arguments")


def _check_features(panel: Panel, scaling: WindowScaling) -> None:
    """Refuse series with other features than the model reads."""
    there, read = widths(panel), scaling.features.counts
    said = there if panel.covariates is None else panel.covariates.sizes
    if not there == read == said:
        raise ValueError(
            f"the series have {there} features, past, known and static, the model {read}, the names {said}"
        )


def _check_lengths(panel: Panel, scaling: WindowScaling) -> None:
    """Refuse series that are too short to be forecast and approximated, and windows that are absurd beside them."""
    lag, lengths = scaling.difference.lag, [len(one) for one in panel.series]
    shortest = min(panel.series, key=len)
    if min(lengths) <= lag or max(lengths) <= lag + 1:
        raise ValueError(
            f"series {str(shortest.unique_id)!r} has {counted(len(shortest), 'value')}, differences look back {lag}"
        )
    padded = scaling.length * len(lengths)
    if scaling.length > max(lengths) + LONGEST_SEGMENT or padded > MOST_PADDED * sum(lengths):
        raise ValueError(
            f"the model reads {scaling.length} values, but the longest series has {max(lengths)}, all {sum(lengths)}"
        )


# ---------------------------------------------------------------------------------------------------------- parts


def _configuration(content: Content, sizes: Sizes) -> TrainingConfiguration:
    """The configuration, with everything that was asked for as it was."""
    asked = {name: getattr(sizes, name) for name in OF_CONFIGURATION}
    _check_asked(content, asked)
    for name in ("hidden_size", "max_steps", "batch_size", "ensemble_size"):
        whole(name, content.get(name), 1)
    number("lr", content.get("lr"), float("inf"), "a number above 0")
    chosen = {name: content[name] if value is None else value for name, value in asked.items()}
    return TrainingConfiguration(engine=sizes.engine, quiet=sizes.quiet, **chosen)


def _history(content: Content, arrays: Arrays) -> History:
    train = array(arrays, "history.train")
    epochs = len(train)
    lists = {name: array(arrays, f"history.{name}", np.float64, (epochs,)).tolist() for name in LOSSES_OF[1:]}
    best: int = taken(content, "best_epoch", int)
    whole("best_epoch", best, 1)
    if best > epochs:
        raise ValueError(f"best_epoch is {best} of {epochs}")
    one_of("stopped", content.get("stopped"), ("", "epochs", "patience", "divergence"))
    return History(train.tolist(), **lists, best_epoch=best, stopped=content["stopped"])


def _rival(content: Content, arrays: Arrays, season: int) -> BestBaseline:
    names = (
        (baselines.NAIVE, baselines.DRIFT) if season == 1 else (baselines.NAIVE, baselines.DRIFT, baselines.SEASONAL)
    )
    one_of("baseline", content.get("name"), names)
    return BestBaseline(content["name"], measure(content, "error"), _calibration(content, arrays, "baseline"))


def _pack_calibration(calibration: Calibration) -> Content:
    return {name: getattr(calibration, attribute) for name, attribute in OF_CALIBRATION.items()}


def _calibration(content: Content, arrays: Arrays, name: str) -> Calibration:
    growth, distances = measure(content, "growth", 1), array(arrays, f"{name}.distances")
    errors = array(arrays, f"{name}.errors", np.float64, (None, None))
    if not len(distances) or distances[0] < 0 or (np.diff(distances) < 0).any() or not errors.shape[1]:
        raise ValueError(f"{name}.distances and {name}.errors are those of no calibration, sorted errors and paths")
    for size, least in {"span": 1, "series": 1, "renewals": 0}.items():
        whole(size, content.get(size), least)
    return Calibration(growth, distances, errors, content["span"], content["series"], content["renewals"])


def _states(
    arrays: Arrays, configuration: TrainingConfiguration, scaling: WindowScaling
) -> list[dict[str, torch.Tensor]]:
    """The weights of each network; their shapes are for the networks to check."""
    _check_size(arrays, configuration, scaling)
    states: list[dict[str, torch.Tensor]] = [{} for _ in range(configuration.ensemble_size)]
    numbers = {str(k): state for k, state in enumerate(states)}
    for name in list(arrays):
        k, _, weight = name.removeprefix("network.").partition(".")
        if not name.startswith("network.") or k not in numbers:
            raise ValueError(f"array {name[:80]!r} belongs to no part of the forecaster")
        numbers[k][weight] = torch.from_numpy(array(arrays, name, np.float32, arrays[name].shape))
    return states


def _check_size(arrays: Arrays, configuration: TrainingConfiguration, scaling: WindowScaling) -> None:
    """Refuse sizes that need more weights than there are, before networks of these sizes are made."""
    if len(arrays) < configuration.ensemble_size * configuration.num_layers:
        raise ValueError(
            f"too few arrays for {configuration.ensemble_size} networks of {configuration.num_layers} layers"
        )
    least = configuration.num_layers * configuration.hidden_size**2
    if scaling.strategy == "flatten":
        least += 2 * scaling.reach**2 * scaling.features.counts[1]
    came = sum(weights.size for weights in arrays.values())
    if came < configuration.ensemble_size * least:
        raise ValueError(
            f"{came} weights are too few for {configuration.ensemble_size} networks of hidden_size {configuration.hidden_size}, "
            f"num_layers {configuration.num_layers} and reach {scaling.reach}"
        )
