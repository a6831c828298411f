"""What all figures share."""

from matplotlib.figure import Figure

from pdeflow.report.plot.style import COLOURS, MARKERS, clean


def test_every_colour_and_marker_occurs_once():
    assert len(set(COLOURS)) == len(COLOURS) == len(set(MARKERS)) == len(MARKERS)


def test_clean_axes_have_no_frame_above_and_to_the_right():
    axes = Figure().add_subplot()
    clean(axes)
    assert [side for side, spine in axes.spines.items() if spine.get_visible()] == ["left", "bottom"]
