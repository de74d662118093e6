"""The product of two matrices by three loops, and by NumPy, with the measured ratio.

Both compute c_ij = sum_k a_ik b_kj. The loops do it one multiplication at a time; NumPy hands the whole matrices to
BLAS, which works through them in blocks that fit the processor's caches.
"""

from time import perf_counter

import numpy as np
from gallery import output_folder

from steepest import plotting

SIZES = (8, 16, 32, 64, 128)


def three_loops(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return ``A B`` for A (n, m), B (m, k): row i of A against column j of B, entry by entry."""
    n, m, k = A.shape[0], A.shape[1], B.shape[1]
    a, b = A.tolist(), B.tolist()
    C = [[0.0] * k for _ in range(n)]
    for i in range(n):
        for j in range(k):
            total = 0.0
            for p in range(m):
                total += a[i][p] * b[p][j]
            C[i][j] = total
    return np.array(C)


def seconds(A: np.ndarray, B: np.ndarray, *, loops: bool) -> float:
    """Return the time of one product: the best of three, each of enough repetitions to be measured."""
    repeats = 1 if loops else 200
    times = []
    for _ in range(3):
        started = perf_counter()
        for _ in range(repeats):
            _ = three_loops(A, B) if loops else A @ B
        times.append((perf_counter() - started) / repeats)
    return min(times)


def main() -> None:
    """Time both on larger and larger matrices."""
    folder = output_folder(__doc__)
    rng = np.random.default_rng(0)
    times: dict[str, list[float]] = {"three loops": [], "NumPy": []}
    print("    n   three loops         NumPy   ratio")
    for n in SIZES:
        A, B = rng.standard_normal((n, n)), rng.standard_normal((n, n))
        assert np.allclose(three_loops(A, B), A @ B, rtol=1e-12, atol=1e-12)
        slow, fast = seconds(A, B, loops=True), seconds(A, B, loops=False)
        times["three loops"].append(slow * 1e3)
        times["NumPy"].append(fast * 1e3)
        print(f"{n:5d} {slow * 1e3:10.3f} ms {fast * 1e3:10.4f} ms {slow / fast:7.0f}")

    figure, (ax,) = plotting.panels(1)
    for (name, measured), marker, colour in zip(times.items(), "os", plotting.COLOURS, strict=False):
        ax.loglog(SIZES, measured, marker=marker, color=colour, label=name)
    ax.set_xticks(SIZES, [str(n) for n in SIZES])
    ax.minorticks_off()
    plotting.tidy(ax, x="rows and columns of both matrices", y="milliseconds for one product")
    ax.legend(frameon=False)
    figure.savefig(folder / "matrix_product.png")


if __name__ == "__main__":
    main()
