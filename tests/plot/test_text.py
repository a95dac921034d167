"""Text in figures."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from gatewise import plot
from gatewise.plot.text import percent, shortened_in_middle


@pytest.mark.parametrize(
    ("fraction", "digits", "text"),
    [
        (1, 0, "100 %"),
        (0.9999, 0, ">99 %"),
        (0.99996, 1, ">99.9 %"),
        (0.001, 0, "<1 %"),
        (0, 1, "0.0 %"),
        (0.614, 0, "61 %"),
    ],
)
def test_percentages_are_0_or_100_only_if_exact(fraction, digits, text):
    assert percent(fraction, digits) == text


def test_long_names_are_shortened_in_the_middle():
    assert shortened_in_middle("walking upstairs", 16) == "walking upstairs"
    assert shortened_in_middle("walking upstairs", 9) == "walk…airs"


@pytest.mark.parametrize("name", ["$x_{$", "$x_1$ and $x_2$", "5 $"])
def test_dollar_signs_in_class_names_are_not_formulas(tmp_path, name):
    gates = {"forget": np.full((3, 2), 0.5)}
    figures = (
        plot.confusion([[1, 1], [1, 1]], [name, "b"]),
        plot.classified(np.ones((2, 3)), [name, "b"], [0.5, 0.5], truth=[name, name]),
        plot.reading([1.0, 2.0, 4.0], gates, None, [[0.5, 0.5]] * 3, [name, "b"]),
    )
    for figure in figures:
        text = plot.save(figure, tmp_path / "a.svg").read_text()
        assert f"<!-- {name}" in text or f"<!-- true {name}" in text


@pytest.mark.parametrize("name", ["sales in $", "$x_{$", "a $b$ c"])
def test_dollar_signs_in_names_are_drawn_unchanged(name, tmp_path):
    ds = pd.date_range("2024-01-01", periods=30)
    axes = [
        plot.series(ds, np.arange(30.0), name=name),
        plot.forecast(ds, np.arange(30.0), ds[-1:] + pd.Timedelta("1D"), [30.0], name=name),
    ]
    figures = [*(ax.figure for ax in axes), plot.gates({"forget": np.ones((3, 2))}, title=name)]
    figures.append(plot.residuals(ds, np.sin(np.arange(30.0)), name=name))
    for figure in figures:
        figure.canvas.draw()  # an invalid formula raises here
        texts = [text.get_text() for text in figure.findobj(matplotlib.text.Text)]
        assert not any(matplotlib.cbook.is_math_text(text) for text in texts)
        assert any(name in text.replace(r"\$", "$") for text in texts)
