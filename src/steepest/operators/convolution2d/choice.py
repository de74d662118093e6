"""Which algorithm runs for which shape: one readable rule."""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from math import log2
from typing import Any, Literal

from steepest.exceptions import InvalidInputError
from steepest.operators.convolution2d.geometry import Geometry
from steepest.validation import check_choice

Algorithm = Literal["auto", "direct", "pointwise", "depthwise", "winograd", "fft", "reference"]
Pass = Literal["forward", "input_gradient", "weight_gradient"]
ALGORITHMS = ("auto", "direct", "pointwise", "depthwise", "winograd", "fft", "reference")

FEWEST_CHANNELS = 16  # on both sides: with fewer, transforms of tiles take longer than the products they save
FEWEST_SEEN = 3  # channels that lead to so many or more: few are transformed, and products are saved for many
MANY_SEEN = 32  # channels that lead to a register tile of others: their products are what takes the time
SOME_SEEN = 6  # in a weight gradient; fewer pay with rows of FULL_ROW outputs, for MANY_SEEN channels or more
TILE_SIDES = {(3, 1): 4, (5, 1): 2, (3, 2): 4}  # outputs along a tile, of kernels of this side and stride
TILE_ROWS = 8  # channels in a register tile: fewer on either side leave it unfilled
FEWEST_TILES = 24  # with fewer, the transform of the weights does
LARGEST_WASTE = 1.6  # of places in tiles over places in the output
SLIGHT_WASTE = 1.2  # with a stride, and in a weight gradient of few channels, fewer products are saved
FULL_ROW = 32  # outputs, whose tiles fill vectors; with longer rows, few channels gain nothing in double precision
STRIDED_PAIRS = 1 << 14  # of channels: with a stride there are four times the weights
LARGEST_PLANE = 40_000  # numbers of a channel that stay in cache, as going plane by plane needs
DIRECT_SPEED = 12  # operations of the direct algorithm in the time of one of a transform


def choose(g: Geometry, which: Pass) -> str:
    """Return the algorithm that is fastest for a pass of a shape.

    Kernels of 3 x 3 and 5 x 5 with stride 1, and of 3 x 3 with stride 2, go through Winograd's transforms if there are
    channels and places enough to pay for them; kernels of 1 x 1 with stride 1 are matrix products; channels each with a
    kernel of its own go plane by plane; large kernels on few channels through spectra; everything else is direct.
    """
    if _suits_winograd(g, which):
        return "winograd"
    plain = g.stride == (1, 1) and g.padding == ((0, 0), (0, 0))
    if g.kernel == (1, 1) and plain and min(g.in_channels, g.out_channels) >= TILE_ROWS * g.groups:
        return "pointwise"
    if (
        g.in_channels == g.out_channels == g.groups > 1
        and g.stride == (1, 1)
        and g.size[0] * g.size[1] <= LARGEST_PLANE
    ):
        return "depthwise"
    if DIRECT_SPEED * spectral_operations(g) < 2 * g.products:
        return "fft"
    return "direct"


def _suits_winograd(g: Geometry, which: Pass) -> bool:
    square, stride = g.kernel[0] == g.kernel[1] and g.stride[0] == g.stride[1], g.stride[0]
    side = TILE_SIDES.get((g.kernel[0], stride)) if square and g.dilation == (1, 1) and g.groups == 1 else None
    if side is None or (stride > 1 and (which == "weight_gradient" or g.in_channels * g.out_channels > STRIDED_PAIRS)):
        return False
    seen, made = (g.out_channels, g.in_channels) if which == "input_gradient" else (g.in_channels, g.out_channels)
    tiles = -(-g.out_size[0] // side) * -(-g.out_size[1] // side)
    waste = side**2 * tiles / (g.out_size[0] * g.out_size[1])
    return g.batch * tiles >= FEWEST_TILES and _enough_channels(seen, made, waste, g, which)


def _enough_channels(seen: int, made: int, waste: float, g: Geometry, which: Pass) -> bool:
    """Return whether transforms of so many channels seen pay, for so many that are made, with so much waste."""
    few = min(seen, made) < FEWEST_CHANNELS
    if g.stride != (1, 1):
        return not few and waste <= SLIGHT_WASTE
    if which == "weight_gradient" and few:
        full = g.out_size[1] == FULL_ROW and seen >= FEWEST_SEEN and made >= MANY_SEEN
        return (full or (seen >= SOME_SEEN and made >= FEWEST_CHANNELS)) and waste <= SLIGHT_WASTE
    fewest = TILE_ROWS if seen >= MANY_SEEN else FEWEST_CHANNELS
    return seen >= FEWEST_SEEN and made >= fewest and waste <= LARGEST_WASTE


def spectral_operations(g: Geometry) -> float:
    """Return about how many operations convolution by spectra takes: transforms, and products of complex numbers."""
    area = (g.size[0] + sum(g.padding[0])) * (g.size[1] + sum(g.padding[1]))
    pairs = g.out_channels * g.in_channels // g.groups
    transforms = g.batch * (g.in_channels + g.out_channels) + pairs
    return transforms * 2.5 * area * log2(area + 1) + 4.0 * g.batch * pairs * area


@lru_cache(maxsize=512)
def algorithm_of(which: Pass, algorithm: str, g: Geometry) -> Callable[..., Any]:
    """Return one pass of the algorithm asked for, or of the fastest, if it takes the shape."""
    if algorithm == "auto":
        algorithm = choose(g, which)
    module = import_module(f"steepest.operators.convolution2d.{algorithm}")
    fits: Callable[[Geometry], str] | None = getattr(module, "refusal", None)
    if fits is not None and (reason := fits(g)):
        raise InvalidInputError(f"algorithm={algorithm!r}: {reason}; algorithm='direct' takes every shape")
    found: Callable[..., Any] = getattr(module, which)
    return found


def run(which: Pass, algorithm: str, g: Geometry, first: Any, *more: Any) -> Any:
    """Run one pass with the algorithm asked for, or with the fastest."""
    check_choice("algorithm", algorithm, ALGORITHMS)
    return algorithm_of(which, algorithm, g)(first, *more, g)
