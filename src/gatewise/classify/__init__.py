"""Classification: sequences into classes.

- `classifier`: `Classifier`, from sequences and labels to predictions with probabilities.
- `sequences`: what comes in, checked, and cut into batches.
- `labels`: classes, their weights, and which sequences are held out.
"""

from gatewise.classify.classifier import Classifier
from gatewise.classify.sequences import SequenceError, Sequences

__all__ = ["Classifier", "SequenceError", "Sequences"]
