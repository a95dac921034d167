"""Running a backtest: train on the values before the test windows, forecast them, and score the forecasts."""

from collections.abc import Sequence
from dataclasses import replace

from gatewise.forecast.evaluation.backtest import SUGGESTED_WINDOWS, Backtest
from gatewise.forecast.evaluation.cross_validation import CrossValidation, listed
from gatewise.forecast.evaluation.cutoffs import Cutoffs, affordable_windows
from gatewise.forecast.evaluation.holdout import Holdout, observed
from gatewise.forecast.evaluation.importance import measure
from gatewise.forecast.model.eligibility import long_enough
from gatewise.forecast.model.held_out import HeldOut
from gatewise.forecast.model.seasons import season_of_scores
from gatewise.forecast.model.selection import Selection, network_counts
from gatewise.forecast.update import check_reach
from gatewise.parallel import Steps, run_all
from gatewise.series.outliers.treatment import untreated


def run(
    validation: CrossValidation,
    horizon: int,
    windows: int,
    step: int,
    levels: tuple[float, ...],
    refit: bool | None,
    guesses: Sequence[str],
    other: Steps[Selection] | None = None,
) -> tuple[Backtest, Selection | None]:
    """Train on the values before the test windows, forecast them, and score the forecasts.

    Arguments:
        validation: the models, and all series; series that are too short are excluded, and `guesses` counts them.
        horizon, windows, step, levels, refit: see `gatewise.Forecaster.backtest`.
        guesses: one sentence for each earlier guess or choice.
        other: another model, which is trained side by side with those of the backtest, and returned.

    Raises:
        DataError: the series are too short, or hold no observed value to compare with.
    """
    check_reach(validation.panel, validation.plan.horizon or horizon, horizon)
    panel, excluded = long_enough(validation.panel, validation.plan, HeldOut(windows, horizon, step))
    validation = replace(validation, panel=panel)
    cutoffs = Cutoffs.of(panel.series, horizon, windows, step)
    which, cuts = cutoffs.which, cutoffs.cuts
    as_read = replace(panel, series=tuple(untreated(series) for series in panel.series))
    truth = observed(as_read, which, cuts, horizon)
    steps, total = validation.training_steps(cutoffs, refit)
    plan, sizes, title = validation.plan, validation.sizes, "backtest"
    if other is not None:
        steps, title = [listed(other), *steps], "backtest and training"
        total += network_counts(plan, sizes, panel)[0]
    trained = run_all(steps, sizes.jobs, total=total, description=title, quiet=sizes.quiet)
    another = None if other is None else trained.pop(0)[0]
    selections = [selection for part in trained for selection in part]
    forecasts = validation.forecasts(cutoffs, truth, levels, selections, refit)
    season = season_of_scores(validation.season, validation.plan.longer_seasons(panel), cutoffs.first(0))
    holdout = Holdout(as_read, season, which, cuts, truth, forecasts.forecasts, plan.limits)
    data = f"trained on {len(panel)} series"
    if len(panel) == 1:
        first, last = (cutoffs.first(stage)[0] for stage in (0, len(selections) - 1))
        data = f"trained on the first {first}{f' to {last}' if last > first else ''} values"
    data = f"networks for each window, {data}" if len(selections) > 1 else data
    guesses = (*guesses, *excluded, *forecasts.choices)
    affordable = affordable_windows(panel, validation.plan, validation.season, horizon, step, SUGGESTED_WINDOWS)
    result = Backtest.of(holdout, guesses=guesses, trained=data, delivered=forecasts.delivered, affordable=affordable)
    importances = measure(cutoffs, selections, result.held, result.verdict_score, validation.sizes.seed)
    rho = selections[0].delivered.calibration.rho
    point = selections[0].point_name
    return replace(result, importances=importances, rho=rho, point=point), another
