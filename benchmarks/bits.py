"""Whether a change of the code changes any bit of a prediction.

    python -m benchmarks.bits write before.json --models FOLDER
    python -m benchmarks.bits compare before.json --models FOLDER

`write` fits small forecasters and classifiers of every kind with fixed seeds, on one thread, and notes the SHA-256 of
the bytes of every column of numbers and dates that they give: forecasts with their intervals, sample paths, the past
one step ahead, backtests, forecasts after an update, probabilities. With --models it also saves each model in FOLDER.
`compare` does the same again, prints a line for each setting, and ends with exit code 1 where a digest differs. With
--models it also loads the files of FOLDER, which older code may have written, and asks them for the same numbers, the
second result in a line. The digests depend on the machine and on torch too, which are noted beside them and must agree.
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

Digests = dict[str, str]  # of each column, by its name
Answers = dict[str, Any]  # tables, arrays and backtests, by what was asked for
Ask = Callable[[Any], Answers]  # of a fitted model, which it may change
Setting = tuple[str, Any, tuple[Any, ...], dict[str, Any], Ask]  # name, model, arguments and options of `fit`
AHEAD = 10  # days for which it is known what shops will do
KNOWN: dict[str, Any] = {"known": ["price", "promo"], "static": ["region"], "calendar": True}
PAST: dict[str, Any] = {"past": ["visitors"], **KNOWN}


def shops(names: str, seed: int, lost: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Daily sales of shops of different ages, one value `lost`, and what is known of the days after."""
    chance, past, future = np.random.default_rng(seed), [], []
    for k, name in enumerate(names):
        days = 70 + 11 * k + AHEAD
        price, promo = chance.uniform(1, 2, days).round(2), chance.choice(["none", "flyer", "radio"], days)
        week, noise = np.sin(0.9 * np.arange(days)), chance.normal(20 * k, 1, days)
        y = 50 + 10 * week - 8 * price + 6 * (promo == "radio") + noise
        y[40] = np.nan if name == lost else y[40]
        ds, region = pd.date_range("2024-01-01", periods=days), "NS"[k % 2]
        one = pd.DataFrame({"unique_id": name, "ds": ds, "price": price, "promo": promo, "region": region})
        past.append(one.assign(y=y, visitors=3 * np.nan_to_num(y) + chance.normal(0, 5, days))[:-AHEAD])
        future.append(one[-AHEAD:])
    return pd.concat(past, ignore_index=True), pd.concat(future, ignore_index=True)


def waves(steps: int, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Noisy waves (N, T, 2) of three speeds, zero after their ends, and the speeds (N,)."""
    chance, t, y = np.random.default_rng(5), np.arange(steps), np.arange(len(lengths)) % 3 + 1
    angle = 0.3 * y[:, None] * t + chance.uniform(0, 6, (len(y), 1))
    x = np.stack([np.sin(angle), np.cos(angle)], -1) + chance.normal(0, 0.3, (len(y), steps, 2))
    return x * (t < lengths[:, None])[..., None], y


def looked_at(horizon: int, **options: Any) -> Ask:
    """Forecasts, sample paths and the past one step ahead."""

    def ask(model: Any) -> Answers:
        predicted = model.predict(horizon, level=(50, 80, 95), **options)
        return {"predict": predicted, "sample": model.sample(horizon, 5, seed=1, **options), "fitted": model.fitted()}

    return ask


def forecaster(name: str, ask: Ask, data: Any, options: Any = None, **arguments: Any) -> Setting:
    """A small forecaster."""
    small = {"hidden_size": 8, "max_steps": 40, "ensemble_size": 2, "batch_size": 32}
    return name, gw.Forecaster(**{**small, **arguments}), (data,), options or {}, ask


def forecasters() -> Iterator[Setting]:
    """Strategies, cells, engines, covariates, differences, scales; updates and backtests."""
    air, trend = gw.datasets.air_passengers(), gw.datasets.trend(90)
    (table, future), (broken, later), (other, after) = shops("ABC", 1), shops("ABCD", 2, lost="C"), shops("EF", 3)
    known, native, reference = looked_at(7, future=future), {"engine": "native"}, {"engine": "reference"}

    def of_others(model: Any) -> Answers:
        return {"others": model.predict(7, table=other, future=after), **looked_at(7, future=later)(model)}

    def updated(model: Any) -> Answers:
        first = model.update(air[:-12]).predict(14)
        return {"first": first, "further": model.update(air, max_steps=20).predict(14), **looked_at(3)(model)}

    def tested(model: Any) -> Answers:
        anew = model.backtest(air[:100], 6, windows=2, step=4, level=90, refit=True)
        return {"once": model.backtest(air, 12), "anew": anew, "shops": model.backtest(table, 5, windows=2, **KNOWN)}

    one, many, flat = {"strategy": "one-step"}, {"strategy": "segment"}, {"strategy": "flatten", "context": 14}
    yield forecaster("one-step lstm", looked_at(15), air, **one, ensemble_size=3, num_layers=2)
    yield forecaster("one-step gru, known", known, table, KNOWN, **one, cell="gru", scale="standard", difference=1)
    yield forecaster("one-step rnn, reference", looked_at(5), trend, **one, **reference, cell="rnn", season=4)
    yield forecaster("segment lstm, dropout", looked_at(30), air, **many, dropout=0.3, horizon=12)
    yield forecaster("segment gru, past", known, table, PAST, **many, cell="gru", difference=1, validation_fraction=0.3)
    yield forecaster("segment rnn, native", looked_at(24), air, **many, **native, cell="rnn", seasonal_difference=1)
    yield forecaster("segment lstm, one set aside", of_others, broken, {**KNOWN, "on_bad": "naive"}, **many)
    yield forecaster("flatten lstm, native", looked_at(9), air, **flat, **native, scale="none", loss="mse", horizon=6)
    yield forecaster("flatten gru, reference", known, table, PAST, **flat, **reference, cell="gru", horizon=7)
    yield forecaster("flatten rnn", looked_at(8), trend, **flat, cell="rnn", lr=0.01, difference=2, loss="huber")
    yield forecaster("auto lstm", looked_at(12), air, seed=7)
    yield forecaster("auto gru, known", known, table, KNOWN, cell="gru", scale="robust", horizon=7)
    yield forecaster("fallback naive", looked_at(5), trend, **one, season=5, fallback="naive", max_steps=5)
    yield "sizes by default", gw.Forecaster(strategy="one-step"), (trend[:40],), {}, looked_at(5)
    yield forecaster("update", updated, air[:-24], **one, cell="gru", scale="minmax")
    yield forecaster("update, segment", updated, air[:-24], **many, horizon=14)
    yield forecaster("backtest", tested, air, **one, max_steps=20)
    yield forecaster("backtest, segment", tested, air, **many, cell="gru", max_steps=20)


def classifier(name: str, x: Any, y: Any, options: Any = None, **arguments: Any) -> Setting:
    """A small classifier, asked about the sequences that it was trained on."""
    options, small = options or {}, {"hidden_size": 8, "epochs": 8, "batch_size": 16, "lr": 0.02}

    def ask(model: Any) -> Answers:
        classes = np.searchsorted(np.unique(y), model.predict(x, **options))
        return {"predict_proba": model.predict_proba(x, **options), "predict": classes}

    return name, gw.Classifier(**{**small, **arguments}), (x, y), options, ask


def classifiers() -> Iterator[Setting]:
    """Cells, directions, poolings, lengths, weights of classes."""
    charts, lengths = gw.datasets.control_charts(each=10), 12 + 7 * np.arange(60) % 19
    x, y = waves(30, lengths)
    ragged = [one[:steps] for one, steps in zip(x, lengths, strict=True)]
    yield classifier("classes, lstm", charts.x, charts.y, patience=1, validation_fraction=0.3, dropout=0.2, epochs=50)
    gru: dict[str, Any] = {"bidirectional": True, "num_layers": 2, "dropout": 0.1, "class_weight": "balanced"}
    yield classifier("classes, gru both ways, mean", x, y, {"lengths": lengths}, **gru, cell="gru", pooling="mean")
    rnn: dict[str, Any] = {"cell": "rnn", "class_weight": {1: 1.0, 2: 2.0, 3: 0.5}, "scale": "none"}
    yield classifier("classes, rnn, max", ragged, y, **rnn, pooling="max", validation_fraction=0.0)
    yield classifier("classes, lstm both ways, reference", ragged, y, bidirectional=True, engine="reference", seed=3)
    yield classifier("classes, gru, native", x[..., 0], y, cell="gru", engine="native", pooling="max")


def digests(answers: Answers) -> Digests:
    """The SHA-256 of each column of numbers or dates."""
    found: Digests = {}
    for asked, answer in answers.items():
        table = getattr(answer, "forecasts", answer)  # those of a backtest
        for name, column in table.items() if isinstance(table, pd.DataFrame) else [("", table)]:
            values = np.ascontiguousarray(column)
            if values.dtype.kind in "iufM":
                found[f"{asked} {name}".strip()] = hashlib.sha256(values.tobytes()).hexdigest()
    return found


def conditions() -> dict[str, str]:
    """What the digests depend on beside the code."""
    native = loader.instructions() if loader.load() else "none"
    versions = {"torch": torch.__version__, "numpy": np.__version__, "processor": machine.processor()}
    return {**versions, "capability": torch.backends.cpu.get_cpu_capability(), "native": native}


def compared(expected: Digests, found: Digests) -> str:
    """Whether all columns are equal, in words."""
    columns = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
    return f"DIFFERS: {', '.join(columns)}" if columns else f"equal, {len(found)} columns"


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("command", choices=("write", "compare"))
    parser.add_argument("file", type=Path, help="JSON with the digests")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="where models are saved, or loaded from")
    given = parser.parse_args()
    torch.set_num_threads(1)
    before = None if given.command == "write" else json.loads(given.file.read_text())
    if before and before["conditions"] != conditions():
        raise SystemExit(f"not comparable: written under {before['conditions']}, here {conditions()}")
    found, same = dict[str, Digests](), True
    for name, model, data, options, ask in (*forecasters(), *classifiers()):
        began = time.perf_counter()
        model.fit(*data, **options)
        path = given.models and given.models / f"{name.replace(', ', '_').replace(' ', '-')}.safetensors"
        if path and not before:
            given.models.mkdir(parents=True, exist_ok=True)
            model.save(path)
        found[name] = digests(ask(model))
        said = [f"{len(found[name])} columns"]
        if before:
            asked = [found[name]] + [digests(ask(type(model).load(path)))] * bool(path)
            said = [compared(before["settings"].get(name, {}), one) for one in asked]
            same &= all(one.startswith("equal") for one in said)
        print(f"| {name} | {' | '.join(said)} | {time.perf_counter() - began:.1f} s |", flush=True)
    if not before:
        given.file.write_text(json.dumps({"conditions": conditions(), "settings": found}, indent=1) + "\n")
    elif not same or before["settings"].keys() - found.keys():
        raise SystemExit("not the same bits")


if __name__ == "__main__":
    main()
