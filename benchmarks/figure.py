"""The figure: ratios to torch.nn shape by shape, and how cost grows with T, B and H."""

from pathlib import Path
from typing import Any

from benchmarks.report import NAMES, TITLES, Result
from benchmarks.shapes import CENTRE, LAYER_MODES, SWEEPS, Shape

COLOURS = {"lstm": "tab:blue", "gru": "tab:orange", "rnn": "tab:green"}
MARKERS = {"lstm": "o", "gru": "s", "rnn": "^"}
CONTESTANTS = {"torch.nn": "tab:red", "Gatewise": "tab:blue", "ONNX Runtime": "tab:gray", "JAX": "tab:purple"}
STYLES = {"train": "-", "infer": "--"}
GROWN = "lstm"
FINE_TICKS = (0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 6, 8, 10)
COARSE_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
ROW_INCHES, GROWTH_INCHES = 0.17, 5.0


def draw(results: list[Result], path: Path) -> None:
    """Write the figure, if anything was timed."""
    # Not on top: what needs no figure needs no matplotlib.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    timed = [one for one in results if one.times]
    if not timed:
        return
    modes = [mode for mode in (*LAYER_MODES, "step") if any(one.task.mode == mode for one in timed)]
    shapes = sorted({one.task.shape for one in timed}, key=work)
    grown = [letter for letter in SWEEPS if len(growth(timed, letter, "Gatewise", "train")[0]) > 1]
    heights = [max(3.0, ROW_INCHES * len(shapes))] + [GROWTH_INCHES] * bool(grown)
    figure = Figure(figsize=(16, sum(heights) + 1.5), layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    draw_ratios(parts[0], timed, modes, shapes)
    if grown:
        draw_growth(parts[1], timed, grown)
    figure.savefig(path, dpi=100)


def work(shape: Shape) -> int:
    return shape.T * shape.B * shape.H * (shape.I + shape.H)


def draw_ratios(part: Any, results: list[Result], modes: list[str], shapes: list[Shape]) -> None:
    """A panel for each mode, a line for each shape, a mark for each cell."""
    part.suptitle("How many times as fast as torch.nn Gatewise is, by shape; more work further up")
    panels = part.subplots(1, len(modes), sharey=True, squeeze=False)[0]
    for panel, mode in zip(panels, modes, strict=True):
        for cell in dict.fromkeys(one.task.cell for one in results):
            some = [one for one in results if (one.task.mode, one.task.cell) == (mode, cell)]
            rows, ratios = [shapes.index(one.task.shape) for one in some], [one.to_torch for one in some]
            panel.plot(ratios, rows, MARKERS[cell], color=COLOURS[cell], markersize=5, label=NAMES[cell])
        panel.axvline(1, color="black", linewidth=1)
        show_ratios(panel, [one.to_torch for one in results if one.task.mode == mode])
        panel.set_xlabel("time of torch.nn / time of Gatewise")
        panel.set_title(TITLES[mode], fontsize=10)
        panel.grid(alpha=0.3)
    panels[0].set_yticks(range(len(shapes)), [str(shape) for shape in shapes], fontsize=7)
    panels[0].set_ylabel("T×B×I×H")
    panels[0].set_ylim(-0.7, len(shapes) - 0.3)
    panels[0].legend(loc="best")


def show_ratios(panel: Any, ratios: list[float]) -> None:
    """A logarithmic axis with the ratios and 1 well inside, and ticks that are round numbers."""
    panel.set_xscale("log")
    panel.set_xlim(min(0.7, *ratios) / 1.1, max(2.2, *ratios) * 1.1)
    low, high = panel.get_xlim()
    few = high / low < 12
    ticks = [one for one in (FINE_TICKS if few else COARSE_TICKS) if low <= one <= high]
    panel.set_xticks(ticks, [f"{one:g}×" for one in ticks])
    panel.set_xticks([], minor=True)


def growth(results: list[Result], letter: str, contestant: str, mode: str) -> tuple[list[int], list[float]]:
    """Sizes and milliseconds of one contestant along one sweep."""
    found = {one.task.shape: one for one in results if (one.task.cell, one.task.mode) == (GROWN, mode)}
    points = [(shape, found[shape].times.get(contestant)) for shape in SWEEPS[letter] if shape in found]
    kept = [(getattr(shape, letter), 1e3 * timing.seconds) for shape, timing in points if timing]
    return [size for size, _ in kept], [time for _, time in kept]


def draw_growth(part: Any, results: list[Result], letters: list[str]) -> None:
    """A panel for each of T, B, H: milliseconds of everybody, training and inference."""
    part.suptitle(f"Cost of an {NAMES[GROWN]} as one size grows, the others as in T×B×I×H = {CENTRE}")
    words = {"T": "T, time steps", "B": "B, sequences in the batch", "H": "H, hidden size"}
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
        panel.set_xlabel(words[letter])
        panel.grid(alpha=0.3, which="both")
    panels[0].set_ylabel("milliseconds a call")
    panels[0].legend(fontsize=8)
