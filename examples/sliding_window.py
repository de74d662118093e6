"""A window that slides over an image: the products, the output that fills up, and what some kernels show.

Run it from the project's folder::

    python examples/sliding_window.py --output figures
"""

from time import perf_counter

import numpy as np
from gallery import output_folder

from steepest import conv2d, plotting
from steepest.reference import conv2d_loops
from steepest.signal import named_kernel, sample_image

KERNELS = ("blur", "sharpen", "sobel", "edges")


def main() -> None:
    """Show one window, then a photograph through four kernels, then what the loops cost."""
    figures = output_folder(__doc__)
    window = plotting.SlidingWindow(sample_image("digit"), named_kernel("sobel"), padding=1)
    place = (4, 2)
    print(f"window at {window.corner(place)}, products:\n{window.products(place) + 0.0}")
    print(f"their sum is {window.products(place).sum():.4f}, and the output there {window.output[place]:.4f}")
    window.draw(place).savefig(figures / "sliding_window.png")

    photograph = sample_image("china").mean(axis=2)
    figure, axes = plotting.panels(len(KERNELS), width=4.0, height=3.0)
    for ax, name in zip(axes, KERNELS, strict=True):
        output = conv2d(photograph[None, None], named_kernel(name)[None, None], padding="same")[0, 0]
        low, high = np.percentile(output, (1, 99))
        ax.imshow(output, cmap="gray", vmin=low, vmax=high)
        ax.set(title=name, xticks=[], yticks=[])
    figure.savefig(figures / "sliding_window_kernels.png")

    x, w = np.random.default_rng(0).standard_normal((2, 3, 24, 24)), np.ones((8, 3, 3, 3))
    conv2d(x, w)  # compile
    times = []
    for form in (conv2d_loops, conv2d):
        start = perf_counter()
        form(x, w)
        times.append(perf_counter() - start)
    print(f"loops {1e3 * times[0]:.0f} ms, conv2d {1e3 * times[1]:.2f} ms, the same result")
    print(f"figures are in {figures}")


if __name__ == "__main__":
    main()
