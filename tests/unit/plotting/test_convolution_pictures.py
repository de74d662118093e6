"""The pictures of convolution: what is in them."""

import numpy as np
import pytest

from steepest import plotting
from steepest.exceptions import InvalidInputError
from steepest.signal import deconvolve


def test_the_deconvolution_shows_signals_fit_and_filter() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(20), rng.standard_normal(22)
    found = deconvolve(x, y, 3)
    signals, fit, taps = plotting.deconvolution(x, y, found).axes
    np.testing.assert_array_equal(signals.lines[0].get_ydata(), x)
    np.testing.assert_array_equal(fit.lines[1].get_ydata(), found.fitted)
    assert [bar.get_height() for bar in taps.patches] == pytest.approx(found.filter.tolist())


def test_a_long_filter_is_a_line() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(300), rng.standard_normal(399)
    taps = plotting.deconvolution(x, y, deconvolve(x, y, 100)).axes[2]
    assert len(taps.lines[0].get_ydata()) == 100


def test_several_signals_are_not_drawn() -> None:
    with pytest.raises(InvalidInputError, match="one signal each can be drawn"):
        plotting.deconvolution(np.ones((2, 3)), np.ones((2, 4)), None)


def test_the_window_shows_products_that_add_up_to_the_output() -> None:
    rng = np.random.default_rng(1)
    window = plotting.SlidingWindow(rng.standard_normal((9, 8)), rng.standard_normal((3, 2)), stride=(2, 3), padding=1)
    for place in np.ndindex(window.output.shape):
        assert window.products(place).sum() == pytest.approx(window.output[place], abs=1e-13)


def test_the_output_is_drawn_as_far_as_the_window_has_come() -> None:
    window = plotting.SlidingWindow(np.arange(30.0).reshape(5, 6), np.ones((2, 2)))
    shown = window.draw((1, 2)).axes[3].images[0].get_array()
    assert int((~np.ma.getmaskarray(shown)).sum()) == 1 * 5 + 3


def test_places_outside_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"place=\(4, 0\): must lie within the output of 4 x 5"):
        plotting.SlidingWindow(np.ones((5, 6)), np.ones((2, 2))).draw((4, 0))
    with pytest.raises(InvalidInputError, match=r"image has shape \(5,\)"):
        plotting.SlidingWindow(np.ones(5), np.ones((2, 2)))


def test_images_survive_writing_and_reading(tmp_path) -> None:
    image = np.linspace(0, 1, 12).reshape(3, 4)
    plotting.write_image(tmp_path / "grey.png", image)
    np.testing.assert_allclose(plotting.read_image(tmp_path / "grey.png")[..., 0], image, atol=1 / 255)


def test_the_taps_of_a_short_filter_are_counted():
    x = np.array([1.0, -2.0, 3.0, 0.5])
    taps = plotting.deconvolution(x, 2 * x, deconvolve(x, 2 * x, 1)).axes[2]
    low, high = taps.get_xlim()
    assert [tick for tick in taps.get_xticks() if low <= tick <= high] == [1.0]
