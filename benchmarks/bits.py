"""Check that a change of the code does not change a single bit of a prediction.

    python -m benchmarks.bits write before.json --models FOLDER
    python -m benchmarks.bits compare before.json --models FOLDER

`write` fits small forecasters and classifiers of every kind with fixed seeds, on one thread. It stores the SHA-256 of
each column of numbers and dates in their results: forecasts with intervals, sample paths, in-sample fits, backtests,
forecasts after an update, probabilities. With --models it also saves each model in FOLDER. `compare` repeats the fits,
prints a line for each setting, and exits with 1 if a digest differs. With --models it also loads the models in FOLDER,
which older code may have saved, and compares their results; a line then has two entries. The digests also depend on the
machine and on torch. Both are stored with the digests, and `compare` stops if they differ.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import gatewise as gw
from benchmarks import machine
from gatewise.engines.native import loader

Digests = dict[str, str]  # column -> digest
Results = dict[str, Any]  # name -> table, array or backtest
Compute = Callable[[Any], Results]  # the results of a fitted model, which the function may change
Setting = tuple[str, Any, tuple[Any, ...], dict[str, Any], Compute]  # name, model, arguments and options of `fit`
AHEAD = 10  # days with future covariates
KNOWN: dict[str, Any] = {"known": ["price", "promo"], "static": ["region"], "calendar": True}
PAST: dict[str, Any] = {"past": ["visitors"], **KNOWN}


def shops(names: str, seed: int, incomplete: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Daily sales of shops of different ages, one value missing in shop `incomplete`, and their future covariates."""
    generator, past, future = np.random.default_rng(seed), [], []
    for k, name in enumerate(names):
        days = 70 + 11 * k + AHEAD
        price, promo = generator.uniform(1, 2, days).round(2), generator.choice(["none", "flyer", "radio"], days)
        week, noise = np.sin(0.9 * np.arange(days)), generator.normal(20 * k, 1, days)
        y = 50 + 10 * week - 8 * price + 6 * (promo == "radio") + noise
        y[40] = np.nan if name == incomplete else y[40]
        ds, region = pd.date_range("2024-01-01", periods=days), "NS"[k % 2]
        shop = pd.DataFrame({"unique_id": name, "ds": ds, "price": price, "promo": promo, "region": region})
        past.append(shop.assign(y=y, visitors=3 * np.nan_to_num(y) + generator.normal(0, 5, days))[:-AHEAD])
        future.append(shop[-AHEAD:])
    return pd.concat(past, ignore_index=True), pd.concat(future, ignore_index=True)


def waves(steps: int, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Noisy waves (N, T, 2) of three frequencies, zero after their ends, and the frequencies (N,)."""
    generator, t, y = np.random.default_rng(5), np.arange(steps), np.arange(len(lengths)) % 3 + 1
    angle = 0.3 * y[:, None] * t + generator.uniform(0, 6, (len(y), 1))
    x = np.stack([np.sin(angle), np.cos(angle)], -1) + generator.normal(0, 0.3, (len(y), steps, 2))
    return x * (t < lengths[:, None])[..., None], y


def forecasts(horizon: int, **options: Any) -> Compute:
    """Forecasts, sample paths and in-sample fits."""

    def compute(model: Any) -> Results:
        predicted = model.predict(horizon, level=(50, 80, 95), **options)
        return {"predict": predicted, "sample": model.sample(horizon, 5, seed=1, **options), "fitted": model.fitted()}

    return compute


def forecaster(name: str, compute: Compute, data: Any, options: Any = None, **arguments: Any) -> Setting:
    """A small forecaster."""
    small = {"hidden_size": 8, "max_steps": 40, "ensemble_size": 2, "batch_size": 32}
    return name, gw.Forecaster(**{**small, **arguments}), (data,), options or {}, compute


def forecasters() -> Iterator[Setting]:
    """Strategies, cells, engines, covariates, differences, scales; updates and backtests."""
    air, trend = gw.datasets.air_passengers(), gw.datasets.trend(90)
    (table, future), (broken, later), (other, after) = shops("ABC", 1), shops("ABCD", 2, incomplete="C"), shops("EF", 3)
    known, native, reference = forecasts(7, future=future), {"engine": "native"}, {"engine": "reference"}

    def other_series(model: Any) -> Results:
        return {"others": model.predict(7, table=other, future=after), **forecasts(7, future=later)(model)}

    def updates(model: Any) -> Results:
        first = model.update(air[:-12]).predict(14)
        return {"first": first, "further": model.update(air, max_steps=20).predict(14), **forecasts(3)(model)}

    def backtests(model: Any) -> Results:
        refitted = model.backtest(air[:100], 6, windows=2, step=4, level=90, refit=True)
        return {
            "once": model.backtest(air, 12),
            "anew": refitted,
            "shops": model.backtest(table, 5, windows=2, **KNOWN),
        }

    recursive, direct, flat = {"strategy": "one-step"}, {"strategy": "segment"}, {"strategy": "flatten", "context": 14}
    yield forecaster("one-step lstm", forecasts(15), air, **recursive, ensemble_size=3, num_layers=2)
    yield forecaster(
        "one-step gru, known", known, table, KNOWN, **recursive, cell="gru", scale="standard", difference=1
    )
    yield forecaster("one-step rnn, reference", forecasts(5), trend, **recursive, **reference, cell="rnn", season=4)
    yield forecaster("segment lstm, dropout", forecasts(30), air, **direct, dropout=0.3, horizon=12)
    yield forecaster(
        "segment gru, past", known, table, PAST, **direct, cell="gru", difference=1, validation_fraction=0.3
    )
    yield forecaster("segment rnn, native", forecasts(24), air, **direct, **native, cell="rnn", seasonal_difference=1)
    yield forecaster("segment lstm, one set aside", other_series, broken, {**KNOWN, "on_bad": "naive"}, **direct)
    yield forecaster("flatten lstm, native", forecasts(9), air, **flat, **native, scale="none", loss="mse", horizon=6)
    yield forecaster("flatten gru, reference", known, table, PAST, **flat, **reference, cell="gru", horizon=7)
    yield forecaster("flatten rnn", forecasts(8), trend, **flat, cell="rnn", lr=0.01, difference=2, loss="huber")
    yield forecaster("auto lstm", forecasts(12), air, seed=7)
    yield forecaster("auto gru, known", known, table, KNOWN, cell="gru", scale="robust", horizon=7)
    yield forecaster("fallback naive", forecasts(5), trend, **recursive, season=5, fallback="naive", max_steps=5)
    yield "sizes by default", gw.Forecaster(strategy="one-step"), (trend[:40],), {}, forecasts(5)
    yield forecaster("update", updates, air[:-24], **recursive, cell="gru", scale="minmax")
    yield forecaster("update, segment", updates, air[:-24], **direct, horizon=14)
    yield forecaster("backtest", backtests, air, **recursive, max_steps=20)
    yield forecaster("backtest, segment", backtests, air, **direct, cell="gru", max_steps=20)


def classifier(name: str, x: Any, y: Any, options: Any = None, **arguments: Any) -> Setting:
    """A small classifier, and its predictions for the training sequences."""
    options, small = options or {}, {"hidden_size": 8, "epochs": 8, "batch_size": 16, "lr": 0.02}

    def compute(model: Any) -> Results:
        classes = np.searchsorted(np.unique(y), model.predict(x, **options))
        return {"predict_proba": model.predict_proba(x, **options), "predict": classes}

    return name, gw.Classifier(**{**small, **arguments}), (x, y), options, compute


def classifiers() -> Iterator[Setting]:
    """Cells, directions, poolings, lengths, class weights."""
    charts, lengths = gw.datasets.control_charts(each=10), 12 + 7 * np.arange(60) % 19
    x, y = waves(30, lengths)
    ragged = [sequence[:steps] for sequence, steps in zip(x, lengths, strict=True)]
    yield classifier("classes, lstm", charts.x, charts.y, patience=1, validation_fraction=0.3, dropout=0.2, epochs=50)
    gru: dict[str, Any] = {"bidirectional": True, "num_layers": 2, "dropout": 0.1, "class_weight": "balanced"}
    yield classifier("classes, gru both ways, mean", x, y, {"lengths": lengths}, **gru, cell="gru", pooling="mean")
    rnn: dict[str, Any] = {"cell": "rnn", "class_weight": {1: 1.0, 2: 2.0, 3: 0.5}, "scale": "none"}
    yield classifier("classes, rnn, max", ragged, y, **rnn, pooling="max", validation_fraction=0.0)
    yield classifier("classes, lstm both ways, reference", ragged, y, bidirectional=True, engine="reference", seed=3)
    yield classifier("classes, gru, native", x[..., 0], y, cell="gru", engine="native", pooling="max")


def digests(results: Results) -> Digests:
    """The SHA-256 of each column of numbers or dates."""
    columns: Digests = {}
    for result_name, result in results.items():
        table = getattr(result, "forecasts", result)  # of a backtest
        for name, column in table.items() if isinstance(table, pd.DataFrame) else [("", table)]:
            values = np.ascontiguousarray(column)
            if values.dtype.kind in "iufM":
                columns[f"{result_name} {name}".strip()] = hashlib.sha256(values.tobytes()).hexdigest()
    return columns


def conditions() -> dict[str, str]:
    """The versions and the machine: the digests depend on them."""
    native = loader.instructions() if loader.load() else "none"
    versions = {"torch": torch.__version__, "numpy": np.__version__, "processor": machine.processor()}
    return {**versions, "capability": torch.backends.cpu.get_cpu_capability(), "native": native}


def comparison(expected: Digests, actual: Digests) -> str:
    """The columns that differ, or the number of equal columns."""
    columns = [name for name in {**expected, **actual} if expected.get(name) != actual.get(name)]
    return f"DIFFERS: {', '.join(columns)}" if columns else f"equal, {len(actual)} columns"


def file_name(setting: str) -> str:
    """The file of the model of a setting.

    >>> file_name("one-step gru, known")
    'one-step-gru_known.safetensors'
    """
    return f"{setting.replace(', ', '_').replace(' ', '-')}.safetensors"


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("command", choices=("write", "compare"))
    parser.add_argument("file", type=Path, help="JSON file with the digests")
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FOLDER",
        help="folder to save the models in (write) or to load them from (compare)",
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    before = None if arguments.command == "write" else json.loads(arguments.file.read_text())
    if before and before["conditions"] != conditions():
        raise SystemExit(f"not comparable: written under {before['conditions']}, here {conditions()}")
    settings, equal = dict[str, Digests](), True
    for name, model, data, options, compute in (*forecasters(), *classifiers()):
        start = time.perf_counter()
        model.fit(*data, **options)
        path = None if arguments.models is None else arguments.models / file_name(name)
        if path is not None and not before:
            path.parent.mkdir(parents=True, exist_ok=True)
            model.save(path)
        settings[name] = digests(compute(model))
        entries = [f"{len(settings[name])} columns"]
        if before:
            loaded = [] if path is None else [digests(compute(type(model).load(path)))]
            expected = before["settings"].get(name, {})
            entries = [comparison(expected, columns) for columns in (settings[name], *loaded)]
            equal &= all(entry.startswith("equal") for entry in entries)
        print(f"| {name} | {' | '.join(entries)} | {time.perf_counter() - start:.1f} s |", flush=True)
    if not before:
        arguments.file.write_text(json.dumps({"conditions": conditions(), "settings": settings}, indent=1) + "\n")
    elif not equal or before["settings"].keys() - settings.keys():
        raise SystemExit("the bits differ")


if __name__ == "__main__":
    main()
