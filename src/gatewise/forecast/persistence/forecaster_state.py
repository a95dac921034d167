"""A fitted forecaster as what a file holds, and back; see `gatewise.persistence` for the file.

Of what comes from a file nothing is believed: every name, type, shape and size is checked before it is used.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import torch

from gatewise.arguments import number, one_of, plain, whole
from gatewise.forecast import baselines as rivals
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.model.ensemble import Fitted
from gatewise.forecast.model.plan import LONGEST_SEGMENT, Plan, Sizes
from gatewise.forecast.model.selection import Rival, Trained
from gatewise.forecast.model.strategies import STRATEGIES
from gatewise.forecast.model.training import Recipe
from gatewise.forecast.model.window import FLOORS, Features, Frame
from gatewise.forecast.persistence.panel_state import pack_panel, unpack_panel, widths
from gatewise.forecast.validation import check_horizon
from gatewise.persistence.fields import Arrays, Content, array, check_text, measure, sentences, shown, taken
from gatewise.series import Panel
from gatewise.series.wording import counted
from gatewise.training import History
from gatewise.windows import Difference, Scale

KIND = "Forecaster"
LOSSES_OF = ("train", "held_out", "lr", "seconds")
OF_FRAME = tuple(one.name for one in fields(Frame) if one.name not in ("difference", "scale", "features"))
OF_CALIBRATION = ("growth", "span", "series", "renewals")
OF_RECIPE = tuple(one.name for one in fields(Recipe) if one.name not in ("engine", "quiet"))
MOST_PADDED = 1000  # values put before the series for each that is there: more is no model of these series


def pack(
    arguments: Mapping[str, Any], panel: Panel, trained: Trained, chosen: tuple[str, ...]
) -> tuple[Content, Arrays]:
    """Content and arrays of a fitted forecaster.

    Raises:
        ValueError: a series has a name or a time zone that a file cannot keep.
    """
    model, rival, history = trained.model, trained.rival, trained.model.history
    of_panel, arrays = pack_panel(panel)
    content = {
        "arguments": {name: plain(value) for name, value in arguments.items()},
        "panel": of_panel,
        "frame": {name: plain(getattr(model.frame, name)) for name in OF_FRAME},
        "recipe": {name: plain(getattr(trained.recipe, name)) for name in OF_RECIPE},
        "history": {"best_epoch": history.best_epoch, "stopped": history.stopped},
        "model": {"error": model.error, **_pack_calibration(model.calibrated)},
        "rival": {"name": rival.name, "error": rival.error, **_pack_calibration(rival.calibration)},
        "said": [shown(sentence) for sentence in trained.said],
        "chosen": [shown(sentence) for sentence in chosen],
    }
    arrays |= _pack_features(model.frame.features)
    arrays |= {f"history.{name}": np.asarray(asdict(history)[name], np.float64) for name in LOSSES_OF}
    for name, calibration in {"model": model.calibrated, "rival": rival.calibration}.items():
        arrays |= {f"{name}.distances": calibration.distances, f"{name}.errors": calibration.errors}
    for k, network in enumerate(model.networks):
        arrays |= {f"network.{k}.{name}": weight.cpu().numpy() for name, weight in network.state_dict().items()}
    return content, arrays


def unpack(content: Content, arrays: Arrays, plan: Plan, sizes: Sizes) -> tuple[Panel, Trained, tuple[str, ...]]:
    """The series, the model, and what was chosen for it, of content and arrays whose arguments made plan and sizes.

    Raises:
        ValueError: says what is missing or cannot be.
    """
    check_text(content)
    left = dict(arrays)
    panel = unpack_panel(taken(content, "panel", dict), left)
    frame = _frame(taken(content, "frame", dict), left, plan)
    _check_features(panel, frame)
    _check_lengths(panel, frame)
    recipe = _recipe(taken(content, "recipe", dict), sizes)
    history = _history(taken(content, "history", dict), left)
    rival = _rival(taken(content, "rival", dict), left, frame.season)
    measured = taken(content, "model", dict)
    calibration, error = _calibration(measured, left, "model"), measure(measured, "error")
    networks = recipe.restored(frame, _states(left, recipe, frame))
    model = Fitted(frame, networks, history, calibration, error)
    trained = Trained(model, recipe, frame.season, rival, sentences(content, "said"))
    return panel, trained, sentences(content, "chosen")


def arguments(content: Content, known: Mapping[str, Any]) -> Content:
    """The arguments of the constructor, none of them unknown."""
    given: Content = taken(content, "arguments", dict)
    unknown = set(given) - set(known)
    if unknown:
        raise ValueError(f"argument {min(unknown)[:80]!r} is unknown, perhaps of a newer Gatewise")
    return given


# ---------------------------------------------------------------------------------------------------------- frame


def _pack_features(features: Features) -> Arrays:
    return {
        f"{name}.{part}": np.asarray(getattr(scale, part), np.float64)
        for name, scale in vars(features).items()
        if scale is not None
        for part in ("shift", "scale")
    }


def _frame(content: Content, arrays: Arrays, plan: Plan) -> Frame:
    """The frame, of sizes that agree with each other and with what was asked for."""
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
    frame = Frame(
        difference=difference, scale=plan.scale, features=features, **{name: content[name] for name in OF_FRAME}
    )
    segments = frame.strategy == "segment"
    fits = (
        frame.lag % frame.season == 0
        and frame.context % frame.segment == 0
        and (1 <= frame.seasons <= frame.length // frame.lag if segments else frame.seasons == 0)
        and (segments or frame.segment == 1)
        and (frame.spread == "std" or frame.length > frame.season)
    )
    if not fits:
        together = ", ".join(f"{name} {content[name]!r}" for name in OF_FRAME if name != "strategy")
        raise ValueError(f"{together} make no frame of strategy {frame.strategy!r}")
    return frame


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


def _check_features(panel: Panel, frame: Frame) -> None:
    """Refuse series with other features than the model reads."""
    there, read = widths(panel), frame.features.counts
    said = there if panel.covariates is None else panel.covariates.sizes
    if not there == read == said:
        raise ValueError(
            f"the series have {there} features, past, known and static, the model {read}, the names {said}"
        )


def _check_lengths(panel: Panel, frame: Frame) -> None:
    """Refuse series that are too short to be forecast and approximated, and windows that are absurd beside them."""
    lag, lengths = frame.difference.lag, [len(one) for one in panel.series]
    shortest = min(panel.series, key=len)
    if min(lengths) <= lag or max(lengths) <= lag + 1:
        raise ValueError(
            f"series {str(shortest.unique_id)!r} has {counted(len(shortest), 'value')}, differences look back {lag}"
        )
    padded = frame.length * len(lengths)
    if frame.length > max(lengths) + LONGEST_SEGMENT or padded > MOST_PADDED * sum(lengths):
        raise ValueError(
            f"the model reads {frame.length} values, but the longest series has {max(lengths)}, all {sum(lengths)}"
        )


# ---------------------------------------------------------------------------------------------------------- parts


def _recipe(content: Content, sizes: Sizes) -> Recipe:
    """The recipe, with everything that was asked for as it was."""
    asked = {name: getattr(sizes, name) for name in OF_RECIPE}
    _check_asked(content, asked)
    for name in ("hidden_size", "updates", "batch_size", "networks"):
        whole(name, content.get(name), 1)
    number("lr", content.get("lr"), float("inf"), "a number above 0")
    chosen = {name: content[name] if value is None else value for name, value in asked.items()}
    return Recipe(engine=sizes.engine, quiet=sizes.quiet, **chosen)


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


def _rival(content: Content, arrays: Arrays, season: int) -> Rival:
    names = (rivals.NAIVE, rivals.DRIFT) if season == 1 else (rivals.NAIVE, rivals.DRIFT, rivals.SEASONAL)
    one_of("rival", content.get("name"), names)
    return Rival(content["name"], measure(content, "error"), _calibration(content, arrays, "rival"))


def _pack_calibration(calibration: Calibration) -> Content:
    return {name: getattr(calibration, name) for name in OF_CALIBRATION}


def _calibration(content: Content, arrays: Arrays, name: str) -> Calibration:
    growth, distances = measure(content, "growth", 1), array(arrays, f"{name}.distances")
    errors = array(arrays, f"{name}.errors", np.float64, (None, None))
    if not len(distances) or distances[0] < 0 or (np.diff(distances) < 0).any() or not errors.shape[1]:
        raise ValueError(f"{name}.distances and {name}.errors are those of no calibration, sorted errors and paths")
    for size, least in {"span": 1, "series": 1, "renewals": 0}.items():
        whole(size, content.get(size), least)
    return Calibration(growth, distances, errors, content["span"], content["series"], content["renewals"])


def _states(arrays: Arrays, recipe: Recipe, frame: Frame) -> list[dict[str, torch.Tensor]]:
    """The weights of each network; their shapes are for the networks to check."""
    _check_size(arrays, recipe, frame)
    states: list[dict[str, torch.Tensor]] = [{} for _ in range(recipe.networks)]
    numbers = {str(k): state for k, state in enumerate(states)}
    for name in list(arrays):
        k, _, weight = name.removeprefix("network.").partition(".")
        if not name.startswith("network.") or k not in numbers:
            raise ValueError(f"array {name[:80]!r} belongs to no part of the forecaster")
        numbers[k][weight] = torch.from_numpy(array(arrays, name, np.float32, arrays[name].shape))
    return states


def _check_size(arrays: Arrays, recipe: Recipe, frame: Frame) -> None:
    """Refuse sizes that need more weights than there are, before networks of these sizes are made."""
    if len(arrays) < recipe.networks * recipe.num_layers:
        raise ValueError(f"too few arrays for {recipe.networks} networks of {recipe.num_layers} layers")
    least = recipe.num_layers * recipe.hidden_size**2
    if frame.strategy == "flatten":
        least += 2 * frame.reach**2 * frame.features.counts[1]
    came = sum(weights.size for weights in arrays.values())
    if came < recipe.networks * least:
        raise ValueError(
            f"{came} weights are too few for {recipe.networks} networks of hidden_size {recipe.hidden_size}, "
            f"num_layers {recipe.num_layers} and reach {frame.reach}"
        )
