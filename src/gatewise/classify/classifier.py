"""The Classifier: from labelled sequences to predictions with probabilities.

Letters: `N` sequences, `T` steps, `C` channels, `K` classes.
"""

import math
import os
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import cross_entropy

from gatewise import persistence
from gatewise.arguments import Arguments, boolean, fraction, number, one_of, whole
from gatewise.classify import state as keeping
from gatewise.classify.labels import check_weights, classes_of, held_out, weights_of
from gatewise.classify.scaling import in_units, measured, scaled
from gatewise.classify.sequences import Batch, SequenceError, Sequences, Shuffled, as_array
from gatewise.engines import ENGINES
from gatewise.networks import POOLINGS, Pooled
from gatewise.nn import GRU, LSTM, RNN
from gatewise.training import History, fit

CELLS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
SCALES = ("standard", "none")
STEPS, EPOCHS = 7000, (8, 100)  # of a training by default


class Classifier(Arguments):
    """Tell classes of sequences apart by one recurrent network.

    In the manner of scikit-learn: `fit`, `predict`, `predict_proba`, `score`, `get_params`, `set_params`, `clone`.

    Arguments:
        cell: "lstm", "gru" or "rnn".
        hidden_size: units of each layer.
        num_layers: recurrent layers, stacked.
        bidirectional: whether each layer reads backwards in time as well.
        pooling: what the classes are told by: "last", the state after the last step; "mean" or "max" of all hidden
            states.
        dropout: share of the pooled values, and of those between layers, that is left out in training.
        scale: "standard" brings each channel to mean 0 and standard deviation 1 over the training sequences, and what
            is further than 10 of them to 10; "none" takes values as they are.
        class_weight: None; "balanced", for as much weight for each class; or a mapping of classes to weights.
        validation_fraction: share of the sequences of each class, drawn at random, by which the training is watched; 0 for none.
        patience: epochs without a lower held-out loss after which training ends early; None to go through with it.
            The weights of the epoch with the lowest are taken, in either case, where something is held out.
        epochs: passes over the sequences; by default as many as make some 7,000 training steps, from 8 to 100.
        batch_size: sequences of a training step.
        lr: highest learning rate; it rises and falls in one cycle over all epochs.
        seed: of the initial weights, the shuffling, the dropout and what is held out.
        engine: what runs the equations; see `gatewise.engines`.
        quiet: False shows the progress of training.

    Raises:
        ValueError: if an argument is unknown or out of range.

    Attributes:
        classes_: (K,) in order, once fitted.
        n_features_in_: C.
        history_: losses of each epoch.
        view_: how images were made sequences (see `gatewise.datasets.view`), where `gatewise classify` did that.

    Examples:
        >>> from gatewise import Classifier
        >>> chance = np.random.default_rng(0)
        >>> y = np.repeat(["down", "up"], 50)
        >>> x = np.cumsum(np.where(y == "up", 0.6, -0.6)[:, None] + chance.normal(size=(100, 12)), axis=1)
        >>> model = Classifier(hidden_size=8, epochs=20, lr=0.01).fit(x, y)
        >>> model.predict(x[:2]).tolist(), model.predict_proba(x[:2]).shape, model.score(x, y) > 0.8
        (['down', 'down'], (2, 2), True)
    """

    classes_: np.ndarray
    n_features_in_: int
    history_: History
    view_: str = ""
    _network: "_OfBatches"
    _shift: Any
    _scaled_by: Any

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int = 128,
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
        for name, value, known in (
            ("cell", cell, CELLS),
            ("pooling", pooling, POOLINGS),
            ("scale", scale, SCALES),
            ("engine", engine, ("auto", *ENGINES)),
        ):
            one_of(name, value, known)
        sizes = {"hidden_size": hidden_size, "num_layers": num_layers, "batch_size": batch_size}
        chosen = {name: size for name, size in {"epochs": epochs, "patience": patience}.items() if size is not None}
        for name, size in {**sizes, **chosen}.items():
            whole(name, size, 1)
        whole("seed", seed, 0)
        boolean("bidirectional", bidirectional)
        boolean("quiet", quiet)
        fraction("dropout", dropout)
        fraction("validation_fraction", validation_fraction)
        number("lr", lr, math.inf, "a number above 0, such as 0.003")
        check_weights(class_weight)
        self.cell, self.hidden_size, self.num_layers, self.bidirectional = cell, hidden_size, num_layers, bidirectional
        self.pooling, self.dropout, self.scale, self.class_weight = pooling, dropout, scale, class_weight
        self.validation_fraction, self.patience, self.epochs, self.batch_size = (
            validation_fraction,
            patience,
            epochs,
            batch_size,
        )
        self.lr, self.seed, self.engine, self.quiet = lr, seed, engine, quiet

    def fit(self, x: Any, y: Any, *, lengths: Any = None) -> "Classifier":
        """Train on labelled sequences, afresh.

        Arguments:
            x: (N, T, C), or (N, T) for one channel: an array or a tensor; or a list of N arrays (T, C) or (T,) of any
                lengths.
            y: (N,) labels of any one type.
            lengths: (N,) how many steps of each count, where they differ in an x of three dimensions.

        Returns:
            The classifier itself.

        Raises:
            SequenceError: sequences or labels cannot be used; says which, and the remedy. Nothing was trained then.
            DivergenceError: training met a NaN or infinity; use a smaller lr.
        """
        sequences = Sequences.of(x, lengths)
        classes, places = classes_of(y, len(sequences))
        weights = weights_of(self.class_weight, classes, places)
        out = held_out(places, self.validation_fraction, np.random.default_rng(int(self.seed)))
        shift, scale = measured(sequences, torch.from_numpy(~out)) if self.scale == "standard" else (None, None)
        ready = scaled(sequences, shift, scale)
        with torch.inference_mode(False):
            network, history = self._trained(ready, places, out, weights)
        self.classes_, self.n_features_in_, self.history_ = classes, sequences.channels, history
        self._network, self._shift, self._scaled_by, self.view_ = network, shift, scale, ""
        return self

    def predict(self, x: Any, *, lengths: Any = None) -> np.ndarray:
        """The most probable class (N,) of each sequence; see `predict_proba`."""
        chosen: np.ndarray = self._logits(self._sequences(x, lengths)).argmax(1).numpy()
        return np.asarray(self.classes_[chosen])

    def predict_proba(self, x: Any, *, lengths: Any = None) -> np.ndarray:
        """The probability (N, K) of each class, in the order of `classes_`.

        Arguments:
            x, lengths: as for `fit`.

        Raises:
            RuntimeError: before `fit`.
            SequenceError: sequences cannot be used, or have another number of channels than those of `fit`.
        """
        return self._shares(self._sequences(x, lengths))

    def score(self, x: Any, y: Any, sample_weight: Any = None, *, lengths: Any = None) -> float:
        """The share of sequences whose class is predicted right.

        Arguments:
            x, lengths: as for `fit`.
            y: (N,) their labels.
            sample_weight: (N,) how much each counts.

        Raises:
            SequenceError: as in `predict_proba`, or there is not one label for each sequence.
        """
        predicted, true = self.predict(x, lengths=lengths), as_array(y, "y")
        if true.shape != predicted.shape:
            raise SequenceError(f"y has shape {true.shape}, expected {predicted.shape}, a label for each sequence")
        if not set(true.tolist()) & set(self.classes_.tolist()):
            raise SequenceError(f"y holds none of the classes of training, such as {self.classes_.tolist()[0]!r}")
        return float(np.average(predicted == true, weights=_counted(sample_weight, len(true))))

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
        """A picture.

        Arguments:
            kind: "confusion", which classes of x are taken for which; "examples", some sequences, drawn at random by
                `seed`: where y is given, half of those that are right, and the mistakes that it was surest of;
                "gates", what the gates of a layer and the probabilities of the classes do while one sequence is read;
                or "learning_curve", the losses of the training.
            x, y, lengths: as for `fit`; "gates" takes one sequence, such as x[:1]; y is needed for "confusion" only.
            image: for "examples" and "gates", True draws a sequence as a picture whose rows are its steps; for
                "examples" also the pictures (N, height, width), where x holds their columns or pixels.
            count: how many examples; 12 by default.
            layer: whose gates, 0 for the first; the last by default.
            ax: matplotlib Axes to draw on, for "confusion" and "learning_curve".

        Returns:
            The matplotlib Axes; for "examples" and "gates", the Figure.

        Raises:
            ImportError: without matplotlib.
            RuntimeError: before `fit`.
            ValueError: an unknown kind, or an option that belongs to another one; for "gates", an engine that gives
                back none.
            SequenceError: sequences or labels cannot be used.

        >>> x, y = np.random.default_rng(0).normal(size=(20, 5)), np.arange(20) % 2
        >>> model = Classifier(hidden_size=4, epochs=1).fit(x, y)
        >>> model.plot("confusion", x, y).get_xlabel(), len(model.plot("examples", x, y, count=4).axes)
        ('predicted class', 4)
        """
        from gatewise.classify import figures as pictures

        return pictures.draw(self, kind, x, y, lengths, image, count, layer, ax)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Keep the fitted classifier in a file, whole or not at all; see `gatewise.persistence`.

        Arguments:
            path: where to; what stands there is replaced.

        Raises:
            RuntimeError: before `fit`.
            ValueError: the classes are of a type that a file cannot keep.
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
        network = self._fitted()
        content, arrays = keeping.pack(
            self.get_params(), self.classes_, self.history_, network, self._shift, self._scaled_by, self.n_features_in_
        )
        persistence.save(path, keeping.KIND, {**content, "view": self.view_}, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Classifier":
        """The classifier that `save` kept: it predicts the same, bit for bit. No code from the file is run.

        Arguments:
            path: of the file.

        Raises:
            OSError: the file cannot be read.
            FormatError: it is no file that `save` wrote, one of another version, or damaged; see `gatewise.persistence`.
        """
        content, arrays = persistence.load(path, keeping.KIND, keeping.UPGRADES)
        try:
            model = cls(**keeping.arguments_of(content, cls._defaults()))
            model.classes_ = keeping.classes_of(content, arrays)
            model.history_ = keeping.history_of(content, arrays)
            model.n_features_in_ = channels = keeping.channels_of(content)
            model.view_ = keeping.view_of(content)
            model._shift, model._scaled_by = keeping.scale_of(arrays, model.scale, channels)
            sizes = channels, len(model.classes_), torch.Generator()
            keeping.check_size(arrays, model.hidden_size, model.num_layers)
            model._network = keeping.network_of(arrays, lambda device: model._untrained(*sizes, device))
        except ValueError as reason:
            raise persistence.FormatError(f"{path} holds no whole classifier: {reason}; save it again") from None
        return model

    @property
    def network_(self) -> Pooled:
        """The trained network, a recurrent `body` and a linear `head`, for sequences (T, B, C) scaled as in `fit`."""
        if not hasattr(self, "_network"):
            raise AttributeError("the classifier has no network yet; call fit(x, y) first")
        return self._network.network

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of an estimator; nobody else calls it."""
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
        return hasattr(self, "_network")

    def _fitted(self) -> "_OfBatches":
        if not hasattr(self, "_network"):
            raise _not_fitted("the classifier is not fitted; call fit(x, y) first")
        return self._network

    def _sequences(self, x: Any, lengths: Any) -> Sequences:
        """What is to be predicted, checked, with the channels of the training."""
        self._fitted()
        sequences = Sequences.of(x, lengths)
        if sequences.channels != self.n_features_in_:
            raise SequenceError(f"x has {sequences.channels} channel(s), expected {self.n_features_in_}, as in fit")
        return sequences

    def _shares(self, sequences: Sequences) -> np.ndarray:
        """The probability (N, K) of each class."""
        probabilities: np.ndarray = torch.softmax(self._logits(sequences).double(), 1).numpy()
        return probabilities

    def _logits(self, sequences: Sequences) -> Tensor:
        network = self._fitted()
        answers = torch.empty(len(sequences), len(self.classes_), dtype=torch.float32, device="cpu")
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            for part in sequences.parts(self.hidden_size * (1 + self.bidirectional)):
                batch = sequences.batch(part)
                answers[part] = network(Batch(in_units(batch.x, self._shift, self._scaled_by), batch.lengths))
        return answers

    def _trained(
        self, sequences: Sequences, places: np.ndarray, out: np.ndarray, weights: np.ndarray
    ) -> tuple["_OfBatches", History]:
        generator = torch.Generator().manual_seed(int(self.seed))
        network = self._untrained(sequences.channels, len(weights), generator)
        classes, each = torch.from_numpy(places), torch.from_numpy(weights).float()
        known, other = (torch.from_numpy(np.flatnonzero(one)) for one in (~out, out))
        watched = Shuffled(sequences, classes, other, 4 * int(self.batch_size), None) if len(other) else None
        epochs = self.epochs or int(np.clip(STEPS * int(self.batch_size) // len(known), *EPOCHS))
        if watched is None and self.patience is not None:
            raise SequenceError(
                f"patience needs sequences held out, validation_fraction={self.validation_fraction} of {len(places)} are none"
            )
        patience = None if watched is None else epochs if self.patience is None else self.patience
        # torch's dropout knows no other than its global generator
        with torch.autocast("cpu", enabled=False), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(torch.randint(2**62, (), generator=generator, device="cpu")))
            history = fit(
                network,
                Shuffled(sequences, classes, known, self.batch_size, generator),
                loss=lambda answers, y: cross_entropy(answers, y, each, reduction="none").mean(),
                lr=self.lr,
                epochs=epochs,
                schedule="onecycle",
                clip_norm=1.0,
                held_out=watched,
                patience=patience,
                quiet=self.quiet,
                description=f"{len(known)} sequences",
            )
        return network.eval(), history

    def _untrained(self, channels: int, classes: int, generator: torch.Generator, device: str = "cpu") -> "_OfBatches":
        between = self.dropout if self.num_layers > 1 else 0.0
        body = CELLS[self.cell](
            channels,
            self.hidden_size,
            self.num_layers,
            bidirectional=self.bidirectional,
            dropout=between,
            engine=self.engine,
            generator=generator,
            device=device,
            dtype=torch.float32,
        )
        return _OfBatches(Pooled(body, classes, pooling=self.pooling, dropout=self.dropout, generator=generator))


def _counted(weights: Any, count: int) -> Any:
    """How much each sequence counts (N,), None for the same."""
    if weights is None:
        return None
    given = as_array(weights, "sample_weight")
    if (
        given.shape != (count,)
        or given.dtype.kind not in "biuf"
        or not (given >= 0).all()
        or not 0 < given.sum() < np.inf
    ):
        raise ValueError(f"sample_weight is {given.dtype} {given.shape}, expected ({count},), 0 or more, not all 0")
    return given


def _not_fitted(text: str) -> Exception:
    """A RuntimeError, of scikit-learn's own kind too, where that is in use."""
    theirs = sys.modules.get("sklearn.exceptions")
    if theirs is None:
        return RuntimeError(text)
    # pickle finds no class that is made here; processes of joblib make it anew
    again = {"__reduce__": lambda self: (_not_fitted, self.args)}
    error: Exception = type("NotFittedError", (RuntimeError, theirs.NotFittedError), again)(text)
    return error


class _OfBatches(Module):
    """A network that reads a `Batch`."""

    def __init__(self, network: Pooled) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> Tensor:
        answers: Tensor = self.network(*batch)
        return answers
