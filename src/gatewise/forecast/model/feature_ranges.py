"""Ranges of features: covariates of a later table must fit into single precision on the scales of the training."""

import numpy as np

from gatewise.forecast.model.window import WindowScaling
from gatewise.series import DataError, Panel
from gatewise.series.wording import format_date

LARGEST = float(np.finfo(np.float32).max)


def check_features(panel: Panel, scaling: WindowScaling) -> None:
    """Refuse covariates that overflow single precision on their scales.

    Raises:
        DataError: the message names the series, the date and the remedy.
    """
    if panel.covariates is None:
        return
    for role in ("past", "known", "static"):
        if (scale := getattr(scaling.features, role)) is None:
            continue
        names = getattr(panel.covariates, f"{role}_features")
        for series in panel.series:
            values = np.atleast_2d(getattr(series, role))
            too_large = np.abs(scale.apply(values)) > LARGEST
            if too_large.any():
                row, k = np.argwhere(too_large)[0]
                date = "" if role == "static" else f", {format_date(series.ds[row])}"
                raise DataError(
                    f"series {str(series.unique_id)!r}{date}: {role} covariate {names[k]!r} is {values[row, k]:g}, too "
                    "far from its training values; correct it, or train on a table with such values"
                )
