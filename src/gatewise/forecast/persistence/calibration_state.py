"""The calibration of intervals as a part of the content of a file, and back.

A file without a profile was written before intervals had one; its intervals stay as they were.
"""

from dataclasses import replace

import numpy as np

from gatewise.arguments import whole
from gatewise.forecast.conformal import Calibration
from gatewise.forecast.conformal.adaptive import BOUNDS, MISCOVERAGES
from gatewise.persistence.fields import Arrays, Content, array, checked, measure

FIELDS = ("growth", "span", "series", "recalibrations")
PROFILE_FIELDS = ("rho", "rising")
LOG_SCALES = "ensemble.log_scales"


def pack_calibration(calibration: Calibration, name: str) -> tuple[Content, Arrays]:
    """Content and arrays of the calibration of a part of the file."""
    arrays = {f"{name}.distances": calibration.distances, f"{name}.errors": calibration.errors}
    if calibration.profile is None:
        return {field: getattr(calibration, field) for field in FIELDS}, arrays
    content = {field: getattr(calibration, field) for field in (*FIELDS, *PROFILE_FIELDS)}
    arrays[f"{name}.profile"] = calibration.profile
    if calibration.alphas is not None:
        arrays[f"{name}.alphas"] = calibration.alphas
    return content, arrays


def unpack_calibration(content: Content, arrays: Arrays, name: str) -> Calibration:
    """The calibration out of content and arrays.

    Raises:
        ValueError: the message says what is missing or invalid.
    """
    growth, distances = measure(content, "growth", 1), array(arrays, f"{name}.distances")
    errors = array(arrays, f"{name}.errors", np.float64, (None, None))
    earlier = _is_earlier(content)
    invalid = not len(distances) or (np.diff(distances) < 0).any() or not errors.shape[1]
    if invalid or (earlier and distances[0] < 0):
        raise ValueError(
            f"{name}.distances and {name}.errors are not a calibration, expected sorted distances and paths of errors"
        )
    for size, least in {"span": 1, "series": 1, "recalibrations": 0}.items():
        whole(size, content.get(size), least)
    calibration = Calibration(growth, distances, errors, content["span"], content["series"], content["recalibrations"])
    return calibration if earlier else _with_profile(calibration, content, arrays, name)


def unpack_log_scales(content: Content, arrays: Arrays, reach: int) -> np.ndarray | None:
    """The bounds (2, r) of the log scales of networks; None if the file holds none."""
    if not checked(content, "bounded_scales", bool):
        return None
    bounds = array(arrays, LOG_SCALES, np.float64, (2, reach))
    if (bounds[0] > bounds[1]).any():
        raise ValueError(f"{LOG_SCALES} holds lower bounds above the upper ones")
    return bounds


def _is_earlier(content: Content) -> bool:
    """Whether the content was written before intervals had a profile."""
    return not any(field in content for field in PROFILE_FIELDS)


def _with_profile(calibration: Calibration, content: Content, arrays: Arrays, name: str) -> Calibration:
    profile = array(arrays, f"{name}.profile", np.float64, (calibration.errors.shape[1],))
    if (profile <= 0).any():
        raise ValueError(f"{name}.profile holds {profile.min():g}, expected numbers above 0")
    rho, rising = measure(content, "rho", 1), checked(content, "rising", bool)
    return replace(calibration, profile=profile, rho=rho, rising=rising, alphas=_alphas(arrays, f"{name}.alphas"))


def _alphas(arrays: Arrays, name: str) -> np.ndarray | None:
    """The adapted miscoverages; None if the file holds none."""
    if name not in arrays:
        return None
    alphas = array(arrays, name, np.float64, (len(MISCOVERAGES), None))
    if not alphas.shape[1] or (np.clip(alphas, *BOUNDS) != alphas).any():
        raise ValueError(f"{name} holds no adapted miscoverages, expected numbers from 0 to 1")
    return alphas
