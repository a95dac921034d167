"""The figure: speed-up over torch.nn by shape, and growth of the cost with T, B and H."""

from pathlib import Path
from typing import Any

from benchmarks.report import NAMES, TITLES, Result
from benchmarks.shapes import CENTRE, LAYER_MODES, SWEEPS, Shape

COLOURS = {"lstm": "tab:blue", "gru": "tab:orange", "rnn": "tab:green"}
MARKERS = {"lstm": "o", "gru": "s", "rnn": "^"}
CONTESTANTS = {"torch.nn": "tab:red", "Gatewise": "tab:blue", "ONNX Runtime": "tab:gray", "JAX": "tab:purple"}
STYLES = {"train": "-", "infer": "--"}
GROWTH_CELL = "lstm"
FINE_TICKS = (0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 6, 8, 10)
COARSE_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
ROW_INCHES, GROWTH_INCHES = 0.17, 5.0


def draw(results: list[Result], path: Path) -> None:
    """Write the figure, if there are times."""
    # Imported here: matplotlib is optional.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    timed = [result for result in results if result.times]
    if not timed:
        return
    modes = [mode for mode in (*LAYER_MODES, "step") if any(result.task.mode == mode for result in timed)]
    shapes = sorted({result.task.shape for result in timed}, key=work)
    sweeps = [letter for letter in SWEEPS if len(growth(timed, letter, "Gatewise", "train")[0]) > 1]
    heights = [max(3.0, ROW_INCHES * len(shapes))] + [GROWTH_INCHES] * bool(sweeps)
    figure = Figure(figsize=(16, sum(heights) + 1.5), layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    draw_ratios(parts[0], timed, modes, shapes)
    if sweeps:
        draw_growth(parts[1], timed, sweeps)
    figure.savefig(path, dpi=100)


def work(shape: Shape) -> int:
    return shape.T * shape.B * shape.H * (shape.I + shape.H)


def draw_ratios(part: Any, results: list[Result], modes: list[str], shapes: list[Shape]) -> None:
    """A panel for each mode, a row for each shape, a marker for each cell."""
    part.suptitle("Speed-up of Gatewise over torch.nn by shape; shapes with more work further up")
    panels = part.subplots(1, len(modes), sharey=True, squeeze=False)[0]
    for panel, mode in zip(panels, modes, strict=True):
        for cell in dict.fromkeys(result.task.cell for result in results):
            selected = [result for result in results if (result.task.mode, result.task.cell) == (mode, cell)]
            rows, ratios = (
                [shapes.index(result.task.shape) for result in selected],
                [result.to_torch for result in selected],
            )
            panel.plot(ratios, rows, MARKERS[cell], color=COLOURS[cell], markersize=5, label=NAMES[cell])
        panel.axvline(1, color="black", linewidth=1)
        scale_ratios(panel, [result.to_torch for result in results if result.task.mode == mode])
        panel.set_xlabel("time of torch.nn / time of Gatewise")
        panel.set_title(TITLES[mode], fontsize=10)
        panel.grid(alpha=0.3)
    panels[0].set_yticks(range(len(shapes)), [str(shape) for shape in shapes], fontsize=7)
    panels[0].set_ylabel("T×B×I×H")
    panels[0].set_ylim(-0.7, len(shapes) - 0.3)
    panels[0].legend(loc="best")


def scale_ratios(panel: Any, ratios: list[float]) -> None:
    """Set a logarithmic axis around the ratios and 1, with round ticks."""
    panel.set_xscale("log")
    panel.set_xlim(min(0.7, *ratios) / 1.1, max(2.2, *ratios) * 1.1)
    low, high = panel.get_xlim()
    few = high / low < 12
    ticks = [tick for tick in (FINE_TICKS if few else COARSE_TICKS) if low <= tick <= high]
    panel.set_xticks(ticks, [f"{tick:g}×" for tick in ticks])
    panel.set_xticks([], minor=True)


def growth(results: list[Result], letter: str, contestant: str, mode: str) -> tuple[list[int], list[float]]:
    """Sizes and milliseconds of one contestant along one sweep."""
    by_shape = {
        result.task.shape: result for result in results if (result.task.cell, result.task.mode) == (GROWTH_CELL, mode)
    }
    points = [(shape, by_shape[shape].times.get(contestant)) for shape in SWEEPS[letter] if shape in by_shape]
    measured = [(getattr(shape, letter), 1e3 * timing.seconds) for shape, timing in points if timing]
    return [size for size, _ in measured], [time for _, time in measured]


def draw_growth(part: Any, results: list[Result], letters: list[str]) -> None:
    """A panel for each of T, B, H: milliseconds of each contestant, training and inference."""
    part.suptitle(f"Cost of an {NAMES[GROWTH_CELL]} as one size grows; the other sizes are those of T×B×I×H = {CENTRE}")
    labels = {"T": "T, time steps", "B": "B, sequences in the batch", "H": "H, hidden size"}
    panels = part.subplots(1, len(letters), sharey=True, squeeze=False)[0]
    for panel, letter in zip(panels, letters, strict=True):
        for name, colour in CONTESTANTS.items():
            for mode, style in STYLES.items():
                sizes, times = growth(results, letter, name, mode)
                if sizes:
                    panel.plot(sizes, times, style, marker=".", color=colour, label=f"{name}, {TITLES[mode]}")
        panel.set_xscale("log", base=2)
        panel.xaxis.set_major_formatter("{x:g}")
        panel.set_yscale("log")
        panel.set_xlabel(labels[letter])
        panel.grid(alpha=0.3, which="both")
    panels[0].set_ylabel("milliseconds per call")
    panels[0].legend(fontsize=8)
