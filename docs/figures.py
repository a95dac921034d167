"""The two figures of README.md: `python docs/figures.py [FOLDER]` writes forecast.png and gates.png in about a minute.

The forecast covers the last 24 months; its network is trained without them, and the figure also shows their actual
values. The gates are those of a classifier that reads a sequence outside its training set.
"""

import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image

import gatewise as gw

IMAGES = Path(__file__).parent / "images"
HORIZON, LAST = 24, 72  # months
LEVELS = (80, 95)
COLOURS = 256


def draw_forecast() -> Any:
    """AirPassengers: a forecast of the last 24 months with intervals, beside the actual values."""
    table = gw.datasets.air_passengers()
    past, actual = table[:-HORIZON], table[-HORIZON:]
    model = gw.Forecaster(cell="lstm").fit(past)
    forecast = model.predict(HORIZON, level=LEVELS)
    bands = {level: (forecast[f"LSTM-lo-{level}"], forecast[f"LSTM-hi-{level}"]) for level in LEVELS}
    axes = gw.plot.forecast(
        past["ds"],
        past["y"],
        forecast["ds"],
        forecast["LSTM"],
        bands,
        last=LAST,
        actual=actual["y"],
        model=model.delivered,
        name="passengers (thousands)",
        title="AirPassengers: forecast of the last 24 months from the months before",
    )
    return axes.figure


def draw_gates() -> Any:
    """A control chart with a downward shift: the gates of an LSTM and the class probabilities after each step."""
    train, test = gw.datasets.control_charts(each=100), gw.datasets.control_charts(each=4, seed=1)
    model = gw.Classifier(cell="lstm", hidden_size=12, validation_fraction=0.1).fit(train.x, train.y)
    return model.plot("gates", test.x[test.y == "downward shift"][:1])


def write(figure: Any, path: Path, dpi: int) -> None:
    """Write a PNG of 256 colours, which keeps the repository small."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=dpi)
    Image.open(buffer).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


def main(folder: Path = IMAGES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write(draw_forecast(), folder / "forecast.png", dpi=90)
    write(draw_gates(), folder / "gates.png", dpi=80)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
