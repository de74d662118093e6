r"""Shapes of a two-dimensional convolution: what is allowed, and what comes out.

Notes
-----
Along one side, with input side H, kernel side k, stride s, dilation d and padding p on both ends, the kernel covers
``d (k - 1) + 1`` numbers, so it fits at ``floor((H + 2 p - d (k - 1) - 1) / s) + 1`` places.
"""

from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral
from typing import Any

from steepest.exceptions import InvalidInputError

Pair = tuple[int, int]
Stride = int | Pair
Padding = int | Pair | str


@dataclass(frozen=True)
class Geometry:
    """All numbers of a convolution that do not depend on the data.

    Attributes
    ----------
    batch, groups : int
        Images, and groups of channels that do not see each other.
    in_channels, out_channels : int
        Of all groups together.
    size, kernel, out_size : pair of int
        Rows and columns of the input, the kernel and the output.
    stride, dilation : pair of int
        Steps of the window, and steps between its elements.
    padding : pair of pairs of int
        Rows of zeros above and below, columns left and right.
    """

    batch: int
    groups: int
    in_channels: int
    out_channels: int
    size: Pair
    kernel: Pair
    out_size: Pair
    stride: Pair
    dilation: Pair
    padding: tuple[Pair, Pair]

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """Shape of x."""
        return (self.batch, self.in_channels, *self.size)

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """Shape of w."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel)

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """Shape of y."""
        return (self.batch, self.out_channels, *self.out_size)

    @property
    def products(self) -> int:
        """Products that the definition counts."""
        taps = self.kernel[0] * self.kernel[1] * self.in_channels // self.groups
        return self.batch * self.out_channels * self.out_size[0] * self.out_size[1] * taps

    @classmethod
    def of(
        cls,
        x_shape: tuple[int, ...],
        w_shape: tuple[int, ...],
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: Any = 1,
    ) -> "Geometry":
        """Check shapes and settings against each other."""
        _check_ranks(x_shape, w_shape)
        groups = _check_groups(x_shape, w_shape, groups)
        stride, dilation = pair("stride", stride, 1), pair("dilation", dilation, 1)
        kernel = (w_shape[2], w_shape[3])
        around = padding_pairs(padding, kernel, stride, dilation)
        size = (x_shape[2], x_shape[3])
        out = tuple(
            output_side(side, size[i], kernel[i], stride[i], around[i], dilation[i])
            for i, side in enumerate(("height", "width"))
        )
        return cls(x_shape[0], groups, x_shape[1], w_shape[0], size, kernel, (out[0], out[1]), stride, dilation, around)


@lru_cache(maxsize=512, typed=True)
def _remembered(*arguments: Any) -> Geometry:
    return Geometry.of(*arguments)


def geometry(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], stride: Any, padding: Any, dilation: Any, groups: Any
) -> Geometry:
    """Return `Geometry.of` the arguments; what was seen before is not checked again."""
    try:
        return _remembered(x_shape, w_shape, stride, padding, dilation, groups)
    except TypeError:  # a list cannot be looked up
        return Geometry.of(x_shape, w_shape, stride, padding, dilation, groups)


def pair(name: str, value: Any, minimum: int) -> Pair:
    """Return an int or a pair of ints as a pair; name it if it is neither, or below ``minimum``."""
    values = value if isinstance(value, tuple | list) else (value, value)
    whole = all(type(v) is int or (isinstance(v, Integral) and not isinstance(v, bool)) for v in values)
    if len(values) != 2 or not whole or min(values) < minimum:
        what = "a positive integer" if minimum == 1 else "an integer of at least 0"
        raise InvalidInputError(f"{name}={value!r}: must be {what}, or a pair of them (rows, columns)")
    return int(values[0]), int(values[1])


def padding_pairs(padding: Any, kernel: Pair, stride: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    """Return the zeros before and after each side; "same" puts the odd one after."""
    if not isinstance(padding, str):
        rows, columns = pair("padding", padding, 0)
        return (rows, rows), (columns, columns)
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding != "same":
        raise InvalidInputError(
            f"padding={padding!r}: must be an integer of at least 0, a pair of them, 'valid' or 'same'"
        )
    if stride != (1, 1):
        raise InvalidInputError(
            f"padding='same' with stride={stride}: the output can be as large as the input only with stride=1; "
            "give the padding as a number"
        )
    total = [dilation[i] * (kernel[i] - 1) for i in (0, 1)]
    return (total[0] // 2, total[0] - total[0] // 2), (total[1] // 2, total[1] - total[1] // 2)


def output_side(name: str, side: int, kernel: int, stride: int, around: Pair, dilation: int) -> int:
    """Return at how many places the kernel fits; say what would fit if at none."""
    covered = dilation * (kernel - 1) + 1
    padded = side + sum(around)
    if padded < covered:
        needed = -(-(covered - side) // 2)
        raise InvalidInputError(
            f"the kernel covers {covered} of the {name} (side {kernel}, dilation {dilation}), the input has {side} "
            f"+ {sum(around)} of padding: the output side would be below 1; padding={needed} or an input of at least "
            f"{covered - sum(around)} would fit"
        )
    return (padded - covered) // stride + 1


def _check_ranks(x_shape: tuple[int, ...], w_shape: tuple[int, ...]) -> None:
    if len(x_shape) != 4:
        hint = "; one image needs a leading axis: x[None]" if len(x_shape) == 3 else ""
        raise InvalidInputError(f"x has shape {x_shape}: must be (N, C_in, H, W){hint}")
    if len(w_shape) != 4:
        hint = "; one kernel needs two leading axes: w[None, None]" if len(w_shape) == 2 else ""
        raise InvalidInputError(f"w has shape {w_shape}: must be (C_out, C_in / groups, kH, kW){hint}")
    if 0 in x_shape[1:]:
        raise InvalidInputError(f"x has shape {x_shape}: only the batch may be empty")
    if 0 in w_shape:
        raise InvalidInputError(f"w has shape {w_shape}: must not be empty")


def _check_groups(x_shape: tuple[int, ...], w_shape: tuple[int, ...], groups: Any) -> int:
    if not isinstance(groups, Integral) or isinstance(groups, bool) or groups < 1:
        raise InvalidInputError(f"groups={groups!r}: must be a positive integer")
    channels, expected = x_shape[1], w_shape[1] * groups
    if channels != expected:
        fits = ""
        if channels % w_shape[1] == 0 and w_shape[0] % (channels // w_shape[1]) == 0:
            fits = f"; groups={channels // w_shape[1]} would fit"
        raise InvalidInputError(f"x has {channels} channels, w expects {expected} (groups={groups}){fits}")
    if w_shape[0] % groups:
        raise InvalidInputError(f"w has {w_shape[0]} output channels: must be a multiple of groups={groups}")
    return int(groups)
