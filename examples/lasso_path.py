"""Which measurements matter for diabetes? The lasso's answer at every strength of its penalty.

The penalty ``alpha`` falls from the value at which all coefficients are zero. Features come in one after the other; a
cross-validation says how far to go.
"""

from pathlib import Path

import numpy as np
from gallery import output_folder

from steepest import plotting
from steepest.linear_model import LassoCV, lasso_path
from steepest.tables import prepare, read_table

DATA = Path(__file__).parent / "data" / "diabetes.csv"


def main() -> None:
    """Fit the path, print who comes in when, draw."""
    folder = output_folder(__doc__)
    dataset = prepare(read_table(DATA), "progression")
    X = (dataset.X - dataset.X.mean(axis=0)) / dataset.X.std(axis=0)
    y = dataset.y - dataset.y.mean()

    alphas, coefficients, _ = lasso_path(X, y)
    chosen = LassoCV(cv=5).fit(X, y).alpha_

    entered = [next((alpha for alpha, w in zip(alphas, path, strict=True) if w), 0.0) for path in coefficients]
    print("feature   comes in at alpha   coefficient at the chosen alpha")
    at_chosen = coefficients[:, np.argmin(np.abs(np.log(alphas / chosen)))]
    for j in np.argsort(entered)[::-1]:
        print(f"{dataset.features[j]:8s}  {entered[j]:17.4f}   {at_chosen[j]:31.4f}")
    print(f"\nchosen by cross-validation: alpha = {chosen:.4f}")

    figure, (ax,) = plotting.panels(1, width=7.0)
    plotting.coefficient_path(alphas, coefficients, ax=ax, features=dataset.features, chosen=float(chosen))
    figure.savefig(folder / "lasso_path.png")


if __name__ == "__main__":
    main()
