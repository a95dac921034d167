"""`gatewise info`: versions, engines and optional packages."""

import argparse
import platform
from importlib.util import find_spec

from gatewise.cli.files import OutputFiles

OPTIONAL_PACKAGES = {
    "matplotlib": "figures",
    "polars": "polars tables",
    "pyarrow": "Parquet files",
    "statsforecast": "further baselines of a backtest (--against)",
    "optuna": "hyperparameter search with gatewise.forecast.tuning.objective",
    "sklearn": "gatewise.sklearn",
    "sktime": "gatewise.sktime",
}


def run(arguments: argparse.Namespace, files: OutputFiles) -> None:
    """Print versions, hardware, engines and optional packages."""
    import torch

    from gatewise import __version__
    from gatewise.engines import ENGINES
    from gatewise.series.wording import counted

    print(f"gatewise {__version__}, torch {torch.__version__}, Python {platform.python_version()}")
    cuda = "CUDA available" if torch.cuda.is_available() else "no CUDA"
    threads = counted(torch.get_num_threads(), "thread")
    print(f"processor: {threads}, {torch.backends.cpu.get_cpu_capability()}; {cuda}")
    print("engines, fastest first:")
    for engine in ENGINES.values():
        print(f"  {engine.name:<10} {engine.summary}")
    print(f"native library: {_native_library(threads)}")
    print("optional packages:")
    for package, use in OPTIONAL_PACKAGES.items():
        print(f"  {package:<10} {'installed' if find_spec(package) else 'not installed'} ({use})")


def _native_library(threads: str) -> str:
    """Instruction set and threads of the native engine, or the reason for its absence."""
    from gatewise.engines.native import loader

    reason = loader.reason()
    if reason is not None:
        return f"none, {reason}"
    return f"{loader.instructions()}, {'1 thread in a forked child' if loader.forked() else threads}"
