"""Arguments of an estimator: kept under their names, listed, changed and shown, in the manner of scikit-learn; and what
is refused of them, in words."""

from inspect import signature
from typing import Any, TypeVar

import numpy as np

Estimator = TypeVar("Estimator", bound="Arguments")


class Arguments:
    """An estimator whose constructor keeps every argument, as it came, under its name."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor, by name.

        Arguments:
            deep: of no consequence, as no argument has arguments of its own; scikit-learn passes it.
        """
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self: Estimator, **arguments: Any) -> Estimator:
        """Change arguments, checked as in the constructor; if one is refused, none is changed.

        What was fitted with other arguments is forgotten: call `fit` again. Arguments that already have these values
        change nothing.

        Returns:
            The estimator itself.

        Raises:
            ValueError: an unknown name, or a value that the constructor refuses.
        """
        now = self.get_params()
        unknown = [name for name in arguments if name not in now]
        if unknown:
            raise ValueError(f"there is no argument {unknown[0]!r}, expected one of {', '.join(now)}")
        if any(type(now[name]) is not type(value) or now[name] != value for name, value in arguments.items()):
            changed = type(self)(**{**now, **arguments})
            vars(self).clear()
            vars(self).update(vars(changed))
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self) and name in self._defaults():
            raise AttributeError(f"{name} cannot be assigned to; call set_params({name}={value!r}), which checks it")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        usual = self._defaults()
        changed = {name: plain(value) for name, value in self.get_params().items() if value != usual[name]}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return {name: parameter.default for name, parameter in signature(cls).parameters.items()}


def plain(value: Any) -> Any:
    """A number as Python's own, not numpy's."""
    return value.item() if isinstance(value, np.generic) else value


def one_of(name: str, value: Any, known: Any) -> None:
    """Refuse what is none of the known names."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, known))}")


def whole(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value < 2**63:
        raise ValueError(f"{name} is {value!r}, expected a whole number of at least {least}")


def boolean(name: str, value: Any) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} is {value!r}, expected True or False")


def number(name: str, value: Any, below: float, expected: str) -> None:
    """Refuse what is no number between 0 and `below`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < below:
        raise ValueError(f"{name} is {value!r}, expected {expected}")


def share(name: str, value: Any) -> None:
    """Refuse what is no number from 0 to below 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value < 1:
        raise ValueError(f"{name} is {value!r}, expected a share from 0 to below 1, such as 0.1")
