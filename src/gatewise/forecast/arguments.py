"""Arguments of an estimator: kept under their names, listed, changed and shown, in the manner of scikit-learn."""

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
        changed = {name: _plain(value) for name, value in self.get_params().items() if value != usual[name]}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        return {name: parameter.default for name, parameter in signature(cls).parameters.items()}


def _plain(value: Any) -> Any:
    """A number as Python's own, not numpy's."""
    return value.item() if isinstance(value, np.generic) else value
