"""Error messages of the layers for invalid arguments, inputs and states: expected, got, remedy."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from gatewise import engines, nn

T, B, I, H, P = 6, 3, 4, 5, 2


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


X = torch.zeros(T, B, I)
CONSTRUCTORS = {
    "nonlinearity": (
        lambda: nn.RNN(I, H, nonlinearity="gelu"),
        "nonlinearity is 'gelu', expected one of 'tanh', 'relu'",
    ),
    "dropout": (lambda: nn.GRU(I, H, 2, dropout=1.5), "dropout is 1.5, expected a probability from 0 to 1"),
    "dropout flag": (lambda: nn.GRU(I, H, 2, dropout=True), "dropout is True, expected a probability from 0 to 1"),
    "input": (lambda: nn.GRU(0, H), "input_size is 0, expected 1 or more"),
    "hidden": (lambda: nn.GRU(I, -1), "hidden_size is -1, expected 1 or more"),
    "layers": (lambda: nn.GRU(I, H, 0), "num_layers is 0, expected 1 or more"),
    "projection": (
        lambda: nn.LSTM(I, H, proj_size=H),
        "proj_size is 5, expected 0 for no projection, or less than hidden",
    ),
    "bias": (lambda: nn.RNN(I, H, 1, "tanh", 1), "bias is 1, expected True or False"),
    "batch_first": (lambda: nn.GRU(I, H, batch_first=1), "batch_first is 1, expected True or False"),
    "size": (lambda: nn.GRU(I, 5.0), "hidden_size is 5.0, expected an integer"),
    "init": (lambda: nn.GRU(I, H, init="normal"), "init is 'normal', expected 'torch' or 'uniform'"),
    "no bound": (
        lambda: nn.GRU(I, H, init="uniform", init_bound=float("nan")),
        "init_bound is nan, expected a finite number, 0 or more",
    ),
    "negative bound": (
        lambda: nn.GRUCell(I, H, init="uniform", init_bound=-1),
        "init_bound is -1, expected a finite number, 0 or more",
    ),
    "projected GRU": (
        lambda: nn.GRU(I, H, proj_size=P),
        "proj_size is for the LSTM only, not for RNN or GRU; leave it",
    ),
    "projected RNN": (
        lambda: nn.RNN(I, H, proj_size=P),
        "proj_size is for the LSTM only, not for RNN or GRU; leave it",
    ),
    "no projection": (lambda: nn.LSTM(I, H, proj_size="2"), "proj_size is '2', expected an integer"),
    "bound": (lambda: nn.GRU(I, H, init_bound=1), "init_bound is for init='uniform'; pass init='uniform' too"),
}


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_invalid_constructor_arguments_are_refused(name):
    call, message = CONSTRUCTORS[name]
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert str(caught.value).startswith(message)


def lstm(**options: Any) -> nn.LSTM:
    return nn.LSTM(I, H, generator=seeded(), **options)


def gru(**options: Any) -> nn.GRU:
    return nn.GRU(I, H, generator=seeded(), **options)


def pair(*shape: int) -> tuple[Tensor, Tensor]:
    return torch.zeros(shape), torch.zeros(shape)


PACKED = pack_padded_sequence(X, torch.tensor([6, 5, 4]))
CALLS = {
    "features": (
        lambda: gru()(torch.zeros(T, B, 3)),
        RuntimeError,
        "input has 3 features, expected input_size=4; pass input_size=3 to GRU, or reshape the input",
    ),
    "dtype": (
        lambda: gru()(X.double()),
        ValueError,
        "input is torch.float64, expected torch.float32 like the weights; "
        "convert the input, input.to(torch.float32), or",
    ),
    "dimensions": (
        lambda: gru()(torch.zeros(I)),
        ValueError,
        "input has shape (4,), expected 3 dimensions, or 2 for one sequence",
    ),
    "batch of h": (
        lambda: gru()(X, torch.zeros(1, 1, H)),
        RuntimeError,
        "h of the state has shape (1, 1, 5), expected (1, 3, 5); pass a state of that shape, or none to start",
    ),
    "size of c": (
        lambda: lstm(num_layers=2)(X, (torch.zeros(2, B, H), torch.zeros(2, B, 9))),
        RuntimeError,
        "c of the state has shape (2, 3, 9), expected (2, 3, 5)",
    ),
    "projected h": (
        lambda: lstm(proj_size=P)(X, pair(1, B, H)),
        RuntimeError,
        "h of the state has shape (1, 3, 5), expected (1, 3, 2)",
    ),
    "unbatched state of a batch": (lambda: lstm()(X, pair(1, H)), RuntimeError, "h of the state has shape (1, 5)"),
    "state of a batch for one sequence": (
        lambda: lstm()(X[:, 0], pair(1, 1, H)),
        RuntimeError,
        "h of the state has shape (1, 1, 5)",
    ),
    "dtype of h": (
        lambda: gru()(X, torch.zeros(1, B, H).double()),
        RuntimeError,
        "the state's h is torch.float64, expected torch.float32",
    ),
    "no pair": (
        lambda: lstm()(X, torch.zeros(1, B, H)),
        TypeError,
        "the state is a tensor, expected the tuple (h, c) for LSTM",
    ),
    "a pair": (lambda: gru()(X, pair(1, B, H)), TypeError, "the state is a tuple of 2, expected a tensor, h for GRU"),
    "lengths": (
        lambda: gru()(X, lengths=[6, 5]),
        ValueError,
        "lengths is torch.int64 (2,), expected integers, one for each of 3 sequences",
    ),
    "long": (
        lambda: gru()(X, lengths=[6, 7, 0]),
        ValueError,
        "lengths range from 0 to 7, expected from 0 to 6, the number of steps",
    ),
    "negative": (lambda: gru()(X, lengths=[6, -1, 0]), ValueError, "lengths range from -1 to 6, expected from 0 to 6"),
    "fractions": (
        lambda: gru()(X, lengths=[6.0, 1.0, 0.0]),
        ValueError,
        "lengths is torch.float32 (3,), expected integers",
    ),
    "complex": (
        lambda: gru()(X, lengths=torch.ones(B, dtype=torch.complex64)),
        ValueError,
        "lengths is torch.complex64 (3,), expected integers",
    ),
    "unsigned": (
        lambda: gru()(X, lengths=torch.ones(B, dtype=torch.uint16)),
        ValueError,
        "lengths is torch.uint16 (3,), expected integers",
    ),
    "no lengths": (lambda: gru()(X, lengths=[]), ValueError, "lengths is torch.int64 (0,), expected integers, one for"),
    "explain a cell": (
        lambda: engines.explain(nn.LSTMCell(I, H, generator=seeded()), X[0]),
        TypeError,
        "layer is of type LSTMCell, expected an RNN, LSTM or GRU; explain one of those",
    ),
    "explain packed": (
        lambda: engines.explain(gru(), PACKED),
        TypeError,
        "x is a PackedSequence, expected a tensor; pass the x and lengths",
    ),
    "packed and lengths": (
        lambda: gru()(PACKED, lengths=[6, 5, 4]),
        ValueError,
        "input is a PackedSequence, which contains its lengths; leave lengths out",
    ),
    "packed features": (
        lambda: nn.GRU(3, H, generator=seeded())(PACKED),
        RuntimeError,
        "input has 4 features, expected input_size=3",
    ),
    "packed dimensions": (
        lambda: gru()(PACKED._replace(data=PACKED.data[..., None])),
        RuntimeError,
        "input.data has shape (15, 4, 1), expected (steps of all sequences, I)",
    ),
    "trace of packed": (
        lambda: gru().trace(PACKED),
        TypeError,
        "x is a PackedSequence, expected a tensor; pass the x and lengths that pad_packed_sequence returns",
    ),
    "trace on aten": (
        lambda: gru(engine="aten").trace(X),
        ValueError,
        "engine 'aten' cannot run this: torch's kernels do not return cells or gates; use engine='auto'",
    ),
    "step backwards": (
        lambda: gru(bidirectional=True).step(X[0]),
        RuntimeError,
        "step runs forward in time, but a bidirectional layer needs whole sequences; call layer(x)",
    ),
    "step of a sequence": (
        lambda: gru().step(X),
        ValueError,
        "x_t has shape (6, 3, 4), expected (B, I), or (I,) for one sequence",
    ),
    "cell's features": (
        lambda: nn.LSTMCell(3, H, generator=seeded())(X[0]),
        RuntimeError,
        "input has 4 features, expected input_size=3; pass input_size=4 to LSTMCell, or reshape the input",
    ),
    "cell's dimensions": (
        lambda: nn.GRUCell(I, H, generator=seeded())(X),
        ValueError,
        "input has shape (6, 3, 4), expected (B, I), or (I,) for one sequence",
    ),
    "cell's state": (
        lambda: nn.GRUCell(I, H, generator=seeded())(X[0], torch.zeros(1, H)),
        RuntimeError,
        "h of the state has shape (1, 5), expected (3, 5)",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_invalid_calls_are_refused(name):
    call, exception, message = CALLS[name]
    with pytest.raises(exception) as caught:
        call()
    assert str(caught.value).startswith(message)
