"""Pictures of a fitted forecaster: which records go into which figure."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gatewise import plot
from gatewise.arguments import one_of, whole
from gatewise.forecast.model.selection import Selection
from gatewise.series import Panel
from gatewise.windows import Difference

if TYPE_CHECKING:
    from gatewise.forecast.forecaster import Forecaster

KINDS = ("forecast", "series", "differences", "approximation", "residuals", "learning_curve", "gates")
MANY = ("gates", "residuals")  # have a figure of their own
GRID = 8  # series in a grid


def draw(
    model: "Forecaster",
    horizon: int | None,
    kind: str,
    levels: tuple[float, ...],
    zoom: tuple[int, int] | None,
    name: Any,
    future: Any,
    ax: Any,
) -> Any:
    """A picture of a kind; see `Forecaster.plot`."""
    one_of("kind", kind, KINDS)
    for option, given, owner in (("horizon", horizon, "forecast"), ("zoom", zoom, "approximation")):
        if given is not None and kind != owner:
            raise ValueError(f"{option} belongs to kind={owner!r}, got kind={kind!r}; leave it out")
    if ax is not None and kind in MANY:
        raise ValueError(f"kind={kind!r} draws several Axes of its own; leave ax out")
    if zoom is not None:
        _check_zoom(zoom)
    panel, selection = model._fitted()
    if kind == "learning_curve":
        loss = f"{model.loss} of normalised values"
        return plot.learning_curve(model.history.train, model.history.held_out, name=loss, ax=ax)
    if kind == "forecast":
        if horizon is None:
            horizon = selection.season if selection.season > 1 else 12
        return _forecast(model, panel, selection, horizon, levels, name, future, ax)
    return _of_one(model, _chosen(panel, name), selection, kind, zoom, ax)


def _check_zoom(zoom: Any) -> None:
    if not isinstance(zoom, tuple | list) or len(zoom) != 2:
        raise ValueError(f"zoom is {zoom!r}, expected two positions (start, stop), such as (0, 100)")
    for position in zoom:
        whole("a position of zoom", position, 0)


def _forecast(
    model: "Forecaster",
    panel: Panel,
    selection: Selection,
    horizon: int,
    levels: tuple[float, ...],
    name: Any,
    future: Any,
    ax: Any,
) -> Any:
    last = max(4 * horizon, selection.ensemble.scaling.length)
    if len(panel) > 1 and name is None and ax is None:
        few = replace(panel, series=panel.series[:GRID], excluded_series=())
        made = model.forecasts(horizon, levels, future, few)
        examples = [
            plot.Example(str(one.unique_id), one.ds, one.y, [(f.ds, f.mean, f.intervals)], last=last)
            for one, f in zip(few.series, made, strict=True)
        ]
        return plot.examples(
            examples,
            title=f"{model.name}: {horizon} steps of the first {len(few)} of {len(panel)} series",
            model=model.name,
        )
    one = _chosen(panel, name).series[0]
    f = model.forecasts(horizon, levels, future, _chosen(panel, name))[0]
    return plot.forecast(
        one.ds, one.y, f.ds, f.mean, f.intervals, last=last, model=model.name, name=str(one.unique_id), ax=ax
    )


def _of_one(
    model: "Forecaster", panel: Panel, selection: Selection, kind: str, zoom: tuple[int, int] | None, ax: Any
) -> Any:
    one, scaling = panel.series[0], selection.ensemble.scaling
    name = str(one.unique_id)
    if kind == "series":
        return plot.series(one.ds, one.y, name=name, ax=ax)
    if kind == "differences":
        difference = scaling.difference if scaling.difference.lag else Difference()
        return plot.differences(one.ds[difference.lag :], difference.apply(one.y), name=name, ax=ax)
    dataset = selection.dataset(panel.series)
    if kind == "gates":
        return plot.gates(
            *selection.ensemble.gates(dataset), title=f"{model.name}: gates while it reads the end of {name}"
        )
    fitted = selection.ensemble.fitted(dataset)[0]
    n = len(fitted)
    if kind == "residuals":
        return plot.residuals(one.ds[-n:], one.y[-n:] - fitted, season=selection.season, name=name)
    return plot.approximation(one.ds[-n:], one.y[-n:], fitted, zoom=zoom, name=name, ax=ax)


def _chosen(panel: Panel, name: Any) -> Panel:
    """A panel of one series only: that of the name, or the only one there is."""
    if name is None and len(panel) == 1:
        return panel
    found = tuple(one for one in panel.series if one.unique_id == name or str(one.unique_id) == str(name))
    if name is None or not found:
        names = ", ".join(repr(one.unique_id) for one in panel.series[:3])
        raise ValueError(f"series is {name!r}, expected the name of one of {len(panel)} series ({names}, ...)")
    return replace(panel, series=found[:1], excluded_series=())
