"""Slide a kernel over an image, and see how the output comes about."""

from pathlib import Path
from typing import Any

import click

from steepest.exceptions import InvalidInputError

HELP = """Slide a kernel over an image, and see how the output comes about.

IMAGE is a file (PNG; JPEG and others where Pillow is installed), or one of the samples china, flower and digit.
A colour image is convolved channel by channel.

\b
Examples:
  steepest conv2d digit --kernel sobel --padding 1 --plot window.png
  steepest conv2d china --kernel blur --stride 4 --result small.png
  steepest conv2d digit --kernel my_kernel.csv --plot sliding.gif
"""
PICTURES = (".png", ".svg", ".pdf", ".gif", ".html")
SHOWN_SIDE = 12


@click.command(help=HELP, short_help=__doc__.rstrip("."))
@click.argument("image")
@click.option("--kernel", default="sobel", show_default=True, metavar="NAME|FILE", help="A name, or a file of numbers.")
@click.option("--stride", type=int, default=1, show_default=True, help="Pixels from one window to the next.")
@click.option("--padding", default="0", show_default=True, help="Pixels of zeros around, or same, or valid.")
@click.option("--place", metavar="ROW,COLUMN", help="Output whose window --plot shows.")
@click.option("--result", type=click.Path(path_type=Path, dir_okay=False), help="Write the output as an image (.png).")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the window at work (.png, .svg, .pdf), or sliding (.gif, .html).",
)
def command(
    image: str, kernel: str, stride: int, padding: str, place: str | None, result: Path | None, plot: Path | None
) -> None:
    """Read, convolve, report."""
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise InvalidInputError(f"--plot {plot}: the name must end in {', '.join(PICTURES)}")
    if result is not None and result.suffix.lower() != ".png":
        raise InvalidInputError(f"--result {result}: the name must end in .png")
    from steepest.signal import named_kernel

    pixels, weights = _read(image), named_kernel(kernel)
    around: Any = int(padding) if padding.lstrip("-").isdigit() else padding
    output = _convolve(pixels, weights, stride, around)
    _report(image, kernel, pixels, weights, output, stride, padding)
    if result is not None:
        from steepest import plotting

        keeps_brightness = abs(weights.sum() - 1) < 1e-9
        plotting.write_image(result, output, (0.0, 1.0) if keeps_brightness else None)
        click.echo(f"Wrote {result}")
    if plot is not None:
        _draw(plot, pixels, weights, stride, around, place)
        click.echo(f"Wrote {plot}")


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


def _report(image: str, name: str, pixels: Any, weights: Any, output: Any, stride: int, padding: str) -> None:
    """Print shapes, the kernel and what came out."""
    channels = f" in {pixels.shape[2]} channels" if pixels.ndim == 3 else ""
    size = f"{pixels.shape[0]} x {pixels.shape[1]}{channels}"
    click.echo(f"image   {image}: {size}, from {pixels.min():.4g} to {pixels.max():.4g}")
    click.echo(f"kernel  {name}: {weights.shape[0]} x {weights.shape[1]}, stride {stride}, padding {padding}")
    click.echo(_rows(weights, "        "))
    click.echo(f"output  {output.shape[0]} x {output.shape[1]}, from {output.min():.4g} to {output.max():.4g}")
    if output.ndim == 2 and max(output.shape) <= SHOWN_SIDE:
        click.echo(_rows(output, "        "))


def _rows(table: Any, indent: str) -> str:
    return "\n".join(indent + " ".join(f"{value:8.4g}" for value in row) for row in table)


def _draw(path: Path, pixels: Any, weights: Any, stride: int, padding: Any, place: str | None) -> None:
    """Write the picture or the animation; of colours, their mean."""
    from steepest import plotting

    grey = pixels.mean(axis=2) if pixels.ndim == 3 else pixels
    window = plotting.SlidingWindow(grey, weights, stride=stride, padding=padding)
    if path.suffix.lower() in (".gif", ".html"):
        animation = window.animate()
        if path.suffix.lower() == ".gif":
            animation.save(path, writer="pillow")
        else:
            path.write_text(animation.to_jshtml(), encoding="utf-8")
        return
    window.draw(None if place is None else _place(place)).savefig(path)


def _place(text: str) -> tuple[int, int]:
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise InvalidInputError(f"--place {text}: must be ROW,COLUMN, two integers of at least 0")
    return int(parts[0]), int(parts[1])
