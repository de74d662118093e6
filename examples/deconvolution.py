"""The filter between two signals: both worked examples, by closed form and by gradient descent.

Run it from the project's folder::

    python examples/deconvolution.py --output figures
"""

import numpy as np
from gallery import output_folder

from steepest import plotting
from steepest.signal import convolve, deconvolve, recover

X = np.arange(1.0, 10.0)
EXAMPLES = {
    "differences": ([1, 1, 1, 1, 1, 1, 1, 1, 1, -9], 2),
    "echo": ([1, 5, 2, 3, 4, 5, 6, 7, 8, 9, 5.5], 3),
}


def main() -> None:
    """Estimate, compare, draw."""
    figures = output_folder(__doc__)
    for name, (y, length) in EXAMPLES.items():
        exact = deconvolve(X, y, length)
        descended = deconvolve(X, y, length, solver="gradient-descent", learning_rate=0.001)
        print(f"{name}: {len(X)} samples in, {len(y)} out, filter of length {length}")
        print(f"  closed form        w = {exact.filter.round(8) + 0.0}, b = {round(exact.bias, 8) + 0.0:.8f}")
        print(f"  gradient descent   w = {descended.filter.round(8)}, b = {descended.bias:.8f}")
        print(f"  {descended.result.message}, after {descended.result.n_iter} iterations")
        print(f"  {exact.certificate}")
        plotting.deconvolution(X, np.array(y, dtype=float), exact).savefig(figures / f"deconvolution_{name}.png")

    rng = np.random.default_rng(0)
    sent, blur = np.repeat(rng.integers(0, 2, 12), 8).astype(float), np.ones(9) / 9
    received = convolve(sent, blur) + 0.02 * rng.standard_normal(len(sent) + 8)
    print("the other direction: a signal through a blur, recovered")
    for ratio in (1e-8, 0.02**2 / sent.var()):
        error = np.sqrt(np.mean((recover(received, blur, noise_to_signal=ratio).filter - sent) ** 2))
        print(f"  noise over signal {ratio:.1e}: error {error:.4f}")
    print(f"figures are in {figures}")


if __name__ == "__main__":
    main()
