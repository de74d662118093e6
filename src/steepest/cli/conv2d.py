"""Slide a kernel over an image, and see how the output comes about."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steepest.cli.outputs import (
    ANIMATIONS,
    PICTURES,
    check_apart,
    json_option,
    output_option,
    print_json,
    save_animation,
    save_picture,
    say_written,
    written_to,
)
from steepest.exceptions import InvalidInputError

if TYPE_CHECKING:
    from steepest.cli.terminal import Terminal

HELP = """Slide a kernel over an image, and see how the output comes about.

IMAGE is a file (PNG; JPEG and others where Pillow is installed), or one of the samples china, flower and digit.
A colour image is convolved channel by channel.

\b
Examples:
  steepest conv2d digit --kernel sobel --padding 1 --plot window.png
  steepest conv2d china --kernel blur --stride 4 --result small.png
  steepest conv2d digit --kernel my_kernel.csv --plot sliding.gif
"""
SHOWN_SIDE = 12


@click.command(help=HELP, short_help=__doc__.rstrip("."))
@click.argument("image")
@click.option("--kernel", default="sobel", show_default=True, metavar="NAME|FILE", help="A name, or a file of numbers.")
@click.option("--stride", type=int, default=1, show_default=True, help="Pixels from one window to the next.")
@click.option("--padding", default="0", show_default=True, help="Pixels of zeros around, or same, or valid.")
@click.option("--place", metavar="ROW,COLUMN", help="Output whose window --plot shows.")
@output_option("--result", "Write the output as an image", ".png")
@output_option("--plot", "Draw the window at work, or animate it sliding", *PICTURES, *ANIMATIONS)
@json_option
def command(
    image: str,
    kernel: str,
    stride: int,
    padding: str,
    place: str | None,
    result: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Read, convolve, report."""
    if place is not None and plot is None:
        raise InvalidInputError(f"--place {place}: says what --plot shows; name a file with --plot")
    check_apart(image, {"--result": result, "--plot": plot})
    shown = None if place is None else _place(place)
    from steepest.signal import named_kernel

    pixels, weights = _read(image), named_kernel(kernel)
    around: Any = int(padding) if padding.removeprefix("-").isdecimal() else padding
    output = _convolve(pixels, weights, stride, around)
    about = {"image": image, "kernel": kernel, "stride": stride, "padding": around}
    if as_json:
        print_json(about | {"shape": pixels.shape, "weights": weights, "output": output})
    else:
        _show(about, pixels, weights, output)
    if result is not None:
        from steepest import plotting

        keeps_brightness = abs(weights.sum() - 1) < 1e-9
        with written_to(result):
            plotting.write_image(result, output, (0.0, 1.0) if keeps_brightness else None)
    if plot is not None:
        _draw(plot, pixels, weights, stride, around, shown)
    say_written(result, plot, as_json=as_json)


def _read(image: str) -> Any:
    """Return a file's image or a sample; a file counts first."""
    from steepest.signal import sample_image
    from steepest.signal.kernels import SAMPLES

    if image in SAMPLES and not Path(image).exists():
        return sample_image(image)
    if not Path(image).is_file():
        raise InvalidInputError(f"{image}: no such file, nor one of the samples {', '.join(SAMPLES)}")
    from steepest import plotting

    return plotting.read_image(image)


def _convolve(pixels: Any, weights: Any, stride: int, padding: Any) -> Any:
    """Return the output (H', W') or (H', W', 3): every channel by itself."""
    import numpy as np

    from steepest import conv2d

    channels = np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels[None]
    output = conv2d(channels[:, None], weights[None, None], stride=stride, padding=padding)[:, 0]
    return np.moveaxis(output, 0, -1) if pixels.ndim == 3 else output[0]


def _show(about: dict[str, Any], pixels: Any, weights: Any, output: Any) -> None:
    """Print shapes, the kernel and what came out."""
    from steepest.cli.terminal import facts, terminal

    console = terminal()
    channels = f" in {pixels.shape[2]} channels" if pixels.ndim == 3 else ""
    size = f"{pixels.shape[0]} x {pixels.shape[1]}{channels}"
    height, width = weights.shape
    way = f"stride {about['stride']}, padding {about['padding']}"
    kernel = f"{about['kernel']}: {height} x {width}, {way}"
    console.print(facts([("image", f"{about['image']}: {size}, {_range(pixels)}"), ("kernel", kernel)]))
    _print_rows(weights, console)
    console.print(facts([("output", f"{output.shape[0]} x {output.shape[1]}, {_range(output)}")]))
    if output.ndim == 2:
        _print_rows(output, console)


def _range(values: Any) -> str:
    return f"from {values.min():.4g} to {values.max():.4g}"


def _print_rows(table: Any, console: "Terminal") -> None:
    """Print an array row by row, where it is small and the terminal wide enough."""
    indent, cell = 8, 9
    if len(table) <= SHOWN_SIDE and table.shape[1] <= min(SHOWN_SIDE, (console.width - indent) // cell):
        for row in table:
            console.print(" " * indent + "".join(f"{value:{cell}.4g}" for value in row))


def _draw(path: Path, pixels: Any, weights: Any, stride: int, padding: Any, place: tuple[int, int] | None) -> None:
    """Write the picture or the animation; of colours, their mean."""
    from steepest import plotting

    grey = pixels.mean(axis=2) if pixels.ndim == 3 else pixels
    window = plotting.SlidingWindow(grey, weights, stride=stride, padding=padding)
    if path.suffix.lower() in ANIMATIONS:
        save_animation(window.animate(), path)
    else:
        save_picture(window.draw(place), path)


def _place(text: str) -> tuple[int, int]:
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise InvalidInputError(f"--place {text}: must be ROW,COLUMN, two integers of at least 0")
    return int(parts[0]), int(parts[1])
