"""Reads tables for a forecaster: series to train on, and newer or other series for a trained model."""

from collections.abc import Mapping
from typing import Any

from gatewise.forecast.fitted import FittedState
from gatewise.forecast.model.eligibility import eligible
from gatewise.forecast.model.feature_ranges import check_features
from gatewise.forecast.model.plan import Plan
from gatewise.forecast.update import check_alike, check_missing
from gatewise.forecast.validation import check_columns
from gatewise.series import Panel, read


def read_eligible(table: Any, plan: Plan, columns: Mapping[str, Any]) -> Panel:
    """The series of a table that are long enough to be forecast.

    Raises:
        TypeError: an argument that `gatewise.read` does not have.
        DataError: the table cannot be used.
    """
    check_columns(columns)
    return eligible(read(table, **columns), plan)


def read_alike(state: FittedState, table: Any, columns: Mapping[str, Any]) -> Panel:
    """Series of any length, with the frequency and the covariates of the known panel.

    Raises:
        TypeError: an argument that `gatewise.read` does not have.
        DataError: the table cannot be used, or its series differ from the known ones.
    """
    check_columns(columns)
    known = state.panel
    defaults = {} if isinstance(table, Panel) else {"like": known, "on_bad": known.on_bad}
    panel = read(table, **{**defaults, **columns})
    check_alike(known, panel)
    check_missing(state.selection.ensemble.scaling.masked, panel)
    check_features(panel, state.selection.ensemble.scaling)
    return panel
