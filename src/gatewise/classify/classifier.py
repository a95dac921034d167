"""The Classifier: from labelled sequences to predictions with probabilities.

Letters: `N` sequences, `T` steps, `C` channels, `K` classes.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from gatewise import persistence
from gatewise.arguments import Arguments
from gatewise.classify import figures
from gatewise.classify import persistence as files
from gatewise.classify.axes import count_hint, oriented
from gatewise.classify.errors import SequenceError
from gatewise.classify.frames import refuse_labels, refuse_runs
from gatewise.classify.labels import class_weights, encode_labels, validation_mask
from gatewise.classify.names import column_names, refuse_other_names
from gatewise.classify.network import BatchNetwork, build_network
from gatewise.classify.scaling import fit_standardization, scale_sequences
from gatewise.classify.sequences import Sequences, as_array
from gatewise.classify.state import ClassifierState
from gatewise.classify.training import default_hidden_size, train
from gatewise.classify.validation import check_arguments, check_patience, check_sample_weight, not_fitted
from gatewise.networks import Pooled
from gatewise.training import History


class Classifier(Arguments):
    """Classify sequences with one recurrent network.

    An estimator with the methods of scikit-learn: `fit`, `predict`, `predict_proba`, `score`, `get_params`,
    `set_params`, `clone`.

    Arguments:
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer; by default 128, or 64 for fewer than 1,000 training sequences.
        num_layers: number of recurrent layers, stacked.
        bidirectional: run each layer in both directions of time.
        pooling: input of the linear head: "last", the state after the last step; "mean" or "max" of all hidden states.
        dropout: probability of zeroing a pooled value, and a value between layers, during training.
        scale: "standard" brings each channel to mean 0 and standard deviation 1 over the training sequences, and clips
            values at 10 standard deviations; "none" leaves values unchanged.
        class_weight: None for equal weights of sequences; "balanced" for equal weights of classes; or a mapping of
            classes to weights.
        validation_fraction: fraction of the sequences of each class, drawn at random, that form the validation set; 0
            for none.
        patience: number of epochs without a new lowest validation loss after which training stops; None to train all
            epochs. With a validation set, the weights of the epoch with the lowest validation loss are used in either
            case.
        epochs: passes over the training sequences; by default some 7,000 training steps, from 8 to 100 epochs.
        batch_size: sequences of a training step.
        lr: highest learning rate; it rises and falls in one cycle over all epochs.
        seed: random seed of the initial weights, the shuffling, the dropout and the validation set.
        engine: computation engine; see `gatewise.engines`.
        quiet: False shows the progress of training.

    Raises:
        ValueError: if an argument is unknown or out of range.

    Attributes:
        classes_: (K,) in order, after `fit`.
        n_features_in_: C.
        feature_names_in_: column names of the table in `fit`, if all are text; tables with other names, or in another
            order, are refused afterwards.
        history_: losses of each epoch.
        view_: how `gatewise classify` converted images to sequences (see `gatewise.datasets.view`), "" otherwise.

    Examples:
        >>> from gatewise import Classifier
        >>> generator = np.random.default_rng(0)
        >>> y = np.repeat(["down", "up"], 50)
        >>> x = np.cumsum(np.where(y == "up", 0.6, -0.6)[:, None] + generator.normal(size=(100, 12)), axis=1)
        >>> model = Classifier(hidden_size=8, epochs=20, lr=0.01).fit(x, y)
        >>> model.predict(x[:2]).tolist(), model.predict_proba(x[:2]).shape, model.score(x, y) > 0.8
        (['down', 'down'], (2, 2), True)
    """

    classes_: np.ndarray
    n_features_in_: int
    feature_names_in_: np.ndarray
    history_: History
    view_: str = ""
    _state: ClassifierState

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int | None = None,
        num_layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "last",
        dropout: float = 0.0,
        scale: str = "standard",
        class_weight: Any = None,
        validation_fraction: float = 0.1,
        patience: int | None = None,
        epochs: int | None = None,
        batch_size: int = 64,
        lr: float = 3e-3,
        seed: int = 0,
        engine: str = "auto",
        quiet: bool = True,
    ) -> None:
        self.cell, self.hidden_size, self.num_layers, self.bidirectional = cell, hidden_size, num_layers, bidirectional
        self.pooling, self.dropout, self.scale, self.class_weight = pooling, dropout, scale, class_weight
        self.validation_fraction, self.patience, self.epochs = validation_fraction, patience, epochs
        self.batch_size, self.lr, self.seed, self.engine, self.quiet = batch_size, lr, seed, engine, quiet
        check_arguments(self.get_params())

    def fit(self, x: Any, y: Any, *, lengths: Any = None, channels_first: bool | None = None) -> "Classifier":
        """Train a new network on labelled sequences.

        Arguments:
            x: (N, T, C), or (N, T) for one channel: an array or a tensor; or a list of N arrays (T, C) or (T,) of any
                lengths. Steps at the end that are NaN in all channels mean a shorter sequence, with a warning.
            y: (N,) labels of any one type.
            lengths: (N,) number of valid steps of each sequence of an array x; all T by default.
            channels_first: True for x (N, C, T), or a list of (C, T); False for (N, T, C). By default (N, T, C), with a
                warning if the axes seem to be in the other order.

        Returns:
            The classifier itself.

        Raises:
            SequenceError: sequences or labels that cannot be used; the message names the first and a remedy. The
                classifier does not change.
            DivergenceError: training met NaN or infinity; use a smaller lr.
        """
        x, names = oriented(x, channels_first), column_names(x)
        sequences = Sequences.of(x, lengths)
        classes, indices = encode_labels(y, len(sequences), count_hint(x, y))
        refuse_labels(x, y)
        refuse_runs(x, indices)
        weights = class_weights(self.class_weight, classes, indices)
        validation = validation_mask(indices, self.validation_fraction, np.random.default_rng(int(self.seed)))
        check_patience(self.patience, self.validation_fraction, validation)
        training = torch.from_numpy(~validation)
        scaling = fit_standardization(sequences, training) if self.scale == "standard" else None
        scaled = scale_sequences(sequences, scaling)
        generator = torch.Generator().manual_seed(int(self.seed))
        with torch.inference_mode(False):
            hidden_size = self.hidden_size or default_hidden_size(int(training.sum()))
            network = self._build(sequences.channels, len(classes), hidden_size, generator)
            history = train(
                network,
                scaled,
                indices,
                validation,
                weights,
                generator=generator,
                epochs=self.epochs,
                batch_size=self.batch_size,
                lr=self.lr,
                patience=self.patience,
                quiet=self.quiet,
            )
        weighted = self.class_weight is not None
        self._set_state(
            ClassifierState(
                network.eval(),
                classes,
                sequences.channels,
                scaling,
                history,
                weighted,
                seed=int(self.seed),
                shortest=int(sequences.lengths.min()),
            )
        )
        self.view_ = ""
        self.set_feature_names(names)
        return self

    def predict(self, x: Any, *, lengths: Any = None, channels_first: bool = False) -> np.ndarray:
        """The most probable class (N,) of each sequence; see `predict_proba`."""
        state = self._fitted()
        sequences = self._sequences(x, lengths, channels_first)
        indices: np.ndarray = state.logits(sequences).argmax(1).numpy()
        return np.asarray(state.classes[indices])

    def predict_proba(self, x: Any, *, lengths: Any = None, channels_first: bool = False) -> np.ndarray:
        """The probability (N, K) of each class, in the order of `classes_`.

        Arguments:
            x, lengths: as for `fit`.
            channels_first: True for x (N, C, T), or a list of (C, T).

        Raises:
            RuntimeError: before `fit`.
            SequenceError: sequences that cannot be used, or with another number of channels than in `fit`.
        """
        state = self._fitted()
        return state.probabilities(self._sequences(x, lengths, channels_first))

    def score(
        self, x: Any, y: Any, sample_weight: Any = None, *, lengths: Any = None, channels_first: bool = False
    ) -> float:
        """The accuracy: the fraction of sequences whose class is predicted correctly.

        Arguments:
            x, lengths, channels_first: as for `predict_proba`.
            y: (N,) their labels.
            sample_weight: (N,) weight of each sequence.

        Raises:
            SequenceError: as in `predict_proba`, or not one label for each sequence.
        """
        predicted, true = self.predict(x, lengths=lengths, channels_first=channels_first), as_array(y, "y")
        if true.shape != predicted.shape:
            raise SequenceError(f"y has shape {true.shape}, expected {predicted.shape}, a label for each sequence")
        if not set(true.tolist()) & set(self.classes_.tolist()):
            raise SequenceError(
                f"y holds none of the training classes; pass labels such as {self.classes_.tolist()[0]!r}"
            )
        return float(np.average(predicted == true, weights=check_sample_weight(sample_weight, len(true))))

    def plot(
        self,
        kind: str = "confusion",
        x: Any = None,
        y: Any = None,
        *,
        lengths: Any = None,
        image: Any = False,
        count: int | None = None,
        layer: int | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw a figure.

        Arguments:
            kind: "confusion", the confusion matrix of x and y; "examples", some sequences with their predictions,
                drawn at random by `seed`; with y, half of them correct predictions and half the most confident errors;
                "gates", the gates of one layer and the probability of each class, step by step, for one sequence; or
                "learning_curve", the losses of the training.
            x, y, lengths: as for `fit`; "gates" takes one sequence, such as x[:1]; only "confusion" needs y.
            image: for "examples" and "gates", True draws a sequence as an image whose rows are its steps; for
                "examples", it may be the images (N, height, width) if x holds their columns or pixels.
            count: number of examples; 12 by default.
            layer: layer of the gates, 0 for the first; the last by default.
            ax: matplotlib Axes to draw on, for "confusion" and "learning_curve".

        Returns:
            The matplotlib Axes; for "examples" and "gates", the Figure.

        Raises:
            ImportError: without matplotlib.
            RuntimeError: before `fit`.
            ValueError: an unknown kind, or an option of another kind; for "gates", an engine that returns no gates.
            SequenceError: sequences or labels that cannot be used.

        >>> x, y = np.random.default_rng(0).normal(size=(20, 5)), np.arange(20) % 2
        >>> model = Classifier(hidden_size=4, epochs=1).fit(x, y)
        >>> model.plot("confusion", x, y).get_xlabel(), len(model.plot("examples", x, y, count=4).axes)
        ('predicted class', 4)
        """
        options = {"x": x, "y": y, "lengths": lengths, "image": image, "count": count, "layer": layer, "ax": ax}
        figures.check_options(kind, options)
        refuse_other_names(x, getattr(self, "feature_names_in_", ()))
        return figures.draw(self._fitted(), kind, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted classifier to a file, completely or not at all; see `gatewise.persistence`.

        Arguments:
            path: of the file; an existing file is replaced.

        Raises:
            RuntimeError: before `fit`.
            ValueError: a file cannot hold classes of this type.
            OSError: the file cannot be written.

        >>> import tempfile
        >>> x, y = np.random.default_rng(0).normal(size=(20, 5)), np.arange(20) % 2
        >>> model = Classifier(hidden_size=4, epochs=1).fit(x, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.safetensors")
        ...     again = Classifier.load(f"{folder}/model.safetensors")
        >>> again, bool((again.predict_proba(x) == model.predict_proba(x)).all())
        (Classifier(hidden_size=4, epochs=1), True)
        """
        names = getattr(self, "feature_names_in_", ())
        content, arrays = files.pack(self.get_params(), self._fitted(), self.view_, names)
        persistence.save(path, files.KIND, content, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Classifier":
        """Read a classifier that `save` wrote; its predictions are bit-identical. No code in the file is run.

        Arguments:
            path: of the file.

        Raises:
            OSError: the file cannot be read.
            FormatError: the file was not written by `save`, has another version, or is damaged; see
                `gatewise.persistence`.
        """
        content, arrays = persistence.load(path, files.KIND, files.UPGRADES)
        try:
            model = cls(**files.read_arguments(content, cls._defaults()))
            view, names = files.read_view(content), files.read_names(content)
            model._set_state(files.unpack(content, arrays, model.get_params(), model._build_to_load))
        except ValueError as reason:
            raise persistence.FormatError(
                f"{path} does not hold a complete classifier: {reason}; save it again with this Gatewise"
            ) from None
        model.view_ = view
        model.set_feature_names(names)
        return model

    @property
    def network_(self) -> Pooled:
        """The trained network, a recurrent `body` and a linear `head`, for sequences (T, B, C) scaled as in `fit`."""
        if not hasattr(self, "_state"):
            raise AttributeError("the classifier has no network yet; call fit(x, y) first")
        return self._state.network

    def __sklearn_tags__(self) -> Any:
        """The tags that scikit-learn reads; only scikit-learn calls it."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            transformer_tags=None,
            regressor_tags=None,
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(three_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_state")

    def _fitted(self) -> ClassifierState:
        if not hasattr(self, "_state"):
            raise not_fitted("the classifier is not fitted; call fit(x, y) first")
        return self._state

    def _sequences(self, x: Any, lengths: Any, channels_first: bool) -> Sequences:
        """Validated sequences with the channels, and the column names, of the training."""
        refuse_other_names(x, getattr(self, "feature_names_in_", ()))
        return self._fitted().sequences(oriented(x, channels_first), lengths)

    def set_feature_names(self, names: Sequence[str]) -> None:
        """Keep the names of the columns of the training; without names, there is no `feature_names_in_`."""
        vars(self).pop("feature_names_in_", None)
        if len(names):
            self.feature_names_in_ = np.array(names, object)

    def _set_state(self, state: ClassifierState) -> None:
        self._state, self.classes_ = state, state.classes
        self.n_features_in_, self.history_ = state.channels, state.history

    def _build(
        self, channels: int, classes: int, hidden_size: int, generator: torch.Generator, device: str = "cpu"
    ) -> BatchNetwork:
        """An untrained network."""
        return build_network(
            channels,
            classes,
            cell=self.cell,
            hidden_size=int(hidden_size),
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            pooling=self.pooling,
            dropout=self.dropout,
            engine=self.engine,
            generator=generator,
            device=device,
        )

    def _build_to_load(self, channels: int, classes: int, hidden_size: int, device: str) -> BatchNetwork:
        return self._build(channels, classes, hidden_size, torch.Generator(), device)
