"""Hostile content of a valid file: refused with a message that names the part."""

import copy
import json

import numpy as np
import pytest

from tests.forecast.persistence.hostile import (
    FREE,
    categories,
    combined,
    named,
    refused,
    with_arguments,
    with_arrays,
    with_content,
    with_part,
    without,
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_arguments(hidden_size=3), "hidden_size is 1, but 3 in the arguments"),
        (combined(FREE, with_part("configuration", hidden_size=2)), "has shape (4, 1), expected (8, 1)"),
        (
            combined(FREE, with_part("configuration", hidden_size=10**9)),
            "18 weights are too few for 1 networks of hidden_size 10000",
        ),
        (
            combined(FREE, with_part("configuration", hidden_size=2**62)),
            "weights are too few for 1 networks of hidden_size 46",
        ),
        (
            combined(FREE, with_part("configuration", hidden_size="4")),
            "hidden_size is '4', expected an integer of at least 1",
        ),
        (combined(FREE, with_part("configuration", ensemble_size=2)), "of network 1 has shape None"),
        (
            combined(FREE, with_part("configuration", ensemble_size=10**9)),
            "too few arrays for 1000000000 networks of 1 layers",
        ),
        (with_content(counting=1), "counting"),
        (with_arguments(num_layers=10**7), "num_layers is 1, but 10000000 in the arguments"),
        (
            combined(with_arguments(num_layers=10**7), with_part("configuration", num_layers=10**7)),
            "too few arrays for 1 networks",
        ),
        (
            combined(with_arguments(num_layers=2), with_part("configuration", num_layers=2)),
            "weight_ih_l1' of network 0 has shape No",
        ),
        (with_arguments(ensemble_size=10**9), "expected at most 1e+08; lower one of them"),
        (with_arguments(cell="gru"), "cell is 'lstm', but 'gru' in the arguments"),
        (combined(with_arguments(cell="gru"), with_part("configuration", cell="gru")), "expected (3, 1)"),
        (with_arguments(cell="os.system"), "cell is 'os.system', expected one of 'lstm'"),
        (with_arguments(season=True), "season is True, expected an integer"),
        (with_arguments(season=7), "season is 1, but 7 in the arguments"),
        (with_arguments(strategy="segment"), "strategy is 'one-step', but 'segment' in the arguments"),
        (with_arguments(loss="mse"), "loss is 'mae', but 'mse' in the arguments"),
        (with_arguments(difference=10**12), "difference is 1000000000000, expected at most 4"),
        (with_arguments(turbo=1), "argument 'turbo' is unknown, perhaps from a newer Gatewise"),
        (with_content(arguments=[]), "arguments is [], expected dict"),
        (with_content(panel=None), "panel is None, expected dict"),
        (with_content(scaling=[]), "scaling is [], expected dict"),
        (with_part("scaling", strategy="direct"), "strategy is 'direct', expected one of 'one-step', 'segment', 'fla"),
        (with_part("scaling", context=5), "context is 5, but 4 in the arguments"),
        (
            combined(FREE, with_part("scaling", context=10**9)),
            "windows of 1000000000 values are too long: the longest series has 40, all together 40",
        ),
        (with_part("scaling", lag=10**9), "windows of 1000000003 values are too long: the longest series has 40"),
        (with_part("scaling", lag=2), "has shape (4, 1), expected (4, 2)"),
        (with_part("scaling", lag=0), "lag is 0, expected an integer of at least 1"),
        (combined(FREE, with_part("scaling", season=2)), "are not a valid scaling of strategy 'one-step'"),
        (with_part("scaling", segment=2), "are not a valid scaling of strategy 'one-step'"),
        (with_part("scaling", reach=2), "reach is 2, but 1 in the arguments"),
        (combined(FREE, with_part("scaling", strategy="flatten", reach=10**5)), "expected (200000, 4)"),
        (
            combined(FREE, with_part("scaling", strategy="flatten", reach=10**6)),
            "horizon is 1000000, expected at most 100000",
        ),
        (combined(FREE, with_part("scaling", strategy="segment")), "are not a valid scaling of strategy 'segment'"),
        (with_part("scaling", spread="none"), "spread is 'none', expected one of 'std', 'season'"),
        (with_part("scaling", dropout=0.5), "dropout is 0.5, but 0 in the arguments"),
        (with_part("scaling", dropout=2), "dropout is 2, expected a number from 0 to 1"),
        (with_part("delivered", growth=2.0), "growth is 2.0, expected a number from 0 to 1"),
        (with_part("delivered", growth="0"), "growth is '0', expected int or float"),
        (with_part("ensemble", error=-1.0), "error is -1.0, expected a number from 0 to 1e+300"),
        (with_part("ensemble", error=10**400), "expected a number from 0 to 1e+300"),
        (
            with_part("delivered", weights={"SeasonalNaive": 1.0}),
            "a part of the delivered method is 'SeasonalNaive', expected one of 'network', 'Naive',",
        ),
        (with_part("delivered", weights={"network": 0.5, "Naive": 0.4}), "expected positive ones of sum 1"),
        (with_part("delivered", weights={"network": 1.0, "Naive": 0.0}), "expected positive ones of sum 1"),
        (with_part("delivered", weights={}), "expected positive ones of sum 1"),
        (with_part("delivered", weights={"network": 1.5}), "network is 1.5, expected a number from 0 to 1"),
        (with_part("delivered", weights={"network": True}), "network is True, expected int or float"),
        (with_content(longer_seasons=168), "longer_seasons is 168, expected list"),
        (with_content(longer_seasons=[1]), "a longer season is 1, expected an integer of at least 2"),
        (with_content(longer_seasons=["168"]), "a longer season is '168', expected an integer of at least 2"),
        (
            combined(with_arguments(season=1), with_content(longer_seasons=[168])),
            "longer_seasons are [168], expected [] as in the arguments",
        ),
        (combined(FREE, with_content(longer_seasons=[30, 20])), "longer_seasons are [30, 20], expected ascending"),
        (combined(FREE, with_content(longer_seasons=[20, 20])), "longer_seasons are [20, 20], expected ascending"),
        (with_arguments(season=[]), "season is (), expected different integers of at least 2"),
        (with_arguments(season=[[24], 168]), "season is ([24], 168), expected different integers of at least 2"),
        (with_arguments(season=[24, 168]), "season is 1, but 24 in the arguments"),
        (with_content(shifts=[[0, 1]]), "a level shift is [0, 1], expected series, position, difference and ratio"),
        (with_content(shifts=[[0, 0, 1.0, None]]), "the position of a level shift is 0, expected"),
        (with_content(shifts=[[9, 1, 1.0, None]]), "a level shift lies at value 1 of series 9, expected one inside"),
        (with_content(shifts=[[0, 10**6, 1.0, None]]), "a level shift lies at value 1000000 of series 0"),
        (with_content(shifts=[[0, 1, 10**400, None]]), "the difference of a level shift is 1000"),
        (with_content(shifts=[[0, 1, 1.0, -0.5]]), "the ratio of a level shift is -0.5, expected a finite number"),
        (with_part("delivered", growth=None), "growth is None, expected int or float"),
        (with_part("history", best_epoch=99), "best_epoch is 99, but there are"),
        (with_part("history", stopped="now"), "stopped is 'now', expected one of"),
        (with_part("panel", guesses=[1]), "guesses is [1], expected a list of text"),
        (with_part("panel", guesses=["\x1b[2J"]), "'\\x1b[2J' holds control characters, expected printable text"),
        (with_content(choices=["a", "b\x9bc"]), "holds control characters"),
        (with_content(selection_choices=["\x7f"]), "holds control characters"),
        (with_content(other={"deep": [{"\x1b": 1}]}), "holds control characters"),
        (with_content(choices="all"), "choices is 'all', expected list"),
        (with_part("panel", freq="MS"), "expected a positive integer step"),
        (with_part("panel", freq=-1), "expected a positive integer step"),
        (with_part("panel", freq=2**62), "freq is too large"),
        (with_part("panel", freq=10**30), "freq is too large"),
        (with_part("panel", backend="excel"), "backend is 'excel', expected one of 'pandas', 'polars'"),
        (with_part("panel", on_bad="eat"), "on_bad is 'eat', expected one of 'raise', 'skip', 'naive'"),
        (with_part("panel", date_only=1), "date_only is 1, expected bool"),
        (with_part("panel", categorical=1), "categorical is 1, expected bool"),
        (with_part("panel", categorical={"count": 2, "ordered": 1}), "there is no array 'categories'"),
        (categories(["A", "A"]), "two series have the same name"),
        (categories(["A", None]), "a series is called None"),
        (categories(["A", "B"], ordered=1), "ordered is 1, expected bool"),
        (categories(["A", "B"], count="2"), "count is '2', expected int"),
        (
            combined(categories(["A", 1]), with_part("panel", backend="polars")),
            "have several types, which a polars column",
        ),
        (with_part("panel", excluded=1), "there is no array 'excluded'"),
        (with_part("panel", excluded=-1), "there is no array 'excluded'"),
        (with_part("panel", excluded=None), "excluded is None, expected int"),
        (with_part("panel", covariates=[]), "covariates is [], expected dict or NoneType"),
        (with_part("panel", covariates={}), "covariates are {}, expected the fields"),
        (with_part("panel", time={}), "unit is None, expected one of 's', 'ms'"),
        (with_part("panel", time={"unit": "s", "zone": None}), "freq=1 is not a pandas frequency; pass one such as MS"),
        (with_part("panel", time={"unit": "s", "zone": "/etc/passwd"}), "zone is '/etc/passwd', expected the name"),
        (with_part("panel", time={"unit": "s", "zone": "../x"}), "zone is '../x', expected the name of a time zone"),
        (with_part("panel", time={"unit": "s", "zone": "dateutil//x"}), "expected the name of a time zone"),
        (
            with_part("panel", time={"unit": "s", "zone": "Mars/Olympus"}),
            "time zone 'Mars/Olympus' is unknown on this machine",
        ),
        (named("a", "b"), "array 'names' is not a list of 1"),
        (named({}), "a series is called {}, but a file can hold only text, booleans, floats and integers"),
        (named(2**64), "integers of up to 64 bits as names"),
        (
            named("\x1b[31m"),
            "a series is called '\\x1b[31m', but a file can hold only names without control characters",
        ),
        (named(float("inf")), "array 'names' is not JSON text"),
        (with_arrays(names=np.full(3, 255, np.uint8)), "array 'names' is not JSON text"),
        (with_arrays(names=np.full(10**5, ord("["), np.uint8)), "array 'names' is not JSON text"),
        (with_arrays(names=np.frombuffer(b"[1e999]", np.uint8)), "can hold only finite numbers as names"),
        (with_arrays(y=np.full(40, np.nan)), "array 'y' holds NaN or infinity"),
        (with_arrays(y=np.full(40, 1e200)), "y is empty or beyond 1e+100"),
        (with_arrays(y=np.zeros(0)), "y is empty"),
        (with_arrays(y=np.zeros(40, np.float32)), "array 'y' is float32 of shape (40,), expected float64 of one dim"),
        (with_arrays(y=np.zeros((8, 5))), "expected float64 of one dimension"),
        (with_arrays(y=np.zeros(39)), "lengths do not add up to the 39 values"),
        (with_arrays(y=np.zeros(1), lengths=np.array([1])), "series 'y' has 1 value, too few for differences of lag 0"),
        (
            with_arrays(lengths=np.array([20, 20])),
            "array 'starts' is int64 of shape (1,), expected int64 of shape (2,)",
        ),
        (with_arrays(lengths=np.array([41, -1]), starts=np.array([0, 0])), "lengths do not add up to the 40 values"),
        (
            with_arrays(lengths=np.zeros(0, np.int64), starts=np.zeros(0, np.int64)),
            "lengths do not add up to the 40 values",
        ),
        (with_arrays(starts=np.array([1])), "reach beyond the 40 dates of ds"),
        (with_arrays(starts=np.array([-1])), "reach beyond the 40 dates of ds"),
        (with_arrays(starts=np.array([2**63 - 1])), "reach beyond the 40 dates of ds"),
        (with_arrays(ds=np.arange(39)), "reach beyond the 39 dates of ds"),
        (with_arrays(ds=np.arange(40.0)), "array 'ds' is float64 of shape (40,), expected int64"),
        (with_arrays(ds=np.arange(40)[::-1].copy()), "ds is not sorted, or has duplicates"),
        (with_arrays(ds=np.zeros(40, np.int64)), "ds is not sorted, or has duplicates"),
        (with_arrays(ds=np.arange(40) + 2**62), "ds holds a time that is too large"),
        (with_arrays(filled=np.zeros(40)), "array 'filled' is float64"),
        (
            with_arrays(past=np.zeros((40, 1))),
            "numbers of features (past, known, static) differ: (1, 0, 0) in the series",
        ),
        (
            with_arrays(past=np.zeros((39, 1))),
            "array 'past' is float64 of shape (39, 1), expected float64 of shape (40, any",
        ),
        (with_arrays(ahead=np.zeros((3, 1))), "array 'ahead' is not part of a forecaster"),
        (
            with_arrays(static__shift=np.zeros(1), static__scale=np.ones(1)),
            "(0, 0, 0) in the series, (0, 0, 1) in the model, (0, 0, 0) named",
        ),
        (with_arrays(delivered__distances=np.array([2.0, 1.0])), "not a calibration"),
        (with_arrays(delivered__distances=np.zeros(0)), "not a calibration"),
        (
            with_arrays(delivered__errors=np.zeros((3, 0))),
            "delivered.distances and delivered.errors are not a calibration",
        ),
        (with_arrays(delivered__profile=np.zeros(1)), "array 'delivered.profile' is float64 of shape (1,), expected"),
        (with_arrays(delivered__profile=np.zeros(4)), "delivered.profile holds 0, expected numbers above 0"),
        (
            with_arrays(delivered__alphas=np.zeros((1, 4))),
            "array 'delivered.alphas' is float64 of shape (1, 4), expected",
        ),
        (
            with_arrays(delivered__alphas=np.full((5, 4), 1.5)),
            "delivered.alphas holds no adapted miscoverages, expected",
        ),
        (with_arrays(delivered__alphas=np.zeros((5, 0))), "delivered.alphas holds no adapted miscoverages, expected"),
        (with_part("delivered", rho=2.0), "rho is 2.0, expected a number from 0 to 1"),
        (with_part("delivered", rising=1), "rising is 1, expected bool"),
        (with_part("ensemble", bounded_scales=True), "there is no array 'ensemble.log_scales'"),
        (
            combined(with_part("ensemble", bounded_scales=True), with_arrays(ensemble__log_scales=np.ones((2, 2)))),
            "array 'ensemble.log_scales' is float64 of shape (2, 2), expected float64 of shape (2, 1)",
        ),
        (
            combined(
                with_part("ensemble", bounded_scales=True), with_arrays(ensemble__log_scales=np.array([[1.0], [0.0]]))
            ),
            "ensemble.log_scales holds lower bounds above the upper ones",
        ),
        (with_arrays(history__lr=np.zeros(99)), "array 'history.lr' is float64 of shape (99,), expected"),
        (with_arrays(network__0__network__body__weight_hh_l0=np.full((4, 1), np.inf, np.float32)), "holds NaN or inf"),
        (with_arrays(network__0__network__head__bias=np.zeros(1)), "is float64 of shape (1,), expected float32"),
        (
            with_arrays(network__0__head__turbo=np.zeros(1, np.float32)),
            "weight 'head.turbo' of network 0 has shape (1,)",
        ),
        (with_arrays(network__1__head__bias=np.zeros(1, np.float32)), "'network.1.head.bias' is not part of"),
        (with_arrays(other=np.zeros(1, np.float32)), "array 'other' is not part of a forecaster"),
    ],
)
def test_each_invalid_content_is_named(small, change, message):
    content, arrays = copy.deepcopy(small[0]), dict(small[1])
    change(content, arrays)
    assert message in refused(small, content, arrays)


def with_excluded(change):
    def changed(_, arrays):
        rows = json.loads(arrays["excluded"].tobytes())
        change(rows)
        arrays["excluded"] = np.frombuffer(json.dumps(rows).encode(), np.uint8)

    return changed


numbered_excluded = with_excluded(lambda rows: [row.__setitem__(0, k) for k, row in enumerate(rows, 3)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (named("A", "A"), "two series have the same name"),
        (
            combined(named("A", 1), with_part("panel", backend="polars")),
            "have several types, which a polars column cannot hold",
        ),
        (combined(named(-1, 2**63), with_part("panel", backend="polars")), "have several types, which a polars column"),
        (
            combined(with_excluded(lambda rows: rows[0].__setitem__(0, 1)), with_part("panel", backend="polars")),
            "have several types, which a polars column",
        ),
        (
            combined(named(1, 2), numbered_excluded, with_part("panel", backend="polars", categorical=True)),
            "categorical is True, but a series is called 1, which is not text",
        ),
        (with_excluded(lambda rows: rows.pop()), "array 'excluded' is not a list of 3"),
        (with_excluded(lambda rows: rows[0].pop()), "array 'excluded' is not a list of names, reasons"),
        (with_excluded(lambda rows: rows.__setitem__(0, "abc")), "array 'excluded' is not a list of names, reasons"),
        (with_excluded(lambda rows: rows[0].__setitem__(2, 1)), "array 'excluded' is not a list of names, reasons"),
        (with_excluded(lambda rows: rows[0].__setitem__(1, "\x1b")), "holds control characters"),
        (with_excluded(lambda rows: rows[0].__setitem__(0, None)), "a series is called None"),
        (with_excluded(lambda rows: rows[0].__setitem__(2, not rows[0][2])), "'excluded.lengths' has"),
        (with_arrays(excluded__y=np.array([np.inf])), "array 'excluded.y' holds NaN"),
        (with_arrays(excluded__starts=np.array([10**6, 0])), "excluded.starts and excluded.lengths reach beyond the"),
        (with_part("scaling", dropout=-1), "dropout is -1"),
        (with_part("scaling", seasons=9), "are not a valid scaling of strategy"),
        (with_part("scaling", context=10**6 * 12), "values are too long: the longest series has 90"),
    ],
)
def test_each_invalid_content_of_several_series_is_named(several, change, message):
    content, arrays = copy.deepcopy(several[0]), dict(several[1])
    change(content, arrays)
    assert message in refused(several, content, arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("known"), "features (past, known, static) differ: (1, 0, 2) in the series, (1, 6, 2) in the model"),
        (
            without("known.shift"),
            "features (past, known, static) differ: (1, 6, 2) in the series, (1, 0, 2) in the model",
        ),
        (with_arrays(known__scale=np.zeros(6)), "known.scale holds 0.0, expected numbers above 0"),
        (with_arrays(static=np.ones((3, 1))), "array 'static' is float64 of shape (3, 1), expected float64 of shape"),
        (without("ahead"), "array 'ahead.lengths' is not part of a forecaster"),
        (without("ahead.lengths"), "there is no array 'ahead.lengths'"),
        (with_arrays(ahead=np.zeros((22, 1))), "array 'ahead' is float64 of shape (22, 1), expected float64 of shape"),
        (with_arrays(ahead=np.zeros(22)), "array 'ahead' is float64 of shape (22,), expected float64 of shape (any"),
        (with_arrays(ahead=np.zeros((22, 6), np.float32)), "array 'ahead' is float32 of shape (22, 6), expected"),
        (with_arrays(ahead=np.full((22, 6), np.nan)), "array 'ahead' holds NaN or infinity"),
        (with_arrays(ahead=np.zeros((21, 6))), "ahead.lengths do not add up to the 21 steps ahead"),
        (with_arrays(ahead__lengths=np.array([12.0, 10.0])), "array 'ahead.lengths' is float64 of shape (2,)"),
        (with_arrays(ahead__lengths=np.array([22])), "array 'ahead.lengths' is int64 of shape (1,), expected int64"),
        (with_arrays(ahead__lengths=np.array([23, -1])), "ahead.lengths do not add up to the 22 steps ahead"),
        (with_arrays(ahead__lengths=np.array([2**63 - 1] * 2)), "ahead.lengths do not add up to the 22 steps ahead"),
    ],
)
def test_each_invalid_content_of_covariates_is_named(rich, change, message):
    content, arrays = copy.deepcopy(rich[0]), dict(rich[1])
    change(content, arrays)
    assert message in refused(rich, content, arrays)


def test_windows_much_longer_than_most_series_are_refused(small):
    content, arrays = copy.deepcopy(small[0]), dict(small[1])
    FREE(content, arrays)
    lengths = np.array([50000, *[1] * 49999])
    arrays |= {"y": np.ones(lengths.sum()), "ds": np.arange(50000), "lengths": lengths, "starts": 0 * lengths}
    named(*range(50000))(content, arrays)
    content["scaling"]["context"] = 40000
    assert "windows of 40000 values are too long" in refused(small, content, arrays)


def test_each_missing_part_is_named(several):
    content, arrays, _ = several
    for part, inside in {
        "": content,
        **{name: value for name, value in content.items() if isinstance(value, dict)},
    }.items():
        optional = {"counting", "read_by"}  # earlier files have neither
        for name in set(inside) - optional if part not in ("arguments", "read_by") else ():
            less = {key: value for key, value in inside.items() if key != name}
            message = refused(several, {**content, part: less} if part else less, arrays)
            assert name in message
    for name in set(arrays) - {"excluded.filled"}:
        weight = name.removeprefix("network.0.")
        message = refused(several, content, {key: value for key, value in arrays.items() if key != name})
        assert weight in message or "weights are too few" in message
