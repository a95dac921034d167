"""Networks: body and head compared with separate computations."""

import pytest
import torch
from torch.nn.functional import linear
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gatewise.networks import POOLINGS, Flatten, OneStep, Pooled, Segments
from gatewise.networks import linear as head
from gatewise.nn import GRU, LSTM, RNN
from tests.tolerance import assert_close


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("layer", [RNN, LSTM, GRU])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_one_step_applies_the_head_to_every_hidden_state(layer, bidirectional):
    body = layer(2, 5, bidirectional=bidirectional, generator=seeded())
    network = OneStep(body, 3, generator=seeded(1))
    x = torch.randn(7, 4, 2, generator=seeded(2))
    hidden = body(x)[0]
    assert_close(network(x), linear(hidden, network.head.weight, network.head.bias))


def test_a_base_is_added_to_the_output():
    plain, based = (OneStep(GRU(2, 5, generator=seeded()), base=base, generator=seeded(1)) for base in (None, 1))
    x = torch.randn(7, 4, 2, generator=seeded(2))
    assert_close(based(x), plain(x) + x[:, :, 1:2])


def test_flatten_weights_every_step_by_its_own_columns():
    body = LSTM(2, 5, generator=seeded())
    network = Flatten(body, steps=3, outputs=2, generator=seeded(1))
    x = torch.randn(3, 4, 2, generator=seeded(2))
    hidden, weight = body(x)[0], network.head.weight
    by_step = sum(hidden[t] @ weight[:, 5 * t : 5 * t + 5].T for t in range(3)) + network.head.bias
    assert_close(network(x), by_step)


@pytest.mark.parametrize("layer", [RNN, LSTM, GRU])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooled_outputs_equal_a_computation_for_each_sequence(layer, bidirectional, pooling):
    body = layer(2, 5, num_layers=2, bidirectional=bidirectional, generator=seeded())
    network = Pooled(body, 3, pooling=pooling, generator=seeded(1))
    x, lengths = torch.randn(7, 4, 2, generator=seeded(2)), torch.tensor([7, 1, 4, 6])
    expected = []
    for k, length in enumerate(lengths.tolist()):
        hidden = body(x[:length, k : k + 1])[0][:, 0]  # forward in the first five columns, backward in the others
        pooled = {
            "last": torch.cat([hidden[-1, :5], hidden[0, 5:]]),
            "mean": hidden.sum(0) / length,
            "max": torch.stack([column.max() for column in hidden.unbind(1)]),
        }[pooling]
        expected.append(linear(pooled, network.head.weight, network.head.bias))
    assert_close(network(x, lengths), torch.stack(expected))
    assert_close(network(x, torch.full((4,), 7)), network(x))
    assert torch.equal(network(x, lengths.tolist()), network(x, lengths))
    assert network(x[:, :0], []).shape == (0, 3)
    torch.set_default_device("meta")  # as in programs on other devices
    try:
        assert torch.equal(network(x, lengths), network(x, lengths.tolist()))
    finally:
        torch.set_default_device(None)


@pytest.mark.parametrize(("layer", "torch_layer"), [(RNN, torch.nn.RNN), (LSTM, torch.nn.LSTM), (GRU, torch.nn.GRU)])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooled_outputs_and_gradients_equal_packed_sequences_of_torch(layer, torch_layer, pooling):
    options = {"num_layers": 3, "bidirectional": True, "dtype": torch.float64}
    body, lengths = layer(2, 5, **options, generator=seeded()), torch.tensor([6, 1, 4])
    with torch.random.fork_rng():
        packed_body = torch_layer(2, 5, **options)
    packed_body.load_state_dict(body.state_dict())
    network = Pooled(body, 3, pooling=pooling, generator=seeded(1))
    x, torch_x = (torch.randn(6, 3, 2, generator=seeded(2), dtype=torch.float64).requires_grad_() for _ in range(2))
    output, state = packed_body(pack_padded_sequence(torch_x, lengths, enforce_sorted=False))
    hidden, h = pad_packed_sequence(output)[0], state[0] if isinstance(state, tuple) else state
    pooled = {
        "last": torch.cat([h[-2], h[-1]], -1),
        "mean": hidden.sum(0) / lengths[:, None],
        "max": torch.stack([hidden[:length, k].amax(0) for k, length in enumerate(lengths.tolist())]),
    }[pooling]
    expected, predictions = linear(pooled, network.head.weight, network.head.bias), network(x, lengths)
    assert_close(predictions, expected)
    predictions.square().sum().backward()
    expected.square().sum().backward()
    assert_close(x.grad, torch_x.grad)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_values_after_the_end_of_a_sequence_are_ignored(pooling):
    network = Pooled(GRU(2, 5, bidirectional=True, generator=seeded()), 3, pooling=pooling, generator=seeded(1))
    x, lengths = torch.randn(6, 3, 2, generator=seeded(2)), torch.tensor([2, 6, 3])
    other = x.clone()
    other[2:, 0], other[3:, 2] = 1e6, -1e6
    assert torch.equal(network(x, lengths), network(other, lengths))
    x.requires_grad_()
    network(x, lengths).sum().backward()
    assert (x.grad[2:, 0] == 0).all()
    assert (x.grad[3:, 2] == 0).all()
    assert (x.grad[:2, 0] != 0).any()


def test_dropout_of_pooled_values_applies_in_training_mode_only():
    network = Pooled(GRU(2, 50, generator=seeded()), 3, dropout=0.5, generator=seeded(1))
    x = torch.randn(6, 3, 2, generator=seeded(2))
    with torch.random.fork_rng():
        assert not torch.equal(network(x), network(x))
    assert torch.equal(network.eval()(x), network(x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Pooled(GRU(2, 5), 3, pooling="sum"), "pooling is 'sum', expected one of last, mean, max"),
        (lambda: Pooled(GRU(2, 5, batch_first=True), 3), "batch_first"),
        (lambda: Pooled(GRU(2, 5), 0), "outputs is 0"),
        (lambda: Pooled(GRU(2, 5), 3)(torch.zeros(4, 2)), r"expected \(T, B, I\)"),
        (lambda: Pooled(GRU(2, 5), 3)(torch.zeros(0, 4, 2)), "a sequence has no steps"),
        (lambda: Pooled(GRU(2, 5), 3)(torch.zeros(3, 2, 2), torch.tensor([3, 0])), "a sequence has no steps"),
        (lambda: Pooled(GRU(2, 5), 3)(torch.zeros(3, 2, 2), [3, 0]), "a sequence has no steps"),
        (lambda: Pooled(GRU(2, 5), 3)(torch.zeros(3, 2, 2), [3, 4]), "expected from 0 to 3"),
        (lambda: Pooled(GRU(2, 5), 3, dropout=float("nan")), "dropout is nan, expected a fraction"),
        (lambda: Pooled(GRU(2, 5), 3, dropout=True), "dropout is True, expected a fraction"),
    ],
)
def test_invalid_pooling_arguments_are_refused(call, message):
    with torch.random.fork_rng(), pytest.raises(ValueError, match=message):
        call()


def test_projection_narrows_the_head():
    network = OneStep(LSTM(2, 5, proj_size=3, generator=seeded()), generator=seeded())
    assert network.head.in_features == 3
    assert network(torch.zeros(2, 1, 2)).shape == (2, 1, 1)


def test_uniform_heads_have_zero_biases_and_the_given_bound():
    layer = head(1000, 4, init="uniform", init_bound=1, generator=seeded())
    assert layer.bias.abs().max() == 0
    assert 0.99 < layer.weight.max() <= 1
    assert -1 <= layer.weight.min() < -0.99


def test_torch_heads_have_a_bound_of_one_over_the_root_of_the_inputs():
    layer = head(100, 50, generator=seeded())
    assert 0.099 < layer.weight.abs().max() <= 0.1
    assert 0.05 < layer.bias.abs().max() <= 0.1
    again = head(100, 50, generator=seeded())
    assert torch.equal(layer.weight, again.weight)


def test_uniform_heads_have_the_bound_of_torch_by_default():
    layer = head(100, 50, init="uniform", generator=seeded())
    assert 0.099 < layer.weight.abs().max() <= 0.1
    assert layer.bias.abs().max() == 0


@pytest.mark.parametrize(("device", "dtype"), [("cpu", torch.float64), ("meta", torch.float32)])
def test_heads_have_the_device_and_dtype_of_the_body(device, dtype):
    body = LSTM(2, 5, device=device, dtype=dtype, generator=seeded())
    x = torch.zeros(3, 4, 2, device=device, dtype=dtype)
    for network in (OneStep(body, generator=seeded()), Flatten(body, 3, generator=seeded())):
        predictions = network(x)
        assert (predictions.device.type, predictions.dtype) == (device, dtype)


# ------------------------------------------------------------------------------------------------- segments


def segments(layer=GRU, seed=0, **options):
    """Networks of three segments of two values, with random weights everywhere."""
    arguments = {"segments": 3, "generator": seeded(seed), **options}
    network = Segments(layer(6, 6, generator=seeded(seed)), 4, 2, **arguments)
    with torch.no_grad():
        for weight in network.parameters():
            weight.uniform_(-0.5, 0.5, generator=seeded(seed + weight.numel()))
    return network.eval()


def inputs(ahead=0, candidates=0):
    draw = seeded(7)
    x = torch.randn(5, 3, 4, generator=draw)
    known = torch.randn(3, 3, ahead, generator=draw) if ahead else None
    return x, known, torch.randn(candidates, 3, 3, 2, generator=draw) if candidates else None


@pytest.mark.parametrize("layer", [RNN, LSTM, GRU])
@pytest.mark.parametrize("ahead", [0, 3])
@pytest.mark.parametrize("candidates", [0, 4])
def test_future_segments_are_one_step_from_the_last_state(layer, ahead, candidates):
    network = segments(layer, ahead=ahead, candidates=candidates, scales=True)
    x, known, mixed = inputs(ahead, candidates)
    predictions, scales = network(x, known, mixed)
    _, state = network.body(torch.relu(linear(x, network.embed.weight, network.embed.bias)))
    for k in range(3):
        place = network.place[k].expand(3, -1)
        if ahead:
            place = place + linear(known[k], network.ahead.weight, network.ahead.bias)
        hidden = network.body(place[None], state)[0][0]
        expected = linear(hidden, network.head.weight, network.head.bias)
        if candidates:
            logits = linear(hidden, network.shares.weight, network.shares.bias) + network.shares_of_place[k]
            expected = expected + sum(torch.softmax(logits, -1)[:, j, None] * mixed[j, k] for j in range(4))
        assert_close(predictions[k], expected)
        assert_close(scales[k], linear(hidden, network.scale.weight, network.scale.bias))


def test_untrained_segments_predict_the_mean_of_their_candidates():
    network = Segments(GRU(6, 6, generator=seeded()), 4, 2, segments=3, candidates=4, scales=True, generator=seeded())
    x, _, candidates = inputs(candidates=4)
    predictions, scales = network(x, None, candidates)
    assert_close(predictions, candidates.mean(0))
    assert (scales == 0).all()
    plain = Segments(GRU(6, 6, generator=seeded()), 4, 2, segments=3, generator=seeded())
    assert (plain(x) == 0).all()


def test_the_scales_of_segments_have_no_gradient_in_the_body():
    network, (x, *_) = segments(scales=True), inputs()
    network(x)[1].sum().backward()
    reached = {name for name, weight in network.named_parameters() if weight.grad is not None and weight.grad.any()}
    assert reached == {"scale.weight", "scale.bias"}
    without = segments()
    without.load_state_dict({name: w for name, w in network.state_dict().items() if not name.startswith("scale")})
    assert torch.equal(without(x), network(x)[0])


def test_segments_and_sequences_are_independent():
    network = segments(ahead=3, candidates=4)
    x, known, candidates = inputs(3, 4)
    base = network(x, known, candidates)
    changed = known.clone()
    changed[1, 2] += 1
    assert torch.nonzero((network(x, changed, candidates) != base).any(-1)).tolist() == [[1, 2]]
    changed = x.clone()
    changed[0, 1] += 1
    differs = (network(changed, known, candidates) - base).abs().amax((0, 2)) > 1e-6
    assert differs.tolist() == [False, True, False]


def test_dropout_of_segments_applies_in_training_mode_only():
    network, (x, *_) = segments(dropout=0.5), inputs()
    assert torch.equal(network(x), network(x))
    network.train()
    with torch.random.fork_rng():
        assert not torch.equal(network(x), network(x))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Segments(GRU(6, 6, bidirectional=True, generator=seeded()), 4, 2),
            "bidirectional or has a projection",
        ),
        (lambda: Segments(LSTM(6, 6, proj_size=3, generator=seeded()), 4, 2), "bidirectional or has a projection"),
        (lambda: Segments(GRU(6, 6, batch_first=True, generator=seeded()), 4, 2), "leave batch_first out"),
        (lambda: Segments(GRU(6, 6, generator=seeded()), 4, 2, segments=0, generator=seeded()), "segments is 0"),
        (lambda: Segments(GRU(6, 6, generator=seeded()), 0, 2, generator=seeded()), "inputs is 0"),
        (lambda: segments()(torch.zeros(5, 4)), r"x has shape \(5, 4\), expected \(T, B, I\)"),
    ],
)
def test_invalid_arguments_of_segments_are_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


# ------------------------------------------------------------------------------------------------- errors


def body() -> GRU:
    return GRU(2, 5, generator=seeded())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OneStep(body(), outputs=0), "outputs is 0, expected 1 or more"),
        (lambda: OneStep(body(), base=0.5), "base is 0.5, expected an integer"),
        (lambda: Flatten(body(), 0), "steps is 0, expected 1 or more"),
        (lambda: Flatten(body(), 3, outputs=0), "outputs is 0, expected 1 or more"),
        (lambda: OneStep(body(), init="uniform", init_bound=-1), "init_bound is -1, expected a finite number"),
        (lambda: OneStep(body(), generator=seeded())(torch.zeros(3, 2)), r"x has shape \(3, 2\), expected \(T, B, I\)"),
        (lambda: Flatten(body(), 3, generator=seeded())(torch.zeros(3, 2)), r"x has shape \(3, 2\), expected \(T, B"),
    ],
)
def test_invalid_numbers_and_shapes_are_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: OneStep(GRU(2, 5, generator=seeded()), base=2),
            "base is 2 with outputs=1, expected outputs=1 and base from 0 to 1",
        ),
        (lambda: OneStep(GRU(2, 5, generator=seeded()), 2, base=0), "base is 0 with outputs=2, expected outputs=1"),
        (lambda: OneStep(GRU(2, 5, batch_first=True, generator=seeded())), "leave batch_first out"),
        (
            lambda: OneStep(GRU(2, 5, generator=seeded()), init="zeros"),
            "init is 'zeros', expected 'torch' or 'uniform'",
        ),
        (lambda: OneStep(GRU(2, 5, generator=seeded()), init_bound=1), "init_bound is for init='uniform'"),
        (
            lambda: Flatten(GRU(2, 5, generator=seeded()), 3, generator=seeded())(torch.zeros(4, 1, 2)),
            "the sequence has 4 steps, expected steps=3",
        ),
    ],
)
def test_mismatched_arguments_of_networks_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
