"""The networks of each strategy, compared with the same arithmetic by hand."""

import numpy as np
import pytest
import torch

from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.ensemble import LARGEST_LOG_SCALE
from gatewise.forecast.model.strategies import average
from gatewise.windows import Difference
from tests.tolerance import assert_close
from tests.waves import STRATEGY_NAMES, featured, noisy, series, untrained, wave, window_scaling, with_features

BODIES = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}


def torch_layer(body):
    """A layer of torch.nn with the weights of a Gatewise layer."""
    layer_type = BODIES[type(body).__name__.lower()]
    with torch.random.fork_rng():  # torch draws initial weights, which are replaced
        layer = layer_type(body.input_size, body.hidden_size, body.num_layers)
    layer.load_state_dict(body.state_dict())
    return layer


@pytest.mark.parametrize("cell", BODIES)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("season", [1, 12])
@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_the_average_output_is_the_mean_of_the_outputs(strategy, cell, layers, season):
    scaling = window_scaling(
        strategy, season=season, **({"segment": 1, "spread": "std"} if strategy == "segment" else {})
    )
    networks = untrained(scaling, cell=cell, num_layers=layers, ensemble_size=3).networks
    window = scaling.window(torch.randn(scaling.length, 4, generator=torch.Generator().manual_seed(0)).cumsum(0))
    with torch.no_grad():
        expected = torch.stack([network(window)[-scaling.reach :] for network in networks]).mean(0)
        assert_close(average(networks)(window), expected)


def affine(layer, x):
    return x @ layer.weight.T + layer.bias


class PlainWindow:
    """One window as plain arrays: z (L,), past (L, P), known (L + r, K), static (C,); missing ones have no columns."""

    def __init__(self, z, ahead, past=None, known=None, static=None):
        self.z = torch.as_tensor(z, dtype=torch.float32)
        n = len(self.z)
        self.past = torch.zeros(n, 0) if past is None else past
        self.known = torch.zeros(n + ahead, 0) if known is None else known
        self.static = torch.zeros(0) if static is None else static


def one_step(network, scaling, past):
    lag = scaling.lag
    rows = []
    for t in range(lag - 1, scaling.length):
        before = [] if lag == 1 else [past.z[t + 1 - lag]]
        rows.append(torch.cat([torch.stack([past.z[t], *before]), past.known[t + 1], past.static]))
    inner = network.network
    hidden, _ = torch_layer(inner.body)(torch.stack(rows))
    return (past.z[-lag] + affine(inner.head, hidden[-1])[0])[None], torch.zeros(1)


def flatten(network, scaling, past):
    first, reach = scaling.length - scaling.context, scaling.reach
    rows = [
        torch.cat([past.z[t, None], past.past[t], past.known[t], past.static]) for t in range(first, scaling.length)
    ]
    hidden, _ = torch_layer(network.network.body)(torch.stack(rows))
    outputs = affine(network.network.head, hidden.flatten())
    if network.ahead is not None:
        outputs = outputs + affine(network.ahead, past.known[scaling.length :].flatten())
    base = torch.stack([past.z[scaling.length - scaling.lag + step % scaling.lag] for step in range(reach)])
    return base + outputs[:reach], outputs[reach:]


def by_segments(network, scaling, past):
    inner, width, end = network.network, scaling.segment, scaling.length
    rows = []
    for at in range(end - scaling.context, end, width):
        part = slice(at, at + width)
        read = torch.cat([past.z[part], past.past[part].flatten(), past.known[part].flatten(), past.static])
        rows.append(torch.relu(affine(inner.embed, read)))
    body = torch_layer(inner.body)
    _, state = body(torch.stack(rows))
    outputs, scales = [], []
    for k in range(-(-scaling.reach // width)):
        place = inner.place[k, 0]
        if inner.ahead is not None:
            rest = past.known[end + k * width : end + (k + 1) * width].flatten()
            rest = torch.cat([rest, torch.zeros(width * past.known.shape[1] - len(rest)), past.static])
            place = place + affine(inner.ahead, rest)
        hidden = body(place[None], state)[0][0]
        shares = torch.softmax(affine(inner.shares, hidden) + inner.shares_of_place[k, 0], -1)
        candidates = torch.tensor([candidates_of(past.z, scaling, k * width + step) for step in range(width)])
        outputs.append(affine(inner.head, hidden) + candidates @ shares)
        scales.append(affine(inner.scale, hidden))
    return torch.cat(outputs)[: scaling.reach], torch.cat(scales)[: scaling.reach]


def candidates_of(z, scaling, step):
    """The values of past seasons, the last value, and the mean of the last season."""
    back = [z[len(z) - k * scaling.lag + step % (k * scaling.lag)] for k in range(1, scaling.seasons + 1)]
    return [*back, z[-1], z[-scaling.lag :].mean()]


BY_HAND = {"one-step": one_step, "segment": by_segments, "flatten": flatten}


def recursion(model, dataset, cut, horizon):
    """The recursion for one window by hand: values on the scale of the series, and their spreads."""
    scaling, values, spreads = model.scaling, [float(v) for v in dataset.raw(cut)[:, 0]], []
    features = dataset.features(cut, -(-horizon // scaling.reach) * scaling.reach)
    past, known, static = (None if feature is None else feature[..., 0, :] for feature in features)
    while len(spreads) < horizon:
        at = len(spreads)
        window = scaling.window(torch.tensor(values[at:])[:, None])
        ahead = None if known is None else known[at : at + scaling.length + scaling.reach]
        predictions = [
            BY_HAND[scaling.strategy](network, scaling, PlainWindow(window.z[:, 0], scaling.reach, past, ahead, static))
            for network in model.networks
        ]
        output, scale = (torch.stack(parts).mean(0) for parts in zip(*predictions, strict=True))
        values += (output * window.spread + window.shift).tolist()
        spreads += (scale.clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE).exp() * window.spread).tolist()
    if scaling.reach == 1:  # the spread of the next value; the calibration adds its growth
        spreads = spreads[:1] * horizon
    return np.array(values[scaling.length :][:horizon]), np.array(spreads[:horizon])


def check_recursion(model, one_series, horizon=34):
    dataset = Dataset.of([one_series], model.scaling)
    with torch.no_grad():
        values, spreads = recursion(model, dataset, dataset.ends, horizon)
    d = values * dataset.scale[0] + dataset.shift[0]
    mean, spread = model.extrapolate(dataset, dataset.ends, horizon)
    np.testing.assert_allclose(mean[0], model.scaling.difference.extend(d, one_series.y), rtol=1e-4)
    np.testing.assert_allclose(spread[0], spreads * dataset.scale[0], rtol=1e-3)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("season", [1, 12])
@pytest.mark.parametrize("scale", ["window", "standard"])
@pytest.mark.parametrize("difference", [Difference(0), Difference(1), Difference(2), Difference(1, 1, 12)])
def test_extrapolation_equals_the_recursion_by_hand(strategy, season, scale, difference):
    scaling = window_scaling(strategy, season=season, scale=scale, difference=difference)
    spread = 0.3 if difference.order < 2 else 0.1
    check_recursion(untrained(scaling, spread=spread), series(noisy()))


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_every_cell_reads_features_at_their_steps(strategy, cell, num_layers):
    one_series = featured(past=strategy != "one-step")
    scaling = with_features(window_scaling(strategy), [one_series])
    check_recursion(untrained(scaling, cell=cell, num_layers=num_layers), one_series)


@pytest.mark.parametrize("reach", [1, 4, 6, 7])
def test_the_reach_can_be_any_number_of_steps(reach):
    check_recursion(untrained(window_scaling("segment", reach=reach)), series(noisy()), horizon=16)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_context_shorter_than_the_season_is_the_end_of_the_window(strategy):
    one_series = featured(past=strategy != "one-step")
    seasons = {"seasons": 1, "spread": "std"} if strategy == "segment" else {}
    check_recursion(untrained(with_features(window_scaling(strategy, context=6, **seasons), [one_series])), one_series)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_short_series_are_read_with_their_padding(strategy):
    check_recursion(untrained(window_scaling(strategy)), series(noisy(9)))


@pytest.mark.parametrize("scale", ["window", "standard"])
@pytest.mark.parametrize("season", [1, 12])
@pytest.mark.parametrize("strategy", ["one-step", "flatten"])
def test_a_network_with_zero_weights_is_the_naive_forecast(strategy, season, scale):
    y = wave()
    model = untrained(window_scaling(strategy, season=season, scale=scale), spread=0.0)
    dataset = Dataset.of([series(y)], model.scaling)
    expected = np.resize(y[-season:], 30)
    np.testing.assert_allclose(model.extrapolate(dataset, dataset.ends, 30)[0][0], expected, rtol=1e-6)
    fitted = model.fitted(dataset)[0]
    assert len(fitted) == len(y) - model.scaling.length
    np.testing.assert_allclose(fitted, y[-len(fitted) - season : -season], rtol=1e-6)


def test_an_untrained_segment_network_outputs_the_mean_of_its_candidates():
    y = noisy()
    model = untrained(window_scaling("segment"), spread=None)
    dataset = Dataset.of([series(y)], model.scaling)
    steps = np.arange(15)
    candidates = [y[-12 + steps % 12], y[-24 + steps % 24], np.full(15, y[-1]), np.full(15, y[-12:].mean())]
    mean, spread = model.extrapolate(dataset, dataset.ends, 15)
    np.testing.assert_allclose(mean[0], np.mean(candidates, axis=0), rtol=1e-5)
    np.testing.assert_allclose(spread[0], np.abs(y[-12:] - y[-24:-12]).mean(), rtol=1e-4)  # a scale of 1
