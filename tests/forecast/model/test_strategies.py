"""The networks of each strategy, and what is forecast with them, against the same arithmetic by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import huber_loss

from gatewise import Forecaster
from gatewise.forecast.model import ensemble as models
from gatewise.forecast.model.dataset import Dataset
from gatewise.forecast.model.ensemble import LARGEST_LOG_SCALE
from gatewise.forecast.model.loss import LOSSES, loss_of
from gatewise.forecast.model.strategies import average
from gatewise.windows import Difference
from tests.tolerance import assert_close
from tests.waves import (
    STRATEGY_NAMES,
    configuration,
    noisy,
    series,
    table,
    untrained,
    wave,
    window_scaling,
    with_features,
)

BODIES = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}


def theirs(body):
    """torch's layer with the weights of one of ours."""
    kind = BODIES[type(body).__name__.lower()]
    with torch.random.fork_rng():  # torch draws weights that are replaced at once
        layer = kind(body.input_size, body.hidden_size, body.num_layers)
    layer.load_state_dict(body.state_dict())
    return layer


@pytest.mark.parametrize("cell", BODIES)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("season", [1, 12])
@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_networks_answer_together_what_they_answer_alone_in_the_mean(strategy, cell, layers, season):
    around = window_scaling(
        strategy, season=season, **({"segment": 1, "spread": "std"} if strategy == "segment" else {})
    )
    networks = untrained(around, cell=cell, num_layers=layers, ensemble_size=3).networks
    window = around.window(torch.randn(around.length, 4, generator=torch.Generator().manual_seed(0)).cumsum(0))
    with torch.no_grad():
        expected = torch.stack([network(window)[-around.reach :] for network in networks]).mean(0)
        assert_close(average(networks)(window), expected)


def affine(layer, x):
    return x @ layer.weight.T + layer.bias


# ------------------------------------------------------------------------------------------------- by hand


class Past:
    """One window as plain arrays: z (L,), past (L, P), known (L + r, K), static (C,); none of them is no column."""

    def __init__(self, z, ahead, past=None, known=None, static=None):
        self.z = torch.as_tensor(z, dtype=torch.float32)
        n = len(self.z)
        self.past = torch.zeros(n, 0) if past is None else past
        self.known = torch.zeros(n + ahead, 0) if known is None else known
        self.static = torch.zeros(0) if static is None else static


def one_step(network, around, past):
    lag = around.lag
    rows = []
    for t in range(lag - 1, around.length):
        before = [] if lag == 1 else [past.z[t + 1 - lag]]
        rows.append(torch.cat([torch.stack([past.z[t], *before]), past.known[t + 1], past.static]))
    inner = network.network
    hidden, _ = theirs(inner.body)(torch.stack(rows))
    return (past.z[-lag] + affine(inner.head, hidden[-1])[0])[None], torch.zeros(1)


def flatten(network, around, past):
    first, reach = around.length - around.context, around.reach
    rows = [torch.cat([past.z[t, None], past.past[t], past.known[t], past.static]) for t in range(first, around.length)]
    hidden, _ = theirs(network.network.body)(torch.stack(rows))
    answers = affine(network.network.head, hidden.flatten())
    if network.ahead is not None:
        answers = answers + affine(network.ahead, past.known[around.length :].flatten())
    base = torch.stack([past.z[around.length - around.lag + step % around.lag] for step in range(reach)])
    return base + answers[:reach], answers[reach:]


def by_segments(network, around, past):
    inner, width, end = network.network, around.segment, around.length
    rows = []
    for at in range(end - around.context, end, width):
        part = slice(at, at + width)
        read = torch.cat([past.z[part], past.past[part].flatten(), past.known[part].flatten(), past.static])
        rows.append(torch.relu(affine(inner.embed, read)))
    body = theirs(inner.body)
    _, state = body(torch.stack(rows))
    answers, scales = [], []
    for k in range(-(-around.reach // width)):
        place = inner.place[k, 0]
        if inner.ahead is not None:
            rest = past.known[end + k * width : end + (k + 1) * width].flatten()
            rest = torch.cat([rest, torch.zeros(width * past.known.shape[1] - len(rest)), past.static])
            place = place + affine(inner.ahead, rest)
        hidden = body(place[None], state)[0][0]
        shares = torch.softmax(affine(inner.shares, hidden) + inner.shares_of_place[k, 0], -1)
        candidates = torch.tensor([suggested(past.z, around, k * width + step) for step in range(width)])
        answers.append(affine(inner.head, hidden) + candidates @ shares)
        scales.append(affine(inner.scale, hidden))
    return torch.cat(answers)[: around.reach], torch.cat(scales)[: around.reach]


def suggested(z, around, step):
    """Values of seasons before, the last value, and the mean of the last season."""
    back = [z[len(z) - k * around.lag + step % (k * around.lag)] for k in range(1, around.seasons + 1)]
    return [*back, z[-1], z[-around.lag :].mean()]


BY_HAND = {"one-step": one_step, "segment": by_segments, "flatten": flatten}


def extrapolated(model, dataset, cut, horizon):
    """The recursion for one window by hand: values on the scale of the series, and spreads."""
    around, values, spreads = model.scaling, [float(v) for v in dataset.raw(cut)[:, 0]], []
    features = dataset.features(cut, -(-horizon // around.reach) * around.reach)
    past, known, static = (None if one is None else one[..., 0, :] for one in features)
    while len(spreads) < horizon:
        at = len(spreads)
        window = around.window(torch.tensor(values[at:])[:, None])
        ahead = None if known is None else known[at : at + around.length + around.reach]
        made = [
            BY_HAND[around.strategy](one, around, Past(window.z[:, 0], around.reach, past, ahead, static))
            for one in model.networks
        ]
        answer, scale = (torch.stack(parts).mean(0) for parts in zip(*made, strict=True))
        values += (answer * window.spread + window.shift).tolist()
        spreads += (scale.clamp(-LARGEST_LOG_SCALE, LARGEST_LOG_SCALE).exp() * window.spread).tolist()
    if around.reach == 1:  # how far off the next value may be; the calibration says how that grows
        spreads = spreads[:1] * horizon
    return np.array(values[around.length :][:horizon]), np.array(spreads[:horizon])


def check_recursion(model, one, horizon=34):
    dataset = Dataset.of([one], model.scaling)
    with torch.no_grad():
        values, spreads = extrapolated(model, dataset, dataset.ends, horizon)
    d = values * dataset.scale[0] + dataset.shift[0]
    mean, spread = model.extrapolate(dataset, dataset.ends, horizon)
    np.testing.assert_allclose(mean[0], model.scaling.difference.extend(d, one.y), rtol=1e-4)
    np.testing.assert_allclose(spread[0], spreads * dataset.scale[0], rtol=1e-3)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("season", [1, 12])
@pytest.mark.parametrize("scale", ["window", "standard"])
@pytest.mark.parametrize("difference", [Difference(0), Difference(1), Difference(2), Difference(1, 1, 12)])
def test_extrapolation_is_the_recursion_written_by_hand(strategy, season, scale, difference):
    around = window_scaling(strategy, season=season, scale=scale, difference=difference)
    spread = 0.3 if difference.order < 2 else 0.1
    check_recursion(untrained(around, spread=spread), series(noisy()))


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_every_cell_reads_features_at_their_steps(strategy, cell, num_layers):
    one = featured(past=strategy != "one-step")
    around = with_features(window_scaling(strategy), [one])
    check_recursion(untrained(around, cell=cell, num_layers=num_layers), one)


@pytest.mark.parametrize("reach", [1, 4, 6, 7])
def test_the_reach_need_be_no_multiple_of_the_segment(reach):
    check_recursion(untrained(window_scaling("segment", reach=reach)), series(noisy()), horizon=16)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_context_shorter_than_the_season_is_the_end_of_the_window(strategy):
    one = featured(past=strategy != "one-step")
    seasons = {"seasons": 1, "spread": "std"} if strategy == "segment" else {}
    check_recursion(untrained(with_features(window_scaling(strategy, context=6, **seasons), [one])), one)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_short_series_are_read_with_their_padding(strategy):
    check_recursion(untrained(window_scaling(strategy)), series(noisy(9)))


# ------------------------------------------------------------------------------------------------- closed forms


@pytest.mark.parametrize("scale", ["window", "standard"])
@pytest.mark.parametrize("season", [1, 12])
@pytest.mark.parametrize("strategy", ["one-step", "flatten"])
def test_a_silent_network_is_the_naive_forecast(strategy, season, scale):
    y = wave()
    model = untrained(window_scaling(strategy, season=season, scale=scale), spread=0.0)
    dataset = Dataset.of([series(y)], model.scaling)
    expected = np.resize(y[-season:], 30)
    np.testing.assert_allclose(model.extrapolate(dataset, dataset.ends, 30)[0][0], expected, rtol=1e-6)
    fitted = model.fitted(dataset)[0]
    assert len(fitted) == len(y) - model.scaling.length
    np.testing.assert_allclose(fitted, y[-len(fitted) - season : -season], rtol=1e-6)


def test_an_untrained_network_of_segments_answers_the_mean_of_its_candidates():
    y = noisy()
    model = untrained(window_scaling("segment"), spread=None)
    dataset = Dataset.of([series(y)], model.scaling)
    steps = np.arange(15)
    candidates = [y[-12 + steps % 12], y[-24 + steps % 24], np.full(15, y[-1]), np.full(15, y[-12:].mean())]
    mean, spread = model.extrapolate(dataset, dataset.ends, 15)
    np.testing.assert_allclose(mean[0], np.mean(candidates, axis=0), rtol=1e-5)
    np.testing.assert_allclose(spread[0], np.abs(y[-12:] - y[-24:-12]).mean(), rtol=1e-4)  # a scale of one


# ------------------------------------------------------------------------------------------------- one from many


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_fitted_is_the_first_step_from_every_window(strategy):
    several = [series(noisy(n, seed=k), k) for k, n in enumerate((120, 40))]
    model = untrained(window_scaling(strategy, difference=Difference(1)))
    dataset = Dataset.of(several, model.scaling)
    for k, fitted in enumerate(model.fitted(dataset)):
        for back in (1, 7, len(fitted)):
            one = model.extrapolate(dataset, dataset.ends[[k]] - back, 1)[0][0, 0]
            np.testing.assert_allclose(fitted[-back], one, rtol=1e-5)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_several_pasts_are_extrapolated_as_if_alone(strategy, monkeypatch):
    several = [series(noisy(n, seed=k), k) for k, n in enumerate((120, 100, 33))]
    model = untrained(window_scaling(strategy))
    dataset = Dataset.of(several, model.scaling)
    cuts = torch.cat([dataset.ends, dataset.ends[:1] - 20])
    mean, spread = model.extrapolate(dataset, cuts, 20)
    for k, one in enumerate(several):
        alone = Dataset.of([one], model.scaling)
        made = model.extrapolate(alone, alone.ends, 20)
        np.testing.assert_allclose(mean[k], made[0][0], rtol=1e-5)
        np.testing.assert_allclose(spread[k], made[1][0], rtol=1e-4)
    cut = Dataset.of([series(several[0].y[:100])], model.scaling)
    np.testing.assert_allclose(mean[3], model.extrapolate(cut, cut.ends, 20)[0][0], rtol=1e-2)  # other floors
    monkeypatch.setattr(models, "MOST_VALUES", 60)  # values: one window at a time
    in_parts = model.extrapolate(dataset, cuts, 20)
    np.testing.assert_allclose(in_parts[0], mean, rtol=1e-5)
    np.testing.assert_allclose(in_parts[1], spread, rtol=1e-4)
    monkeypatch.undo()
    whole = model.fitted(dataset)
    monkeypatch.setattr(models, "MOST_VALUES", 60)
    for one, other in zip(whole, model.fitted(dataset), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


# ------------------------------------------------------------------------------------------------- features


def featured(n=120, past=True, seed=0):
    rng = np.random.default_rng(seed)
    parts = {"known": rng.normal(size=(n, 2)), "static": rng.normal(size=1)}
    return series(noisy(n), **parts, past=rng.normal(size=(n, 3)) if past else None)


def forecasts(model, one, cut, horizon, future=None):
    dataset = Dataset.of([one], model.scaling)
    cuts = dataset.fronts + cut
    return model.extrapolate(dataset, cuts, horizon, None if future is None else future[None])[0][0]


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_nothing_beyond_what_is_known_reaches_a_forecast(strategy):
    one = featured(past=strategy != "one-step")
    model = untrained(with_features(window_scaling(strategy), [one]))
    base, later = forecasts(model, one, 60, 15), np.arange(120) >= 60
    y = np.where(later, -5.0, one.y)
    dataset = [Dataset.of([replace(one, y=values)], model.scaling, until=[60]) for values in (one.y, y)]
    made = [model.extrapolate(of, of.fronts + 60, 15)[0] for of in dataset]
    np.testing.assert_array_equal(*made)
    if one.past is not None:
        changed = replace(one, past=np.where(later[:, None], 9.0, one.past))
        np.testing.assert_array_equal(forecasts(model, changed, 60, 15), base)
        assert (forecasts(model, replace(one, past=one.past + 1), 60, 15) != base).any()
    beyond = replace(one, known=np.where((np.arange(120) >= 75)[:, None], 9.0, one.known))
    np.testing.assert_array_equal(forecasts(model, beyond, 60, 15), base)


@pytest.mark.parametrize(("strategy", "changes"), [("one-step", range(7, 15)), ("segment", range(6, 12))])
def test_what_is_known_of_a_step_acts_from_that_step_or_segment_on(strategy, changes):
    one = featured(past=False)
    model = untrained(with_features(window_scaling(strategy), [one]))
    known = one.known.copy()
    known[67, 0] += 5  # the eighth step ahead
    base, other = (forecasts(model, replace(one, known=of), 60, 15) for of in (one.known, known))
    assert np.flatnonzero(base != other).tolist() == list(changes)


def test_what_is_known_acts_on_all_steps_at_once_in_flatten():
    one = featured()
    model = untrained(with_features(window_scaling("flatten"), [one]))
    known = one.known.copy()
    known[67, 0] += 5
    base, other = (forecasts(model, replace(one, known=of), 60, 15) for of in (one.known, known))
    assert (base != other).all()


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_the_future_that_is_given_takes_the_place_of_rows_that_are_not_there(strategy):
    one = featured(past=strategy != "one-step")
    model = untrained(with_features(window_scaling(strategy), [one]))
    past = None if one.past is None else one.past[:90]
    cut_off = replace(one, y=one.y[:90], ds=one.ds[:90], known=one.known[:90], past=past)
    scale = Dataset.of([one], model.scaling, until=[90])
    within = model.extrapolate(scale, scale.fronts + 90, 30)[0][0]
    np.testing.assert_allclose(forecasts(model, cut_off, 90, 30, one.known[90:]), within, rtol=1e-5)
    assert (forecasts(model, cut_off, 90, 30) != within).any()
    repeated = one.known[90:].copy()
    repeated[20:] = repeated[19]  # beyond the horizon the last row stands for what is not known
    made = forecasts(model, cut_off, 90, 20, one.known[90:110])
    np.testing.assert_allclose(made, forecasts(model, cut_off, 90, 30, repeated)[:20], rtol=1e-5)
    static = replace(one, static=one.static + 1)
    assert (forecasts(model, static, 60, 3) != forecasts(model, one, 60, 3)).all()


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_each_series_has_its_own_future_also_in_parts(strategy, monkeypatch):
    several = [featured(n, past=False, seed=n) for n in (120, 60)]
    model = untrained(with_features(window_scaling(strategy), several))
    dataset = Dataset.of(several, model.scaling)
    future = np.random.default_rng(0).normal(size=(2, 15, 2))
    together = model.extrapolate(dataset, dataset.ends, 15, future)[0]
    for k, one in enumerate(several):
        np.testing.assert_allclose(together[k], forecasts(model, one, len(one), 15, future[k]), rtol=1e-5)
    monkeypatch.setattr(models, "MOST_VALUES", 60)
    np.testing.assert_allclose(model.extrapolate(dataset, dataset.ends, 15, future)[0], together, rtol=1e-5)


def test_features_teach():
    """A series that its known feature tells is learnt, by every strategy."""
    rng = np.random.default_rng(0)
    known = rng.normal(size=(300, 1))
    one = series(10 + 3 * known[:, 0], known=known)
    for strategy in STRATEGY_NAMES:
        reach = 1 if strategy == "one-step" else 3
        around = with_features(window_scaling(strategy, season=1, segment=1, context=8, reach=reach), [one])
        used = configuration(ensemble_size=1, max_steps=400, hidden_size=16, lr=1e-2)
        found = used.train_with_validation(Dataset.of([one], around))
        assert found.error < 0.5, strategy  # 0.7 without the feature, as the values are independent


# ------------------------------------------------------------------------------------------------- the loss


def answers(scales=True):
    generator = torch.Generator().manual_seed(0)
    answer = torch.randn(4, 3, 2 if scales else 1, generator=generator, dtype=torch.float64)
    y = torch.randn(2, 9, 3, generator=generator, dtype=torch.float64)
    y[1] = (torch.rand(9, 3, generator=generator) < 0.6).double()
    return answer.requires_grad_(), y


POINT = {
    "mae": torch.abs,
    "mse": torch.square,
    "huber": lambda e: huber_loss(e, torch.zeros_like(e), reduction="none", delta=1.0),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("scales", [False, True])
def test_the_loss_is_the_weighted_one_of_the_values(name, scales):
    answer, y = answers(scales)
    target, weight = y[0, 5:], y[1, 5:]  # of the last four steps
    by_hand = (weight * POINT[name](answer[..., 0] - target)).sum() / weight.sum()
    loss = loss_of(name)(answer, y)
    assert_close(loss, by_hand)
    gradient, theirs = (torch.autograd.grad(of, answer, retain_graph=True)[0] for of in (loss, by_hand))
    assert_close(gradient[..., 0], theirs[..., 0])
    if scales:
        error = (answer[..., 0] - target).detach().abs()
        expected = weight * (1 - error * torch.exp(-answer[..., 1].detach())) / weight.sum()
        assert_close(gradient[..., 1], expected)


def test_the_best_scale_is_the_mean_absolute_error():
    answer, y = answers()
    weight = y[1, 5:]
    size = (weight * (answer[..., 0] - y[0, 5:]).abs()).sum() / weight.sum()
    answer = torch.stack([answer[..., 0].detach(), size.log().detach().expand(4, 3)], -1).requires_grad_()
    loss_of("mse")(answer, y).backward()
    assert answer.grad[..., 1].sum().abs() < 1e-12
    assert answer.grad[..., 1].abs().max() > 1e-3


def test_nothing_observed_is_no_loss():
    answer, y = answers()
    y[1] = 0
    loss = loss_of("mae")(answer, y)
    loss.backward()
    assert loss.item() == 0
    assert (answer.grad == 0).all()


# ------------------------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("season", [1, 7])
@pytest.mark.parametrize("difference", [0, 1])
def test_every_strategy_trains_on_every_kind_of_series(strategy, cell, season, difference):
    sizes = {"hidden_size": 4, "max_steps": 3, "ensemble_size": 1, "batch_size": 8, "horizon": 5}
    for scale in ("window", "standard", "minmax", "robust", "none"):
        model = Forecaster(
            cell, strategy=strategy, season=season, difference=difference, scale=scale, dropout=0.0, **sizes
        )
        made = model.fit(table(noisy(60, 7) / 50, freq="D")).predict(8)
        assert np.isfinite(made.iloc[:, 2:]).all(axis=None)
        assert made[f"{cell.upper()}-lo-95"].lt(made[f"{cell.upper()}-hi-95"]).all()


@pytest.mark.parametrize("context", [1, 6, 12])
@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_context_of_less_than_two_seasons_will_do(strategy, context):
    model = Forecaster(hidden_size=4, max_steps=3, ensemble_size=1, season=12, context=context, strategy=strategy)
    made = model.fit(table(noisy())).predict(15)
    assert np.isfinite(made.iloc[:, 2:]).all(axis=None)
