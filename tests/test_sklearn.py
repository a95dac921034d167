"""The classifier in scikit-learn: conformance checks, searches and pipelines, labels and column names."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from gatewise import Classifier, datasets

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from gatewise.sklearn import GatewiseClassifier

QUICK = {"hidden_size": 16, "epochs": 30, "lr": 0.02, "batch_size": 16}
BY_DESIGN = {
    "check_do_not_raise_errors_in_init_or_set_params": "arguments are validated in the constructor",
    "check_n_features_in": "n_features_in_ counts channels; a table is one channel with a step for each column",
    "check_n_features_in_after_fitting": "the same",
    "check_classifiers_train": "sequences of other lengths than in training are classified",
    "check_dtype_object": "values that are not numbers raise a ValueError, as all invalid data do",
    "check_supervised_y_2d": "labels in a table of one column are refused",
}


@pytest.fixture(scope="module")
def charts():
    """Normal and cyclic charts, (80, 60, 1), and their names."""
    charts = datasets.control_charts(each=40)
    return charts.x[:80], charts.y[:80]


def results(estimator, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns about skipped checks and expected failures
        return check_estimator(estimator, on_skip=None, on_fail=None, **options)


def test_the_adapter_passes_every_check_of_scikit_learn():
    checks = results(GatewiseClassifier(**QUICK))
    assert [check["check_name"] for check in checks if check["status"] == "failed"] == []
    assert sum(check["status"] == "passed" for check in checks) > 40


def test_the_classifier_passes_every_check_that_applies_to_sequences():
    checks = results(Classifier(**QUICK), expected_failed_checks=BY_DESIGN)
    assert [check["check_name"] for check in checks if check["status"] == "failed"] == []
    assert {check["check_name"] for check in checks if check["status"] == "xfail"} == set(BY_DESIGN)
    assert sum(check["status"] == "passed" for check in checks) > 35


def test_a_row_holds_the_channels_of_each_step_side_by_side(charts):
    x, y = charts
    channels = np.concatenate([x, np.roll(x, 7, axis=1)], axis=2)  # (80, 60, 2)
    table = channels.reshape(80, -1)
    direct = Classifier(**QUICK).fit(channels, y)
    adapter = GatewiseClassifier(**QUICK, channels=2).fit(table, y)
    assert (adapter.predict_proba(table) == direct.predict_proba(channels)).all()
    assert adapter.n_features_in_ == 120
    assert (adapter.classifier_.n_features_in_, adapter.classes_.tolist()) == (2, ["cyclic", "normal"])
    with pytest.raises(ValueError, match="X has 60 columns, expected a multiple of channels=7"):
        GatewiseClassifier(**QUICK, channels=7).fit(x[..., 0], y)


def test_arguments_are_those_of_the_classifier():
    classifier, adapter = Classifier().get_params(), GatewiseClassifier().get_params()
    assert adapter == {**classifier, "channels": 1}
    with pytest.raises(TypeError, match="hidden"):
        GatewiseClassifier(hidden=3)
    with pytest.raises(ValueError, match="cell is 'gated'"):
        GatewiseClassifier("gated").fit([[1.0], [2.0]], [0, 1])


@pytest.mark.parametrize("make", [Classifier, GatewiseClassifier])
def test_clones_and_pickles_are_the_same_estimator(charts, make):
    x, y = charts
    model = make(**QUICK).fit(x[..., 0], y)
    again = clone(model)
    assert again.get_params() == model.get_params()
    with pytest.raises(NotFittedError, match="not fitted"):
        again.predict(x[..., 0])
    check_is_fitted(model)
    unpickled = pickle.loads(pickle.dumps(model))
    assert (unpickled.predict_proba(x[..., 0]) == model.predict_proba(x[..., 0])).all()


def test_the_error_before_fit_is_a_runtime_error_too():
    with pytest.raises(RuntimeError, match="call fit"):
        Classifier().predict([[1.0]])


def test_a_grid_search_over_sequences_finds_the_better_network(charts):
    x, y = charts
    search = GridSearchCV(Classifier(**QUICK), {"epochs": [1, 30], "pooling": ["last", "max"]}, cv=3).fit(x, y)
    assert search.best_params_["epochs"] == 30
    assert search.best_score_ > 0.9
    assert search.cv_results_["mean_test_score"][0] < 0.9
    assert search.predict(x).tolist() == search.best_estimator_.predict(x).tolist()


def test_cross_validation_scores_the_test_folds(charts):
    x, y = charts
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    scores = cross_val_score(Classifier(**QUICK), x, y, cv=folds)
    by_hand = [
        accuracy_score(y[test], Classifier(**QUICK).fit(x[train], y[train]).predict(x[test]))
        for train, test in folds.split(x, y)
    ]
    assert scores.tolist() == by_hand
    probabilities = cross_val_predict(Classifier(**QUICK), x, y, cv=folds, method="predict_proba")
    assert probabilities.shape == (80, 2)
    assert np.mean(probabilities.argmax(1) == (y == "normal")) == pytest.approx(np.mean(scores))


def test_pipelines_of_tables_and_of_sequences(charts):
    x, y = charts
    tables = make_pipeline(StandardScaler(), GatewiseClassifier(**QUICK, scale="none")).fit(x[..., 0], y)
    by_hand = (x[..., 0] - x[..., 0].mean(0)) / x[..., 0].std(0)
    direct = Classifier(**QUICK, scale="none").fit(by_hand, y)
    assert tables.predict_proba(x[..., 0]) == pytest.approx(direct.predict_proba(by_hand), abs=1e-5)
    backwards = make_pipeline(FunctionTransformer(lambda x: x[:, ::-1]), Classifier(**QUICK)).fit(x, y)
    direct = Classifier(**QUICK).fit(x[:, ::-1], y)
    assert (backwards.predict_proba(x) == direct.predict_proba(x[:, ::-1])).all()


def test_probabilities_can_be_calibrated(charts):
    x, y = charts
    for model, values in ((GatewiseClassifier(**QUICK), x[..., 0]), (Classifier(**QUICK), x)):
        calibrated = CalibratedClassifierCV(model, cv=3).fit(values, y)
        probabilities = calibrated.predict_proba(values)
        assert probabilities.sum(1) == pytest.approx(np.ones(80))
        assert accuracy_score(y, calibrated.predict(values)) > 0.9


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, torch.tensor, np.ndarray.tolist])
@pytest.mark.parametrize("make", [Classifier, GatewiseClassifier])
def test_equal_tables_of_any_type_give_equal_predictions(charts, make, kind):
    x, y = charts
    table = x[..., 0].astype(np.float32)
    expected = make(**QUICK).fit(table, y).predict_proba(table)
    converted = kind(table)
    assert make(**QUICK).fit(converted, y).predict_proba(converted) == pytest.approx(expected, abs=1e-6)


def test_other_column_names_are_refused(charts):
    x, y = charts
    table = pd.DataFrame(x[..., 0]).add_prefix("t")
    model = GatewiseClassifier(**QUICK).fit(table, y)
    assert model.feature_names_in_.tolist() == table.columns.tolist()
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[table.columns[::-1]])


def test_no_other_module_imports_scikit_learn():
    code = "import sys, gatewise; gatewise.Classifier; from gatewise import cli; assert 'sklearn' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_error_before_fit_can_be_pickled():
    with pytest.raises(NotFittedError) as raised:
        Classifier().predict([[1.0]])
    again = pickle.loads(pickle.dumps(raised.value))
    assert isinstance(again, NotFittedError)
    assert isinstance(again, RuntimeError)
    assert str(again) == str(raised.value)
