"""Gatewise: recurrent networks on PyTorch that people can read, trust and run fast.

The public names are imported at first use, so that `import gatewise` is fast.

    >>> import gatewise as gw
    >>> gw.nn.LSTM.__name__, gw.Forecaster.__name__
    ('LSTM', 'Forecaster')
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_NAMES = {
    "Classifier": "classify",
    "DataError": "series",
    "Forecaster": "forecast",
    "check": "series",
    "explain": "engines",
    "read": "series",
    "use_engine": "engines",
}

__all__ = [
    "Classifier",
    "DataError",
    "Forecaster",
    "__version__",
    "cells",
    "check",
    "classify",
    "datasets",
    "engines",
    "explain",
    "forecast",
    "metrics",
    "networks",
    "nn",
    "persistence",
    "plot",
    "read",
    "series",
    "training",
    "use_engine",
    "windows",
]

if TYPE_CHECKING:
    from gatewise import (
        cells,
        classify,
        datasets,
        engines,
        forecast,
        metrics,
        networks,
        nn,
        persistence,
        plot,
        series,
        training,
        windows,
    )
    from gatewise.classify import Classifier
    from gatewise.engines import explain, use_engine
    from gatewise.forecast import Forecaster
    from gatewise.series import DataError, check, read


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(import_module(f"gatewise.{_NAMES[name]}"), name)
    if name in __all__:
        return import_module(f"gatewise.{name}")
    raise AttributeError(f"module 'gatewise' has no attribute {name!r}; it has {', '.join(sorted(__all__))}")


def __dir__() -> list[str]:
    return sorted(__all__)
