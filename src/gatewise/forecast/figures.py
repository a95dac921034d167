"""Figures of a fitted forecaster."""

from dataclasses import replace
from typing import Any

from gatewise import plot
from gatewise.arguments import one_of, whole
from gatewise.forecast.fitted import FittedState
from gatewise.series import Panel
from gatewise.windows import Difference

KINDS = ("forecast", "series", "differences", "approximation", "residuals", "learning_curve", "gates")
SEVERAL_AXES = ("gates", "residuals")  # kinds that need a figure of their own
MOST_IN_GRID = 8  # series


def draw(
    state: FittedState,
    horizon: int | None,
    kind: str,
    levels: tuple[float, ...],
    zoom: tuple[int, int] | None,
    name: Any,
    future: Any,
    ax: Any,
) -> Any:
    """A figure of a kind, with options that `check_options` accepts; see `gatewise.Forecaster.plot`."""
    if kind == "learning_curve":
        loss = f"{state.selection.configuration.loss} of normalised values"
        return plot.learning_curve(state.history.train, state.history.held_out, name=loss, ax=ax)
    if kind != "forecast":
        return _single_series(state, _single(state.panel, name), kind, zoom, ax)
    if horizon is None:
        season = state.selection.season
        horizon = season if season > 1 else 12
    if len(state.panel) > 1 and name is None and ax is None:
        return _forecast_grid(state, horizon, levels, future)
    return _forecast(state, _single(state.panel, name), horizon, levels, future, ax)


def check_options(horizon: Any, kind: str, zoom: Any, ax: Any) -> None:
    """Refuse an unknown kind, and options that belong to another one."""
    one_of("kind", kind, KINDS)
    for option, value, owner in (("horizon", horizon, "forecast"), ("zoom", zoom, "approximation")):
        if value is not None and kind != owner:
            raise ValueError(f"{option} belongs to kind={owner!r}, got kind={kind!r}; leave it out")
    if ax is not None and kind in SEVERAL_AXES:
        raise ValueError(f"kind={kind!r} draws several Axes of its own; leave ax out")
    if zoom is not None:
        _check_zoom(zoom)


def _check_zoom(zoom: Any) -> None:
    if not isinstance(zoom, tuple | list) or len(zoom) != 2:
        raise ValueError(f"zoom is {zoom!r}, expected two positions (start, stop), such as (0, 100)")
    for position in zoom:
        whole("a position of zoom", position, 0)


def _past_steps(state: FittedState, horizon: int) -> int:
    """How many past values are drawn before a forecast."""
    return max(4 * horizon, state.selection.ensemble.scaling.length)


def _forecast_grid(state: FittedState, horizon: int, levels: tuple[float, ...], future: Any) -> Any:
    """The forecasts of the first series, side by side."""
    first = replace(state.panel, series=state.panel.series[:MOST_IN_GRID], excluded_series=())
    last = _past_steps(state, horizon)
    examples = [
        plot.Example(str(series.unique_id), series.ds, series.recorded, [(f.ds, f.mean, f.intervals)], last=last)
        for series, f in zip(first.series, state.forecasts(horizon, levels, future, first), strict=True)
    ]
    title = f"{state.delivered}: {horizon} steps of the first {len(first)} of {len(state.panel)} series"
    return plot.examples(examples, title=title, model=state.delivered)


def _forecast(state: FittedState, panel: Panel, horizon: int, levels: tuple[float, ...], future: Any, ax: Any) -> Any:
    """The forecast of a panel's only series."""
    series = panel.series[0]
    f = state.forecasts(horizon, levels, future, panel)[0]
    names = {"model": state.delivered, "name": str(series.unique_id)}
    last = _past_steps(state, horizon)
    return plot.forecast(series.ds, series.recorded, f.ds, f.mean, f.intervals, last=last, ax=ax, **names)


def _single_series(state: FittedState, panel: Panel, kind: str, zoom: tuple[int, int] | None, ax: Any) -> Any:
    """A figure of a panel's only series and its in-sample fit."""
    series, selection = panel.series[0], state.selection
    name = str(series.unique_id)
    if kind == "series":
        return plot.series(series.ds, series.recorded, name=name, ax=ax)
    if kind == "differences":
        difference = selection.ensemble.scaling.difference
        difference = difference if difference.lag else Difference()
        return plot.differences(series.ds[difference.lag :], difference.apply(series.recorded), name=name, ax=ax)
    dataset = selection.dataset(panel.series)
    if kind == "gates":
        title = f"{state.name}: gates over the last window of {name}"
        return plot.gates(*selection.ensemble.gates(dataset), title=title)
    fitted = selection.fitted(panel.series)[0]
    ds, y = series.ds[-len(fitted) :], series.recorded[-len(fitted) :]
    if kind == "residuals":
        return plot.residuals(ds, y - fitted, season=selection.season, name=name)
    return plot.approximation(ds, y, fitted, zoom=zoom, name=name, ax=ax)


def _single(panel: Panel, name: Any) -> Panel:
    """The panel of a single series: the named one, or the only one."""
    if name is None and len(panel) == 1:
        return panel
    matches = tuple(series for series in panel.series if series.unique_id == name or str(series.unique_id) == str(name))
    if name is None or not matches:
        names = ", ".join(repr(series.unique_id) for series in panel.series[:3])
        raise ValueError(f"series is {name!r}, expected the name of one of {len(panel)} series ({names}, ...)")
    return replace(panel, series=matches[:1], excluded_series=())
