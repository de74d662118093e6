from .coefficient_paths import coefficient_path as coefficient_path
from .confusion import confusion_matrix as confusion_matrix
from .contours import contour as contour
from .lines import regression_lines as regression_lines
from .loss_curves import loss_curve as loss_curve
from .predictions import predicted_against_actual as predicted_against_actual
from .style import panels as panels
