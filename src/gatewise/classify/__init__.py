"""Classification: sequences into classes.

- `classifier`: `Classifier`, from sequences and labels to predictions with probabilities.
- `sequences`: what comes in, checked, and cut into batches.
- `scaling`: each channel to mean 0 and standard deviation 1.
- `labels`: classes, their weights, and which sequences are held out.
- `scores`: what was predicted beside what is true: accuracy, a table of the classes, the confusion matrix.
- `keeping`: a fitted classifier as what a file holds.
"""

from gatewise.classify.classifier import Classifier
from gatewise.classify.labels import drawn
from gatewise.classify.scores import Scores
from gatewise.classify.sequences import SequenceError, Sequences

__all__ = ["Classifier", "Scores", "SequenceError", "Sequences", "drawn"]
