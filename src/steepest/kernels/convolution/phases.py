"""The four phases of an image: the numbers at even and at odd rows and columns, which a stride of 2 keeps apart."""

from steepest.kernels.convolution.tiles import interleave_rows
from steepest.kernels.relay import Turn, shared
from steepest.typing import Array, IntArray

PHASES = 4


@shared
def merge_phases(phases: Array, where: IntArray, x: Array, turn: Turn) -> None:
    """``x[n, c, 2 i + e, 2 j + f] = phases[n, where[e, f] C + c, i, j]`` for a turn of planes of x."""
    C, (height, width), (rows, pitch) = x.shape[1], x.shape[2:], phases.shape[2:]
    source, out, size, pairs = phases.reshape(phases.size), x.reshape(x.size), rows * pitch, width // 2
    for plane in range(turn.start, turn.stop):
        n, c = plane // C, plane % C
        for e in range(2):
            even, odd = ((n * PHASES + where[e, 0]) * C + c) * size, ((n * PHASES + where[e, 1]) * C + c) * size
            to, count = (plane * height + e) * width, (height - e + 1) // 2
            interleave_rows(count, pairs, source, even, odd, pitch, out, to, 2 * width, height * width)
            if width % 2:
                for i in range(count):
                    out[to + 2 * i * width + width - 1] = source[even + i * pitch + pairs]
