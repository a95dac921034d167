"""Titles and legends of figures, for tests."""

from matplotlib.figure import Figure


def title(ax):
    return ax.get_title(loc="left")


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def render(artist):
    """Lay out a figure, or the figure of Axes: some errors occur only then."""
    (artist if isinstance(artist, Figure) else artist.figure).draw_without_rendering()
    return artist
