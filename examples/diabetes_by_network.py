"""Predict the progression of diabetes by a network and by a linear model, and learn when a network is worth it.

442 patients, 10 features. The learning rate comes from a range test, the number of passes from held-out patients.
"""

import numpy as np
from gallery import output_folder
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from steepest import plotting
from steepest.layers import Dense, Tanh
from steepest.linear_model import Ridge
from steepest.neural_network import Network, learning_rate_range_test


def score(y: np.ndarray, predicted: np.ndarray) -> float:
    """Return the share of the variance that is explained, R^2."""
    return 1.0 - float(np.sum((y - predicted) ** 2) / np.sum((y - y.mean()) ** 2))


def main() -> None:
    """Find the rate, train, compare, draw."""
    folder = output_folder(__doc__)
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
    mean, spread, middle, scale = X.mean(axis=0), X.std(axis=0), y.mean(), y.std()
    X, X_test = (X - mean) / spread, (X_test - mean) / spread
    target = (y - middle) / scale

    network = Network([Dense(16), Tanh(), Dense(1)], 10, random_state=0)
    test = learning_rate_range_test(network, X, target, random_state=0)
    print(f"range test: learn at about {test.suggestion:.2g}")
    result = network.fit(
        X, target, learning_rate=test.suggestion, l2=0.01, validation=0.2, patience=30, max_iter=500, random_state=0
    )
    print(f"network 10-16-1: {result.message}")
    linear = Ridge(alpha=1.0).fit(X, y)
    predicted = middle + scale * network.predict(X_test)
    print(f"R^2 on {len(y_test)} held-out patients: network {score(y_test, predicted):.3f}", end="")
    print(f", ridge {score(y_test, linear.predict(X_test)):.3f}")

    figure, (first, second, third) = plotting.panels(3)
    plotting.learning_rate_range(test, ax=first)
    plotting.loss_curve(result.trace, ax=second, what="validation_loss")
    plotting.predicted_against_actual(y_test, predicted, ax=third, rows="held out", unit="progression")
    figure.savefig(folder / "diabetes_by_network.png")


if __name__ == "__main__":
    main()
