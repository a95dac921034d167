"""Saved forecasters, to be changed by the tests of hostile files."""

import pytest

from gatewise import Forecaster
from gatewise.persistence import file as file_format
from tests.forecast.persistence.tables import COVARIATES, QUICK, covariate_table, invalid_table, values


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Content and arrays of a small model, and a folder."""
    folder = tmp_path_factory.mktemp("small")
    model = Forecaster(hidden_size=1, max_steps=1, ensemble_size=1, context=4, strategy="one-step", fallback="none")
    model.fit(values(40)).save(folder / "model")
    return *file_format.load(folder / "model", "Forecaster"), folder


@pytest.fixture(scope="module", params=["one-step", "segment", "flatten"])
def several(request, tmp_path_factory):
    """The same for several series, some of them excluded, with automatic sizes."""
    folder = tmp_path_factory.mktemp("several")
    Forecaster(strategy=request.param, max_steps=1, ensemble_size=1, dropout=0, fallback="none").fit(
        invalid_table(), on_bad="naive"
    ).save(folder / "model")
    content, arrays = file_format.load(folder / "model", "Forecaster")
    content["arguments"] |= {"strategy": "auto", "ensemble_size": None, "max_steps": None, "dropout": None}
    return content, arrays, folder


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """The same for two series with covariates of every kind, known for 12 and 10 months after their ends."""
    folder = tmp_path_factory.mktemp("rich")
    Forecaster(strategy="segment", **QUICK).fit(covariate_table((12, 10)), **COVARIATES).save(folder / "model")
    return *file_format.load(folder / "model", "Forecaster"), folder
