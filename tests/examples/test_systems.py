"""The examples: shapes, values, losses and figures in short runs; slow tests run them at full length."""

import copy
import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from gatewise import nn
from gatewise.windows import Scale
from tests.tolerance import assert_close

pytest.importorskip("matplotlib")
EXAMPLES = Path(__file__).parents[2] / "examples"
FIGURES = [
    "1-data.png",
    "2-differences.png",
    "3-approximation.png",
    "4-zoom.png",
    "5-reconstruction.png",
    "6-extrapolation.png",
    "7-extrapolation-original-scale.png",
    "learning-curve.png",
]


def example(name: str) -> ModuleType:
    """An example as a module; examples import each other by name, as scripts in one folder do."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(EXAMPLES))


noisy_trend = example("noisy_trend")
lstm_on_a_trend = example("lstm_on_a_trend")
deep_rnn_on_a_trend = example("deep_rnn_on_a_trend")
equations = example("lstm_equation_by_equation")
multivariate = example("multivariate_lstm")


@pytest.fixture(scope="module")
def trends():
    return noisy_trend.noisy_trend(0), noisy_trend.noisy_trend(noisy_trend.VALIDATION_SEED)


@pytest.fixture(scope="module")
def short(trends):
    """The LSTM on the trend after 40 epochs."""
    return lstm_on_a_trend.train(*trends, epochs=40)


# ---- the noisy trend and its LSTM


def test_the_trend_has_199_differences_in_180_windows_with_the_targets_one_step_later(trends):
    training, validation = trends
    x, target = training.windows[:]
    assert (len(training.y), len(training.d), len(training.windows)) == (200, 199, 180)
    assert x.shape == target.shape == (19, 180, 1)
    for i in (0, 100, 179):
        np.testing.assert_array_equal(x[:, i, 0], training.d[i : i + 19].astype(np.float32))
        np.testing.assert_array_equal(target[:, i, 0], training.d[i + 1 : i + 20].astype(np.float32))
    assert (
        abs(np.corrcoef(training.y - 7 * np.arange(200), validation.y - 7 * np.arange(200))[0, 1]) < 0.2
    )  # another draw


def test_the_lowest_possible_error_follows_from_the_covariance_and_is_attained():
    theory = noisy_trend.best_possible()
    assert (theory[0], theory[-1]) == (150.0, 105.0)
    assert_close(torch.from_numpy(noisy_trend.best_possible_by_algebra()), torch.from_numpy(theory))
    noise = np.random.default_rng(0).normal(0, 10, (20_000, 21))
    d = torch.from_numpy(7 + np.diff(noise)).T[..., None]
    errors = (noisy_trend.best_forecast(d[:-1]) - d[1:]).square().mean((1, 2)).numpy()
    np.testing.assert_allclose(errors, theory, rtol=0.05)  # five standard errors of 20,000 draws


def test_the_lstm_is_built_as_described():
    network = lstm_on_a_trend.lstm(torch.Generator().manual_seed(0))
    body = network.body
    assert (body.input_size, body.hidden_size, network.head.out_features) == (1, 16, 1)
    for weight in (body.weight_ih_l0, body.weight_hh_l0, network.head.weight):
        assert 0.5 < weight.abs().max() <= 1
    for bias in (body.bias_ih_l0, body.bias_hh_l0, network.head.bias):
        assert not bias.any()
    assert not body.bias_hh_l0.requires_grad  # one bias per gate
    assert network(torch.zeros(19, 180, 1)).shape == (19, 180, 1)


def test_the_lstm_learns_by_plain_gradient_descent(trends, short):
    _, history = short
    assert history.epochs == len(history.held_out) == 40
    assert history.train[-1] < 0.9 * history.train[0]
    assert history.held_out[-1] < history.held_out[0]
    generator = torch.Generator().manual_seed(0)
    network = lstm_on_a_trend.lstm(generator)
    x, target = trends[0].windows[:]
    for expected in history.train[:3]:
        loss = (network(x) - target).square().mean()
        assert_close(loss, torch.tensor(expected))
        network.zero_grad()
        loss.backward()
        with torch.no_grad():
            for weight in network.parameters():
                weight -= 0.003 * weight.grad if weight.requires_grad else 0
    assert not network.body.bias_hh_l0.any()


def test_clipping_by_size_is_an_option(trends, short):
    _, free = short
    _, loose = lstm_on_a_trend.train(*trends, epochs=3, clip_size=1e6)
    _, tight = lstm_on_a_trend.train(*trends, epochs=3, clip_size=1e-3)
    assert loose.train == free.train[:3]
    assert free.train[2] < tight.train[2] < tight.train[0]


def test_the_reconstruction_adds_the_approximation_to_the_value_before(trends, short):
    training, (network, _) = trends[0], short
    approximation = noisy_trend.approximate(network, training.windows)
    one_by_one = [network(training.windows[i][0][:, None])[-1].item() for i in range(180)]
    assert_close(torch.from_numpy(approximation).float(), torch.tensor(one_by_one))
    restored = noisy_trend.DIFFERENCE.restore(approximation, training.y)
    assert_close(torch.from_numpy(restored), torch.from_numpy(approximation + training.y[19:-1]))
    # Window i predicts d[i + 19]: if the prediction is this difference itself, the reconstruction is y[20:].
    exact = noisy_trend.DIFFERENCE.restore(training.d[19:], training.y)
    assert_close(torch.from_numpy(exact), torch.from_numpy(training.y[20:]))


def test_the_extrapolation_is_a_recursion_on_the_last_19_differences(trends, short):
    training, (network, _) = trends[0], short
    known = [float(value) for value in training.d]
    with torch.no_grad():
        for _ in range(5):
            known.append(network(torch.tensor(known[-19:])[:, None, None])[-1, 0, 0].item())
    future = noisy_trend.extrapolate(network, training.d)
    assert_close(torch.from_numpy(future).float(), torch.tensor(known[199:]))
    values = noisy_trend.DIFFERENCE.extend(future, training.y)
    assert_close(torch.from_numpy(values).float(), torch.from_numpy(training.y[-1] + np.cumsum(known[199:])).float())


@pytest.mark.parametrize(
    ("train", "held_out", "verdict"),
    [
        (
            60.0,
            150.0,
            "overfitting.\nOn average no forecast is better than the best possible: the network memorises noise. ",
        ),
        (110.0, 160.0, "overfitting.\nThe lowest validation error is"),
        (110.0, 105.0, "little or no overfitting."),
    ],
)
def test_the_report_compares_the_losses_with_the_lowest_possible(trends, short, train, held_out, verdict):
    history = copy.deepcopy(short[1])
    history.train[-1], history.held_out[-1] = train, held_out
    text = noisy_trend.report("LSTM", history, *trends)
    assert f"{train:10.1f} {held_out:10.1f}" in text
    assert "105.0 after 19" in text
    assert "113.7 over" in text
    assert verdict in text


def test_the_lstm_example_runs_and_plots_all_figures(tmp_path, capsys):
    lstm_on_a_trend.main(["--epochs", "2", "--quiet", "--clip-size", "1", "--out", str(tmp_path / "new" / "folder")])
    assert sorted(file.name for file in (tmp_path / "new" / "folder").iterdir()) == FIGURES
    output = capsys.readouterr()
    assert "Corrected:" in output.out
    assert output.err == ""


# ---- the deep recurrent network


def untrained(distances: dict[str, torch.Tensor]) -> list[str]:
    return [name for name, distance in distances.items() if not distance > 0]


def test_every_layer_of_the_deep_network_is_trained(trends):
    network, history, distances = deep_rnn_on_a_trend.train_deep(*trends, epochs=20)
    assert (network.body.num_layers, network.body.hidden_size, network.body.nonlinearity) == (2, 8, "identity")
    assert {f"body.{kind}_l{layer}" for kind in ("weight_ih", "weight_hh", "bias_ih") for layer in (0, 1)} < set(
        distances
    )
    assert len(distances) == 8
    assert untrained(distances) == []
    assert history.train[-1] < history.train[0]


def test_a_frozen_layer_is_detected(trends, monkeypatch):
    def frozen(generator, build=deep_rnn_on_a_trend.deep_rnn):
        network = build(generator)
        for name, weight in network.named_parameters():
            weight.requires_grad_(not name.endswith("_l0"))
        return network

    monkeypatch.setattr(deep_rnn_on_a_trend, "deep_rnn", frozen)
    _, _, distances = deep_rnn_on_a_trend.train_deep(*trends, epochs=2)
    assert untrained(distances) == ["body.weight_ih_l0", "body.weight_hh_l0", "body.bias_ih_l0"]


def test_the_linear_network_is_linear():
    network = deep_rnn_on_a_trend.deep_rnn(torch.Generator().manual_seed(0)).double()
    a, b = torch.randn(2, 19, 4, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert_close(network(2 * a + b), 2 * network(a) + network(b))  # biases start at zero


def test_the_concise_form_learns_in_three_stages(trends):
    network, history = deep_rnn_on_a_trend.train_concise(*trends, stage=10)
    assert (network.body.num_layers, network.body.hidden_size, network.body.nonlinearity) == (2, 8, "tanh")
    assert history.lr == [0.03] * 10 + [0.003] * 10 + [0.0003] * 10
    assert history.train[-1] < 0.8 * history.train[0]


def test_each_form_plots_its_own_values(tmp_path, monkeypatch, capsys):
    drawings = []

    def record(folder, trend, network, history, name, save=noisy_trend.save_figures):
        drawings.append((folder.name, name, network.body.nonlinearity, history))
        return save(folder, trend, network, history, name)

    monkeypatch.setattr(deep_rnn_on_a_trend, "save_figures", record)
    deep, concise = deep_rnn_on_a_trend.main(["--epochs", "2", "--stage", "2", "--quiet", "--out", str(tmp_path)])
    assert drawings == [
        ("from-scratch", "linear deep RNN", "identity", deep),
        ("concise", "concise tanh RNN", "tanh", concise),
    ]
    for folder in tmp_path.iterdir():
        assert sorted(file.name for file in folder.iterdir()) == FIGURES
    assert "body.weight_hh_l0" in capsys.readouterr().out


def test_figures_show_the_values_of_their_network(trends, monkeypatch, tmp_path):
    generator = torch.Generator().manual_seed(0)
    networks = [lstm_on_a_trend.lstm(generator), deep_rnn_on_a_trend.concise_rnn(generator)]
    history = lstm_on_a_trend.train(*trends, epochs=1)[1]
    drawings = []
    monkeypatch.setattr(noisy_trend.plot, "save", lambda axes, path: drawings.append((path.stem, axes)))
    for network in networks:
        noisy_trend.save_figures(tmp_path, trends[0], network, history, "network")
        figures = dict(drawings)
        fitted = noisy_trend.approximate(network, trends[0].windows)
        np.testing.assert_allclose(figures["3-approximation"].lines[1].get_ydata()[19:], fitted)
        np.testing.assert_allclose(figures["4-zoom"].lines[1].get_ydata(), fitted[55:106])
        np.testing.assert_array_equal(figures["4-zoom"].lines[1].get_xdata(), np.arange(75, 126))
        np.testing.assert_allclose(figures["5-reconstruction"].lines[1].get_ydata()[20:], fitted + trends[0].y[19:-1])
        future = noisy_trend.extrapolate(network, trends[0].d)
        np.testing.assert_allclose(figures["6-extrapolation"].lines[1].get_ydata()[1:], future)
        np.testing.assert_array_equal(figures["6-extrapolation"].lines[1].get_xdata()[1:], np.arange(200, 205))
        assert len(figures["6-extrapolation"].lines[0].get_ydata()) == 20
        values = figures["7-extrapolation-original-scale"].lines[1].get_ydata()[1:]
        np.testing.assert_allclose(values, trends[0].y[-1] + np.cumsum(future))


# ---- the LSTM, equation by equation


def equation_lstm(dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    lstm = equations.EquationLSTM(20, 10, generator).to(dtype)
    X = torch.randn(30, 10, 20, generator=generator, dtype=dtype)
    return lstm, X, tuple(torch.randn(2, 30, 10, generator=generator, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [nn.LSTM, torch.nn.LSTM])
def test_the_equations_agree_with_the_layers(kind, dtype):
    lstm, X, (h0, c0) = equation_lstm(dtype)
    hidden, (h, c) = lstm(X, (h0, c0))
    assert hidden.shape == (30, 10, 10)
    assert torch.equal(hidden[:, -1], h)
    layer = kind(20, 10, batch_first=True, device="meta", dtype=dtype).to_empty(device="cpu")
    layer.load_state_dict(lstm.fused())
    output, (h_layer, c_layer) = layer(X, (h0[None], c0[None]))
    for state, expected in ((hidden, output), (h, h_layer[0]), (c, c_layer[0])):
        assert_close(state, expected)


@pytest.mark.parametrize(("letter", "gate"), [("f", "forget"), ("i", "input"), ("o", "output"), ("g", "candidate")])
def test_each_gate_has_a_recurrent_matrix_of_its_own(letter, gate):
    lstm, X, (h0, c0) = equation_lstm()

    def gates():
        layer = nn.LSTM(20, 10, batch_first=True, device="meta", dtype=torch.float64).to_empty(device="cpu")
        layer.load_state_dict(lstm.fused())
        first = X[:, :1]
        trace = layer.trace(first, (h0[None], c0[None]))
        assert_close(lstm(first, (h0, c0))[0], trace.output)
        return trace.gates

    before = gates()
    with torch.no_grad():
        lstm.U[letter] += 0.1
    after = gates()
    assert [name for name in before if not torch.equal(before[name], after[name])] == [gate]


def test_one_step_changes_every_weight_and_the_state_dict_carries_them():
    lstm, X, state = equation_lstm()
    assert len(list(lstm.parameters())) == 12
    changed = equations.train(lstm, X, state, torch.zeros(30, 10, 10, dtype=torch.float64), epochs=1)
    assert changed == [name for name, _ in lstm.named_parameters()]
    other = equation_lstm(seed=1)[0]
    assert not torch.equal(other(X, state)[0], lstm(X, state)[0])
    other.load_state_dict(lstm.state_dict())
    assert torch.equal(other(X, state)[0], lstm(X, state)[0])
    assert {weight.device.type for weight in other.to("meta").parameters()} == {"meta"}


def test_the_equations_example_runs(tmp_path, capsys):
    equations.main(["--out", str(tmp_path)])
    output = capsys.readouterr().out
    assert "hidden (30, 10, 10), final h (30, 10), final c (30, 10)" in output
    assert "1 training step(s) changed 12 of 12 weights" in output
    assert "the same hidden states" in output
    assert (tmp_path / "lstm.pt").exists()


# ---- the multivariate LSTM


def test_the_weights_are_printed_gate_by_gate():
    lstm = nn.LSTM(3, 2, generator=torch.Generator().manual_seed(0))
    output = multivariate.weights_by_gate(lstm)
    assert "weight_ih_l0 (8, 3)" in output
    assert "weight_hh_l0 (8, 2)" in output
    rows = [[float(number) for number in line.split()] for line in output.splitlines() if line.startswith("    ")]
    for printed_rows, weight in ((rows[:8], lstm.weight_ih_l0), (rows[8:], lstm.weight_hh_l0)):
        assert printed_rows == [[round(value, 4) for value in row] for row in weight.tolist()]
    names = [line.split(",")[0].strip() for line in output.splitlines() if ", rows" in line]
    assert names == ["input", "forget", "candidate", "output"] * 2


def test_the_sums_are_in_eight_windows_with_the_target_at_the_last_step():
    x, y = multivariate.sums_windows(Scale("none"))[:]
    X = x.transpose(0, 1)
    assert X.shape == (8, 3, 2)
    assert X[0].tolist() == [[0, 5], [10, 15], [20, 25]]
    assert X[-1].tolist() == [[70, 75], [80, 85], [90, 95]]
    assert y[:, 0].tolist() == [45, 65, 85, 105, 125, 145, 165, 185]


def test_the_multivariate_lstm_learns():
    windows = multivariate.sums_windows(Scale("none"))
    network, history = multivariate.train(windows, epochs=30)
    assert (network.body.hidden_size, network.head.in_features) == (20, 60)
    assert 15_000 < history.train[0] < 16_000
    assert history.train[-1] < 0.3 * history.train[0]
    x, _ = windows[:]
    expected = [network(x[:, [i]]).item() for i in range(8)]  # fresh state: no window depends on another
    assert_close(torch.tensor(multivariate.predict(network, windows)), torch.tensor(expected))


def test_the_multivariate_example_runs(tmp_path, capsys):
    multivariate.main(["--epochs", "3", "--quiet", "--out", str(tmp_path)])
    assert len(list(tmp_path.glob("*.png"))) == 4
    assert "205.0" in capsys.readouterr().out


# ---- full length


@pytest.mark.slow
def test_at_full_length_the_lstm_ends_under_80_and_overfits(trends):
    _, history = lstm_on_a_trend.train(*trends, epochs=5000)
    assert history.train[-1] < 80
    assert history.held_out[-1] > 120 > min(history.held_out)


@pytest.mark.slow
def test_at_full_length_the_linear_network_has_trained_every_layer(trends):
    _, history, distances = deep_rnn_on_a_trend.train_deep(*trends, epochs=5000)
    assert history.train[-1] < 150
    assert min(distances.values()) > 0.05


@pytest.mark.slow
def test_at_full_length_the_concise_form_ends_under_135(trends):
    _, history = deep_rnn_on_a_trend.train_concise(*trends, stage=500)
    assert history.train[-1] < 135


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["none", "standard"])
def test_at_full_length_the_multivariate_lstm_ends_under_5(kind):
    scale = Scale(kind).fit(multivariate.table()[0])
    _, history = multivariate.train(multivariate.sums_windows(scale), epochs=500)
    assert history.train[-1] < 5
