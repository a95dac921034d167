"""Titles and legends of figures, for tests."""

from matplotlib.figure import Figure


def title(ax):
    return ax.get_title(loc="left")


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def picture(drawn):
    """Render the figure: some errors occur only then."""
    (drawn if isinstance(drawn, Figure) else drawn.figure).draw_without_rendering()
    return drawn
