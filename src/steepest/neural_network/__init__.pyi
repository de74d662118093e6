from .explanation import Explanation as Explanation
from .mlp_classifier import MLPClassifier as MLPClassifier
from .mlp_regressor import MLPRegressor as MLPRegressor
from .network import Network as Network
from .range_test import RangeTest as RangeTest
from .range_test import learning_rate_range_test as learning_rate_range_test
from .training import train as train
