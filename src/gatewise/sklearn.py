"""A scikit-learn classifier for tables, for its pipelines and parameter searches.

    from gatewise.sklearn import GatewiseClassifier

This module needs scikit-learn, `pip install "gatewise[sklearn]"`; no other module of Gatewise imports it.

Reference: Pedregosa et al., Scikit-learn: machine learning in Python, 2011.

Letters: `N` sequences, `T` steps, `C` channels, `K` classes.
"""

from inspect import Parameter, signature
from typing import Any

import numpy as np

from gatewise.arguments import whole
from gatewise.classify import Classifier

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as reason:
    raise ImportError(
        'gatewise.sklearn needs scikit-learn, which is missing; run: pip install "gatewise[sklearn]"'
    ) from reason

SIGNATURE = signature(Classifier.__init__)
CHANNELS = Parameter("channels", Parameter.KEYWORD_ONLY, default=1)


class GatewiseClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """`gatewise.Classifier` for tables (N, T * C): a row for each sequence, the channels of each step side by side.

    It has the arguments of `gatewise.Classifier`, with the same defaults, and `channels`, the number C; `fit` validates
    them. As scikit-learn requires for tables, it stores the column names, and refuses data with other names or types
    with scikit-learn's messages.

    Attributes:
        classes_: (K,) in order.
        n_features_in_: T * C.
        feature_names_in_: (T * C,) column names, if the table has any.
        classifier_: the fitted `gatewise.Classifier`, with `history_`, `plot` and `save`.

    Raises:
        TypeError: an unknown argument.
        ValueError: in `fit`, if an argument is out of range; in any method, if the data cannot be used.

    Examples:
        >>> from sklearn.model_selection import cross_val_score
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import RobustScaler
        >>> from gatewise import datasets
        >>> charts = datasets.control_charts(each=20)
        >>> model = GatewiseClassifier(hidden_size=16, epochs=20, batch_size=16, lr=0.02, scale="none")
        >>> scores = cross_val_score(make_pipeline(RobustScaler(), model), charts.x[..., 0], charts.y, cv=3)
        >>> bool(scores.mean() > 0.4)
        True
    """

    def __init__(self, *positional: Any, channels: int = 1, **named: Any) -> None:
        bound = SIGNATURE.bind(self, *positional, **named)
        bound.apply_defaults()
        for name, value in list(bound.arguments.items())[1:]:
            setattr(self, name, value)
        self.channels = channels

    # Only Classifier lists the arguments; scikit-learn and inspect read this signature.
    __init__.__signature__ = SIGNATURE.replace(  # type: ignore[attr-defined]
        parameters=[*SIGNATURE.parameters.values(), CHANNELS]
    )

    def fit(self, X: Any, y: Any) -> "GatewiseClassifier":
        """Train on a table (N, T * C) and its labels (N,)."""
        whole("channels", self.channels, 1)
        X, y = validate_data(self, X, y, dtype="numeric")
        check_classification_targets(y)
        if self.n_features_in_ % self.channels:
            raise ValueError(
                f"X has {self.n_features_in_} columns, expected a multiple of channels={self.channels}: the channels "
                "of the first step, then those of the second, and so on"
            )
        arguments = self.get_params(deep=False)
        del arguments["channels"]
        self.classifier_ = Classifier(**arguments).fit(self._sequences(X), y, channels_first=False)
        self.classes_ = self.classifier_.classes_
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class (N,) of each row."""
        X = self._validated(X)
        return self.classifier_.predict(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability (N, K) of each class, in the order of `classes_`."""
        X = self._validated(X)
        return self.classifier_.predict_proba(X)

    def _validated(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._sequences(validate_data(self, X, dtype="numeric", reset=False))

    def _sequences(self, X: np.ndarray) -> np.ndarray:
        """(N, T, C)."""
        return X.reshape(len(X), -1, self.channels)
