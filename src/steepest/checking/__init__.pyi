from .gradient import check_gradient as check_gradient
from .report import BlockReport as BlockReport
from .report import Diagnosis as Diagnosis
from .report import GradientReport as GradientReport
from .report import Verdict as Verdict
