"""Constructor arguments of estimators, with scikit-learn's `get_params` and `set_params`, and their validation."""

from collections.abc import Sequence
from inspect import signature
from typing import Any, TypeVar

import numpy as np

Estimator = TypeVar("Estimator", bound="Arguments")


class Arguments:
    """Base class of estimators whose constructor stores every argument unchanged under its name."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor, by name.

        Arguments:
            deep: ignored, because no argument is an estimator; scikit-learn passes it.
        """
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self: Estimator, **arguments: Any) -> Estimator:
        """Change arguments, validated as in the constructor; if one is invalid, none is changed.

        A change discards the fitted state: call `fit` again. Setting arguments to their current values changes nothing.

        Returns:
            The estimator itself.

        Raises:
            ValueError: a name is unknown, or the constructor refuses a value.
        """
        current = self.get_params()
        unknown = [name for name in arguments if name not in current]
        if unknown:
            raise ValueError(f"there is no argument {unknown[0]!r}, expected one of {', '.join(current)}")
        if any(type(current[name]) is not type(value) or current[name] != value for name, value in arguments.items()):
            changed = type(self)(**{**current, **arguments})
            vars(self).clear()
            vars(self).update(vars(changed))
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self) and name in self._defaults():
            raise AttributeError(f"{name} cannot be assigned to; call set_params({name}={value!r}), which validates it")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        defaults = self._defaults()
        changed = {name: plain(value) for name, value in self.get_params().items() if value != defaults[name]}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return {name: parameter.default for name, parameter in signature(cls).parameters.items()}


def plain(value: Any) -> Any:
    """A numpy scalar as a Python scalar, also within a tuple or list; any other value unchanged."""
    if isinstance(value, tuple | list):
        return type(value)(map(plain, value))
    return value.item() if isinstance(value, np.generic) else value


def one_of(name: str, value: Any, known: Any) -> None:
    """Raise unless the value is one of the known names."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, known))}")


def whole(name: str, value: Any, least: int) -> None:
    """Raise unless the value is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value < 2**63:
        raise ValueError(f"{name} is {value!r}, expected an integer of at least {least}")


def boolean(name: str, value: Any) -> None:
    """Raise unless the value is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} is {value!r}, expected True or False")


def number(name: str, value: Any, below: float, expected: str) -> None:
    """Raise unless the value is a number above 0 and below `below`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < below:
        raise ValueError(f"{name} is {value!r}, expected {expected}")


def meant_percentages(levels: Sequence[float]) -> list[str]:
    """Levels that look like fractions, in percent; empty if none does, or one would be 100 %.

    >>> meant_percentages((0.8, 95)), meant_percentages((80, 95)), meant_percentages((1,))
    (['80', '95'], [], [])
    """
    if 1 in levels or min(levels, default=1) > 1:
        return []
    return [_percent(level) if level < 1 else f"{level:g}" for level in levels]


def meant_probabilities(quantiles: Sequence[float]) -> list[str]:
    """Quantiles that look like percentages, as probabilities; empty if none does.

    >>> meant_probabilities((10, 0.9)), meant_probabilities((0.1, 0.9)), meant_probabilities((0.1, 1))
    (['0.1', '0.9'], [], [])
    """
    if not any(1 < quantile < 100 for quantile in quantiles):
        return []
    return [f"{float(f'{quantile / 100:.12g}') if quantile > 1 else quantile:g}" for quantile in quantiles]


def in_percent(fractions: Sequence[float | str]) -> str:
    """Fractions in percent, for a sentence.

    >>> in_percent((0.8, 0.9, 0.99)), in_percent(["0.29"])
    ('80, 90 and 99 %', '29 %')
    """
    *first, last = (_percent(float(fraction)) for fraction in fractions)
    return f"{', '.join(first)} and {last} %" if first else f"{last} %"


def _percent(fraction: float) -> str:
    """A fraction in percent without rounding error: 100 * 0.29 is 28.999999999999996."""
    return f"{float(f'{100 * fraction:.12g}'):.10g}"


def fraction(name: str, value: Any) -> None:
    """Raise unless the value is a number from 0 to below 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value < 1:
        raise ValueError(f"{name} is {value!r}, expected a fraction from 0 to below 1, such as 0.1")
