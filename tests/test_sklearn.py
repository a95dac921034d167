"""The classifier among scikit-learn's: its own conformance tests, its searches and pipelines, and that labels and
columns come through them unchanged."""

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
    "check_do_not_raise_errors_in_init_or_set_params": "arguments are checked where they are given",
    "check_n_features_in": "n_features_in_ counts channels, a table is one channel of as many steps as it has columns",
    "check_n_features_in_after_fitting": "the same",
    "check_classifiers_train": "sequences of other lengths than those of training are classified",
    "check_dtype_object": "values that are no numbers are a ValueError, as all other data that cannot be used",
    "check_supervised_y_2d": "labels in a column of their own are refused, not guessed to be meant",
}


@pytest.fixture(scope="module")
def charts():
    """Normal and cyclic charts, (80, 60, 1), and their names."""
    charts = datasets.control_charts(each=40)
    return charts.x[:80], charts.y[:80]


def results(estimator, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's checks announce what they skip and what may fail
        return check_estimator(estimator, on_skip=None, on_fail=None, **options)


def test_the_adapter_passes_every_check_of_scikit_learn():
    found = results(GatewiseClassifier(**QUICK))
    assert [one["check_name"] for one in found if one["status"] == "failed"] == []
    assert sum(one["status"] == "passed" for one in found) > 40


def test_the_classifier_passes_all_that_sequences_allow():
    found = results(Classifier(**QUICK), expected_failed_checks=BY_DESIGN)
    assert [one["check_name"] for one in found if one["status"] == "failed"] == []
    assert {one["check_name"] for one in found if one["status"] == "xfail"} == set(BY_DESIGN)
    assert sum(one["status"] == "passed" for one in found) > 35


def test_a_table_is_read_step_after_step(charts):
    x, y = charts
    two = np.concatenate([x, np.roll(x, 7, axis=1)], axis=2)  # (80, 60, 2)
    table = two.reshape(80, -1)
    ours = Classifier(**QUICK).fit(two, y)
    theirs = GatewiseClassifier(**QUICK, channels=2).fit(table, y)
    assert (theirs.predict_proba(table) == ours.predict_proba(two)).all()
    assert theirs.n_features_in_ == 120
    assert (theirs.classifier_.n_features_in_, theirs.classes_.tolist()) == (2, ["cyclic", "normal"])
    with pytest.raises(ValueError, match="X has 60 columns, expected a multiple of channels=7"):
        GatewiseClassifier(**QUICK, channels=7).fit(x[..., 0], y)


def test_arguments_are_those_of_the_classifier():
    ours, theirs = Classifier().get_params(), GatewiseClassifier().get_params()
    assert theirs == {**ours, "channels": 1}
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
    kept = pickle.loads(pickle.dumps(model))
    assert (kept.predict_proba(x[..., 0]) == model.predict_proba(x[..., 0])).all()


def test_what_is_not_fitted_is_a_runtime_error_too():
    with pytest.raises(RuntimeError, match="call fit"):
        Classifier().predict([[1.0]])


def test_a_search_over_sequences_finds_the_network_that_can_learn(charts):
    x, y = charts
    search = GridSearchCV(Classifier(**QUICK), {"epochs": [1, 30], "pooling": ["last", "max"]}, cv=3).fit(x, y)
    assert search.best_params_["epochs"] == 30
    assert search.best_score_ > 0.9
    assert search.cv_results_["mean_test_score"][0] < 0.9
    assert search.predict(x).tolist() == search.best_estimator_.predict(x).tolist()


def test_cross_validation_scores_what_it_did_not_train_on(charts):
    x, y = charts
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    scores = cross_val_score(Classifier(**QUICK), x, y, cv=folds)
    by_hand = [
        accuracy_score(y[test], Classifier(**QUICK).fit(x[train], y[train]).predict(x[test]))
        for train, test in folds.split(x, y)
    ]
    assert scores.tolist() == by_hand
    shares = cross_val_predict(Classifier(**QUICK), x, y, cv=folds, method="predict_proba")
    assert shares.shape == (80, 2)
    assert np.mean(shares.argmax(1) == (y == "normal")) == pytest.approx(np.mean(scores))


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
    for model, given in ((GatewiseClassifier(**QUICK), x[..., 0]), (Classifier(**QUICK), x)):
        calibrated = CalibratedClassifierCV(model, cv=3).fit(given, y)
        shares = calibrated.predict_proba(given)
        assert shares.sum(1) == pytest.approx(np.ones(80))
        assert accuracy_score(y, calibrated.predict(given)) > 0.9


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, torch.tensor, np.ndarray.tolist])
@pytest.mark.parametrize("make", [Classifier, GatewiseClassifier])
def test_tables_of_every_kind_are_the_same_table(charts, make, kind):
    x, y = charts
    table = x[..., 0].astype(np.float32)
    expected = make(**QUICK).fit(table, y).predict_proba(table)
    given = kind(table)
    assert make(**QUICK).fit(given, y).predict_proba(given) == pytest.approx(expected, abs=1e-6)


def test_columns_of_another_name_are_refused(charts):
    x, y = charts
    table = pd.DataFrame(x[..., 0]).add_prefix("t")
    model = GatewiseClassifier(**QUICK).fit(table, y)
    assert model.feature_names_in_.tolist() == table.columns.tolist()
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[table.columns[::-1]])


def test_nothing_else_imports_scikit_learn():
    code = "import sys, gatewise; gatewise.Classifier; from gatewise import cli; assert 'sklearn' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_not_fitted_can_be_told_by_a_worker_process():
    with pytest.raises(NotFittedError) as raised:
        Classifier().predict([[1.0]])
    again = pickle.loads(pickle.dumps(raised.value))
    assert isinstance(again, NotFittedError)
    assert isinstance(again, RuntimeError)
    assert str(again) == str(raised.value)
