"""The delivered method and the level shifts as parts of the content of a file, and back."""

from collections.abc import Sequence
from typing import Any

from gatewise.arguments import one_of, whole
from gatewise.forecast import baselines
from gatewise.forecast.model.alignment import Alignment, shift_of
from gatewise.forecast.model.cold_start import LARGEST as LARGEST_FACTOR
from gatewise.forecast.model.cold_start import NOT_MEASURED, ColdStart
from gatewise.forecast.model.delivery import NETWORK, Method
from gatewise.forecast.model.level_shift import LevelShift
from gatewise.forecast.model.plan import Plan
from gatewise.forecast.persistence.calibration_state import pack_calibration, unpack_calibration
from gatewise.persistence.fields import Arrays, Content, checked, measure, renamed
from gatewise.series import Panel

LARGEST = 1e300  # size of a level shift
ROUNDING = 1e-9  # of the sum of weights


def from_version_1(content: Content, arrays: Arrays) -> tuple[Content, Arrays]:
    """Content with the delivered method: in version 1 the network, or with fallback="naive" the best naive forecast."""
    network, baseline = checked(content, "ensemble", dict), checked(content, "baseline", dict)
    naive = checked(content, "arguments", dict).get("fallback") == "naive"
    replaced = naive and measure(baseline, "error") <= measure(network, "error")
    method, other = ("baseline", "ensemble") if replaced else ("ensemble", "baseline")
    content = {name: part for name, part in content.items() if name != "baseline"}
    content["delivered"] = baseline | {"weight": 0.0} if replaced else network | {"weight": 1.0, "name": ""}
    content |= {"ensemble": {"error": network.get("error"), "bounded_scales": False}, "shifts": []}
    dropped = {f"{other}.distances", f"{other}.errors"}
    moved = {f"{method}.{name}": f"delivered.{name}" for name in ("distances", "errors")}
    return content, renamed({name: part for name, part in arrays.items() if name not in dropped}, moved)


def pack_method(method: Method) -> tuple[Content, Arrays]:
    """Content and arrays of the delivered method."""
    calibration, arrays = pack_calibration(method.calibration, "delivered")
    return {"weights": dict(method.weights), "error": method.error, **calibration}, arrays


def unpack_longer_seasons(content: Content, plan: Plan, usual: int = 1) -> tuple[int, ...]:
    """The longer seasons, ascending; without the field none.

    If the arguments hold a season, they are those of the arguments; the usual one of the calendar may join them.

    Raises:
        ValueError: they are invalid, or differ from the arguments.
    """
    seasons = checked({"longer_seasons": []} | content, "longer_seasons", list)
    for season in seasons:
        whole("a longer season", season, 2)
    expected = sorted(set(seasons)) if plan.season is None else list(plan.longer)
    if plan.season is not None and usual > plan.season and usual in seasons:
        expected = sorted({*expected, usual})
    if seasons != expected:
        order = "ascending numbers" if plan.season is None else f"{expected!r:.80} as in the arguments"
        raise ValueError(f"longer_seasons are {seasons!r:.80}, expected {order}")
    return tuple(seasons)


def unpack_method(content: Content, arrays: Arrays, season: int, longer: Sequence[int] = ()) -> Method:
    """The delivered method; its baselines must exist for the seasons.

    Raises:
        ValueError: a weight is invalid.
    """
    weights = _weights_with_one_baseline(content) if "weight" in content else checked(content, "weights", dict)
    names = [NETWORK, *baselines.applicable(season, longer=longer)]
    for name in weights:
        one_of("a part of the delivered method", name, names)
        measure(weights, name, 1)
    total = sum(weights.values())
    if abs(total - 1) > ROUNDING or 0 in weights.values():
        raise ValueError(f"the weights of the delivered method are {weights!r:.80}, expected positive ones of sum 1")
    return Method(weights, measure(content, "error"), unpack_calibration(content, arrays, "delivered"))


def _weights_with_one_baseline(content: Content) -> dict[str, Any]:
    """The weights of earlier files, which hold the weight of the network and the name of one baseline."""
    weight, name = measure(content, "weight", 1), checked(content, "name", str)
    return {part: size for part, size in ((NETWORK, weight), (name, 1 - weight)) if size}


def pack_cold_start(cold_start: ColdStart) -> Content:
    """How new series are forecast; empty if nothing was measured."""
    if cold_start == NOT_MEASURED:
        return {}
    return {"cold_start": {name: list(values) for name, values in vars(cold_start).items()}}


def unpack_cold_start(content: Content, least: int) -> ColdStart:
    """How new series, of fewer than `least` values, are forecast; nothing measured, if the content holds nothing.

    Raises:
        ValueError: a size, a weight or a factor is invalid.
    """
    if "cold_start" not in content:
        return NOT_MEASURED
    part = checked(content, "cold_start", dict)
    sizes, weights, factors = (checked(part, name, list) for name in ("sizes", "weights", "factors"))
    for size in sizes:
        whole("a size of a new series", size, 1)
    numbers = all(type(number) in (int, float) for number in (*weights, *factors))
    fits = (
        numbers
        and sizes
        and sizes == sorted(set(sizes))
        and sizes[-1] < least
        and len(sizes) == len(weights) == len(factors)
    )
    if not fits or not all(0 <= one <= 1 for one in weights) or not all(1 <= one <= LARGEST_FACTOR for one in factors):
        raise ValueError(
            f"sizes {sizes!r:.80}, weights {weights!r:.80} and factors {factors!r:.80} of new series are invalid, "
            f"expected ascending sizes below {least}, weights from 0 to 1 and factors from 1 to {LARGEST_FACTOR:g}"
        )
    return ColdStart(tuple(sizes), tuple(weights), tuple(factors))


def pack_shifts(alignment: Alignment, panel: Panel) -> list[list[Any]]:
    """For each level shift the number of its series, its position, difference and ratio."""
    shifts = ((k, alignment.placed(series)) for k, series in enumerate(panel.series))
    return [[k, shift.position, shift.difference, shift.ratio] for k, shift in shifts if shift is not None]


def unpack_shifts(shifts: list[Any], panel: Panel) -> Alignment:
    """The level shifts of the series of a panel.

    Raises:
        ValueError: a shift is invalid.
    """
    found = {}
    for entry in shifts:
        if not isinstance(entry, list) or len(entry) != 4:
            raise ValueError(f"a level shift is {entry!r:.80}, expected series, position, difference and ratio")
        k, position, difference, ratio = entry
        whole("the series of a level shift", k, 0)
        whole("the position of a level shift", position, 1)
        if k >= len(panel) or position >= len(panel.series[k]):
            raise ValueError(f"a level shift lies at value {position} of series {k}, expected one inside a series")
        for name, size in {"difference": difference, "ratio": 1.0 if ratio is None else ratio}.items():
            if type(size) not in (int, float) or not abs(size) <= LARGEST or (name == "ratio" and size <= 0):
                raise ValueError(f"the {name} of a level shift is {size!r:.80}, expected a finite number")
        series = panel.series[k]
        found[series.unique_id] = shift_of(series, LevelShift(position, difference, ratio))
    return Alignment(found)
