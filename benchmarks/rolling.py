"""Forecasts from rolling origins with default settings: can a person act on them?

    python -m benchmarks.rolling [--only NAME ...] [--data FOLDER] [--origins N] [--seeds 0 1 2] [--refit]
        [--methods all|gatewise|references] [--json FILE] [--src PATH] [--verdicts [N]]

At each origin the forecaster gets the values before it, and the future covariates. For small sets it is trained anew
at every origin; for the others it is trained at the first one and updated at the later ones, unless --refit. A seed is
that of the generated series and of the networks. Files of `benchmarks.accuracy` are used without the end that it tests
on.

The table has the errors of the median (MASE and MSIS in units of the in-sample seasonal naive error; CRPS from the
median and both intervals), the coverage of the 80 and 95 % intervals, the mean width of the former (in the same units),
the largest ratio of their widths at two origins, their coverage at the first, the last and the worst step, the coverage
of the 80 % intervals of the sums over the horizon, over the series, and over both, and the seconds of all origins.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import gatewise
from benchmarks import references, rolling_sets, verdicts
from benchmarks.report import lines, significant
from benchmarks.rolling_scores import LEVELS, Forecasts, mean, naive_scale, sum_hits, summary
from benchmarks.rolling_sets import Rolling
from gatewise import Forecaster
from gatewise.series import DataError

NAMES = (*rolling_sets.GENERATED, *rolling_sets.FILES)
PATHS = 200
HEAD = ["data, method", "MAE", "MASE", "CRPS", "MSIS-95", "coverage 80, 95 %", "width", "ratio"]
HEAD += ["first, last, worst step", "sums: horizon, series, all", "s", "CPU s"]
Scores = dict[str, dict[str, float]]  # by "set: method" or "set, part: method"


class Gatewise:
    """The forecaster as a user calls it: its first call trains, later ones train again or update.

    Arguments:
        seed: of the networks and the sample paths.
        refit: whether every call trains.
    """

    def __init__(self, seed: int, refit: bool) -> None:
        self.seed, self.refit = seed, refit
        self.model: Forecaster | None = None

    def __call__(self, rolling: Rolling, past: pd.DataFrame, future: pd.DataFrame, at: int) -> Forecasts:
        columns: dict[str, Any] = {"fill": rolling.fill} if rolling.fill else {}
        if self.model is None or self.refit:
            self.model = self._fitted(past, columns, rolling)
        else:
            self.model.update(past, **columns)
        covariates = future if rolling.known else None
        table = self.model.predict(rolling.horizon, level=LEVELS, future=covariates)
        name = self.model.name
        bounds = {
            level: (rolling.aligned(table, f"{name}-lo-{level}", at), rolling.aligned(table, f"{name}-hi-{level}", at))
            for level in LEVELS
        }
        paths = self.model.sample(rolling.horizon, PATHS, seed=self.seed, future=covariates)
        samples = np.stack([rolling.aligned(each, name, at) for _, each in paths.groupby("path")])
        truth = rolling.wide.to_numpy().T[:, at : at + rolling.horizon]
        return Forecasts(rolling.aligned(table, name, at), bounds, sum_hits(samples, truth))

    def _fitted(self, past: pd.DataFrame, columns: dict[str, Any], rolling: Rolling) -> Forecaster:
        columns = columns | ({"known": list(rolling.known)} if rolling.known else {})
        season = rolling.season if isinstance(rolling.freq, int) else None  # whole numbers have no usual one
        try:
            return Forecaster(seed=self.seed, season=season).fit(past, **columns)
        except DataError as error:
            print(f"on_bad='naive', because {error}", file=sys.stderr, flush=True)
            return Forecaster(seed=self.seed, season=season).fit(past, **columns, on_bad="naive")


def forecasts(rolling: Rolling, method: references.Method) -> Iterator[Forecasts]:
    """The forecasts of a method from all origins, with their seconds."""
    for at, (past, future) in zip(rolling.positions(), rolling.windows(), strict=True):
        start, cpu = time.perf_counter(), _cpu_seconds()
        result = method(rolling, past, future, at)
        yield result._replace(seconds=time.perf_counter() - start, cpu=_cpu_seconds() - cpu)


def run(name: str, rolling: Rolling, methods: dict[str, references.Method]) -> Scores:
    """The scores of methods on a set and on its parts."""
    wide = rolling.wide.ffill().to_numpy().T
    scale = np.stack([naive_scale(wide[:, :at], rolling.season) for at in rolling.positions()])
    truth, scores = rolling.truth(), {}
    for method, forecast in methods.items():
        results = list(forecasts(rolling, forecast))
        scores[f"{name}: {method}"] = summary(truth, results, scale)
        for part, values in rolling.parts.items():
            scores[f"{name}, {part}: {method}"] = summary(truth, results, scale, rolling.chosen(values))
        print(f"{name}, {method}: {sum(each.seconds for each in results):.3g} s", file=sys.stderr, flush=True)
    return scores


def averaged(runs: list[Scores]) -> Scores:
    """The mean of each score over the runs of several seeds; seconds are means, too."""
    return {
        key: {name: float(mean(np.array([scores[key].get(name, np.nan) for scores in runs]))) for name in runs[0][key]}
        for key in runs[0]
    }


def row(key: str, scores: dict[str, float]) -> list[str]:
    """A row of the table."""

    def number(name: str) -> str:
        value = scores.get(name, np.nan)
        return "" if np.isnan(value) else significant(value)

    def percentages(*names: str) -> str:
        values = [scores.get(name, np.nan) for name in names]
        return "" if np.isnan(values).all() else ", ".join("-" if np.isnan(v) else f"{100 * v:.0f}" for v in values)

    return [
        key,
        *map(number, ("MAE", "MASE", "CRPS", "MSIS-95")),
        percentages("coverage-80", "coverage-95"),
        *map(number, ("width-80", "width-ratio")),
        percentages("coverage-first", "coverage-last", "coverage-worst"),
        percentages("sum-horizon", "sum-series", "sum-all"),
        *map(number, ("seconds", "CPU")),
    ]


def _cpu_seconds() -> float:
    """Of this process, and of its ended child processes."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(names: list[str], arguments: argparse.Namespace, save: Callable[[str, Any], None]) -> None:
    """Print the table; `save` gets the scores of each set as soon as they exist."""
    print(lines(HEAD, []))
    for name in names:
        refit, runs = arguments.refit or name in rolling_sets.REFITTED, []
        try:
            for seed in arguments.seeds:
                rolling = rolling_sets.make(name, seed, arguments.origins, arguments.data)
                others = dict(references.methods(rolling))
                own: dict[str, references.Method] = {"Gatewise": Gatewise(seed, refit)}
                methods = {"all": own | others, "gatewise": own, "references": others}[arguments.methods]
                runs.append(run(name, rolling, methods))
        except FileNotFoundError as error:
            print(f"{name} skipped, missing: {error.filename or error}", file=sys.stderr, flush=True)
            continue
        settings = {"origins": rolling.origins, "horizon": rolling.horizon, "series": len(rolling.names)}
        save(name, {**settings, "refit": refit, "seeds": dict(zip(map(str, arguments.seeds), runs, strict=True))})
        rows = [row(key, scores) for key, scores in averaged(runs).items()]
        print("\n".join(lines(HEAD, rows).splitlines()[2:]), flush=True)


def use_source(src: Path) -> None:
    """Start this program again with the library in another source tree, unless it comes from there."""
    source = Path(gatewise.__file__).resolve()
    if src.resolve() in source.parents:
        return
    paths = list(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    if paths[:1] == [str(src.resolve())]:
        raise SystemExit(f"the library comes from {source}, expected from {src}")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(src.resolve()), *paths])}
    os.execve(sys.executable, [sys.executable, "-m", "benchmarks.rolling", *sys.argv[1:]], environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--data", type=Path, help="folder with the files of benchmarks.accuracy")
    parser.add_argument("--origins", type=int, help="number of origins (1 to 6, by set)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the series and the networks (0)")
    parser.add_argument("--refit", action="store_true", help="train at every origin, for all sets")
    parser.add_argument("--json", type=Path, help="file for all scores")
    parser.add_argument("--src", type=Path, help="folder src of another checkout")
    parser.add_argument("--methods", choices=("all", "gatewise", "references"), default="all", help="to run (all)")
    parser.add_argument(
        "--verdicts", type=int, nargs="?", const=20, metavar="N", help="judge the verdicts instead (20)"
    )
    arguments = parser.parse_args()
    if arguments.origins is not None and arguments.origins < 1:
        parser.error(f"--origins is {arguments.origins}, expected at least 1")
    if arguments.src is not None:
        use_source(arguments.src)
    results: dict[str, Any] = {"source": str(Path(gatewise.__file__).parent)}

    def save(name: str, result: Any) -> None:
        results[name] = result
        if arguments.json is not None:
            arguments.json.write_text(json.dumps(results, indent=1) + "\n")

    if arguments.verdicts:
        print(verdicts.table(verdicts.measure(arguments.verdicts, arguments.seeds, save)))
        return
    names = arguments.only or [name for name in NAMES if arguments.data is not None or name in rolling_sets.GENERATED]
    measure(names, arguments, save)


if __name__ == "__main__":
    main()
