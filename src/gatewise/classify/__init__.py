"""Classification of sequences.

- `classifier`: `Classifier`, from sequences and labels to predictions with probabilities.
- `sequences`: input sequences, validated and batched.
- `frames`, `axes`, `names`: tables of pandas and polars as sequences; axes in another order; names of columns.
- `errors`: `SequenceError`.
- `scaling`: standardization of each channel.
- `labels`: classes, class weights and stratified splits.
- `network`: the recurrent network of a classifier.
- `training`: training of the network.
- `state`: the state of a fitted classifier, used for predictions, figures and files.
- `scores`: accuracy, scores of each class and the confusion matrix.
- `figures`: figures of a fitted classifier.
- `persistence`: conversion of a fitted classifier to the content of a file, and back.
- `validation`: checks of arguments.

Imports go one way: classifier > figures | persistence | training > state > scaling | labels | network | scores |
validation > sequences > frames | axes | names > errors.
"""

from gatewise.classify.classifier import Classifier
from gatewise.classify.errors import SequenceError
from gatewise.classify.labels import stratified_mask
from gatewise.classify.scores import Scores
from gatewise.classify.sequences import Sequences

__all__ = ["Classifier", "Scores", "SequenceError", "Sequences", "stratified_mask"]
