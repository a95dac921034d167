"""The error of sequences and labels that cannot be used."""


class SequenceError(ValueError):
    """Sequences that cannot be used; the message names the sequence, what was expected, and the remedy."""
