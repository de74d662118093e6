from .linear_regression import LinearRegression as LinearRegression
