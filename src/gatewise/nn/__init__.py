"""Recurrent layers: drop-in replacements for `torch.nn.RNN`, `LSTM`, `GRU` and their cells, with access to every gate.

The constructors take torch's arguments in torch's order. The weights have torch's names, shapes and initial values: the
same seed gives the same numbers. Calls take and return torch's shapes. The equations are in `gatewise.cells`, the
computation engines that run them in `gatewise.engines`. The same weights serve whole sequences (`layer(x)`), streaming
(`layer.step(x_t, state)`) and inspection (`layer.trace(x)`).

`parameters.py`  weights under torch's names, initial values, initial states, validation of arguments
`recurrent.py`   stacked layers in one direction or both; lengths, step, trace
`layers.py`      RNN, LSTM, GRU, RNNCell, LSTMCell, GRUCell: the constructors
`stream.py`      Stream: a layer that keeps its state between single steps
"""

from gatewise.nn.layers import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from gatewise.nn.parameters import Options
from gatewise.nn.recurrent import LayerTrace, Recurrent, Trace
from gatewise.nn.stream import Stream

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "LSTMCell",
    "LayerTrace",
    "Options",
    "RNNCell",
    "Recurrent",
    "Stream",
    "Trace",
]
