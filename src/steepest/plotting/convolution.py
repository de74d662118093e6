"""Pictures of convolution: a filter found between two signals, and a window that slides over an image."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread, imsave
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from steepest.exceptions import FileFormatError, InvalidInputError
from steepest.operators.convolution2d import conv2d
from steepest.operators.convolution2d.geometry import Geometry, Pair, Stride
from steepest.plotting.style import BLUE, GREY, INK, VERMILION, panels, tidy
from steepest.typing import Array, ArrayLike

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation

MOST_NUMBERS = 49  # of a window that are written out
MOST_MARKERS = 60
MOST_FRAMES = 120
OUTPUT_RANGE = (1, 99)  # percentiles that are black and white, lest a few extremes turn the rest grey


def deconvolution(x: ArrayLike, y: ArrayLike, found: Any) -> Figure:
    """Draw what was sent and what came out, the fit with its residual, and the filter with its standard errors.

    Parameters
    ----------
    x, y : array (d,), array (n,)
        The signals.
    found : steepest.signal.Deconvolution
        What `steepest.signal.deconvolve` returned for them.

    Examples
    --------
    >>> from steepest.signal import deconvolve
    >>> x, y = [1.0, 2.0, 3.0], [1.0, 1.0, 1.0, -3.0]
    >>> [ax.get_title() for ax in deconvolution(x, y, deconvolve(x, y, 2)).axes]
    ['signals', 'fit', 'filter of length 2, bias 0']
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or y.ndim != 1:
        raise InvalidInputError(f"x has shape {x.shape}, y {y.shape}: one signal each can be drawn")
    figure, (signals, fit, taps) = panels(3, width=4.6)
    _line(signals, x, BLUE, "input x")
    _line(signals, y, VERMILION, "output y")
    _line(fit, y, VERMILION, "output y")
    fit.plot(found.fitted, color=INK, linewidth=1.2, label="w * x + b")
    fit.fill_between(np.arange(len(y)), found.residual, color=GREY, alpha=0.5, label="residual")
    errors = np.where(np.isfinite(found.filter_standard_errors), found.filter_standard_errors, 0.0)
    places = np.arange(1, len(found.filter) + 1)
    if len(places) <= MOST_MARKERS:
        taps.bar(places, found.filter, color=BLUE, width=0.7, yerr=errors, ecolor=INK, capsize=3)
    else:
        taps.plot(places, found.filter, color=BLUE, linewidth=1)
        taps.fill_between(places, found.filter - errors, found.filter + errors, color=BLUE, alpha=0.3)
    taps.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    taps.set_xlim(0.4, len(places) + 0.6)
    taps.axhline(0, color=GREY, linewidth=0.8)
    for ax, across, up in ((signals, "sample", "value"), (fit, "sample", "value"), (taps, "tap i", "$w_i$")):
        tidy(ax, x=across, y=up)
    for ax in (signals, fit):
        ax.legend(fontsize=8, framealpha=0.9, edgecolor="none")
    titles = ("signals", "fit", f"filter of length {len(found.filter)}, bias {round(found.bias, 12) + 0.0:.4g}")
    for ax, title in zip((signals, fit, taps), titles, strict=True):
        ax.set_title(title, fontsize=10, color=INK)
    return figure


def _line(ax: Axes, values: Array, colour: str, label: str) -> None:
    ax.plot(values, color=colour, linewidth=1.4, marker="o" if len(values) <= MOST_MARKERS else "", ms=4, label=label)


class SlidingWindow:
    """A kernel at work on one channel of an image, place by place.

    Parameters
    ----------
    image : array (H, W)
        Grey values.
    kernel : array (kH, kW)
        The kernel.
    stride, padding : int or pair
        As in `steepest.conv2d`.

    Attributes
    ----------
    output : array (H', W')
        The whole result.

    Examples
    --------
    >>> window = SlidingWindow(np.arange(9.0).reshape(3, 3), np.ones((2, 2)))
    >>> window.products((0, 1))
    array([[1., 2.],
           [4., 5.]])
    >>> len(window.draw((0, 1)).axes)
    4
    """

    def __init__(self, image: ArrayLike, kernel: ArrayLike, *, stride: Stride = 1, padding: Stride = 0) -> None:
        self.image, self.kernel = np.asarray(image, dtype=np.float64), np.asarray(kernel, dtype=np.float64)
        if self.image.ndim != 2 or self.kernel.ndim != 2:
            raise InvalidInputError(
                f"image has shape {self.image.shape}, kernel {self.kernel.shape}: must be (H, W) and (kH, kW)"
            )
        x, w = self.image[None, None], self.kernel[None, None]
        self.geometry = Geometry.of(x.shape, w.shape, stride, padding)
        self.output = conv2d(x, w, stride=stride, padding=padding)[0, 0]
        self.padded = np.pad(self.image, self.geometry.padding)

    def corner(self, place: Pair) -> Pair:
        """Return the row and the column of the padded image at which the window of an output begins."""
        return place[0] * self.geometry.stride[0], place[1] * self.geometry.stride[1]

    def products(self, place: Pair) -> Array:
        """Return the window times the kernel, number by number, for the output at ``place``."""
        (row, column), (height, width) = self.corner(place), self.kernel.shape
        return np.asarray(self.padded[row : row + height, column : column + width] * self.kernel)

    def draw(self, place: Pair | None = None, figure: Figure | None = None) -> Figure:
        """Draw the window at ``place`` (two thirds of the way if not given), the products, and the output so far."""
        rows, columns = self.output.shape
        place = (2 * rows // 3, 2 * columns // 3) if place is None else place
        if not (0 <= place[0] < rows and 0 <= place[1] < columns):
            raise InvalidInputError(f"place={place}: must lie within the output of {rows} x {columns}")
        figure = Figure(figsize=(10.0, 8.4), dpi=110, layout="constrained") if figure is None else figure
        image, near, products, output = figure.subplots(2, 2).ravel()
        self._draw_image(image, place)
        self._draw_window(near, place)
        self._draw_products(products, place)
        self._draw_output(output, place)
        for ax in (image, near, products, output):
            ax.set_xticks([])
            ax.set_yticks([])
        return figure

    def animate(self, interval: int = 120) -> "FuncAnimation":
        """Return the window sliding over all places, or evenly many of them, as an animation."""
        from matplotlib.animation import FuncAnimation

        rows, columns = self.output.shape
        chosen = np.unique(np.linspace(0, rows * columns - 1, min(MOST_FRAMES, rows * columns)).round().astype(int))
        figure = Figure(figsize=(8.0, 6.7), dpi=80, layout="constrained")

        def frame(number: int) -> list[Any]:
            figure.clear()
            self.draw((int(chosen[number]) // columns, int(chosen[number]) % columns), figure)
            return list(figure.axes)

        return FuncAnimation(figure, frame, frames=len(chosen), interval=interval, repeat_delay=2000)

    def _draw_image(self, ax: Axes, place: Pair) -> None:
        (row, column), (height, width) = self.corner(place), self.kernel.shape
        ax.imshow(self.padded, cmap="gray", interpolation="nearest")
        frame = Rectangle((column - 0.5, row - 0.5), width, height, fill=False, edgecolor=VERMILION, linewidth=1.8)
        ax.add_patch(frame)
        if max(self.padded.shape) > 12 * max(height, width):  # the window is a speck: point at it
            ax.plot(column + width / 2 - 0.5, row + height / 2 - 0.5, "o", ms=14, mfc="none", mec=VERMILION, mew=1.2)
        padding = self.geometry.padding[0][0], self.geometry.padding[1][0]
        title = f"image {self.image.shape[0]} x {self.image.shape[1]}"
        ax.set_title(title + (f", padding {padding[0]}, {padding[1]}" if any(padding) else ""), fontsize=10, color=INK)

    def _draw_window(self, ax: Axes, place: Pair) -> None:
        (row, column), (height, width) = self.corner(place), self.kernel.shape
        window = self.padded[row : row + height, column : column + width]
        ax.imshow(window, cmap="gray", vmin=self.padded.min(), vmax=self.padded.max(), interpolation="nearest")
        words = [f"{v:.3g}\n\u00d7 {k:.3g}" for v, k in zip(window.ravel(), self.kernel.ravel(), strict=True)]
        _write(ax, np.array(words).reshape(window.shape))
        ax.set_title(f"window at row {row}, column {column}, and kernel", fontsize=10, color=INK)

    def _draw_products(self, ax: Axes, place: Pair) -> None:
        products = self.products(place)
        reach = max(float(np.abs(products).max()), 1e-300)
        ax.imshow(products, cmap="PuOr", vmin=-reach, vmax=reach, interpolation="nearest")
        _write(ax, np.array([[f"{value + 0.0:.3g}" for value in row] for row in products]))
        ax.set_title(f"products; their sum is {self.output[place]:.4g}", fontsize=10, color=INK)

    def _draw_output(self, ax: Axes, place: Pair) -> None:
        rows, columns = self.output.shape
        low, high = np.percentile(self.output, OUTPUT_RANGE)
        done = np.arange(rows * columns).reshape(rows, columns) <= place[0] * columns + place[1]
        ax.set_facecolor("#F3E9D8")
        ax.imshow(
            np.ma.masked_where(~done, self.output),
            cmap="gray",
            vmin=low,
            vmax=max(high, low + 1e-12),
            interpolation="nearest",
        )
        ax.add_patch(Rectangle((place[1] - 0.5, place[0] - 0.5), 1, 1, fill=False, edgecolor=VERMILION, linewidth=1.8))
        stride = self.geometry.stride
        title = f"output {rows} x {columns}" + (f", stride {stride[0]}, {stride[1]}" if stride != (1, 1) else "")
        ax.set_title(f"{title}, filled up to ({place[0]}, {place[1]})", fontsize=10, color=INK)


def _write(ax: Axes, words: Any) -> None:
    """Write a word into every cell, if there is room, in ink that shows on any grey."""
    if words.size > MOST_NUMBERS:
        return
    size = 11 if words.size <= 9 else 7
    for (row, column), word in np.ndenumerate(words):
        box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
        ax.text(column, row, str(word), ha="center", va="center", fontsize=size, color=INK, bbox=box)


def read_image(path: str | Path) -> Array:
    """Return an image file as an array (H, W) or (H, W, 3) with values from 0 to 1; transparency is left out.

    Examples
    --------
    >>> read_image("nowhere.png")
    Traceback (most recent call last):
        ...
    steepest.exceptions.InvalidInputError: nowhere.png: no such file
    """
    if not Path(path).is_file():
        raise InvalidInputError(f"{path}: no such file")
    try:
        image = np.asarray(imread(str(path)))
    except (OSError, SyntaxError, ValueError) as error:  # what the readers of damaged files raise
        raise FileFormatError(f"{path}: not an image that can be read ({type(error).__name__})") from None
    image = image / 255.0 if image.dtype == np.uint8 else np.asarray(image, dtype=np.float64)
    if image.ndim not in (2, 3):
        raise FileFormatError(f"{path}: has shape {image.shape}, not that of one image")
    return image[..., :3] if image.ndim == 3 and image.shape[-1] >= 3 else image.reshape(image.shape[:2])


def write_image(path: str | Path, image: ArrayLike, limits: tuple[float, float] | None = None) -> None:
    """Write an array (H, W) or (H, W, 3) as an image; ``limits`` are black and white, by default its extremes.

    Examples
    --------
    >>> import tempfile
    >>> write_image(f"{tempfile.mkdtemp()}/ramp.png", [[0.0, 1.0], [2.0, 3.0]])
    """
    array = np.asarray(image, dtype=np.float64)
    low, high = (float(array.min()), float(array.max())) if limits is None else limits
    shown = np.clip((array - low) / ((high - low) or 1.0), 0.0, 1.0)
    imsave(str(path), shown, cmap="gray", vmin=0.0, vmax=1.0)
