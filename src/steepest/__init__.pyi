from .checking import check_adjoint as check_adjoint
from .checking import check_gradient as check_gradient
from .checking import check_hessian as check_hessian
from .checking import check_jacobian as check_jacobian
from .checking import check_layers as check_layers
from .checking import check_prox as check_prox
from .optimize import maximize as maximize
from .optimize import minimize as minimize
from .optimize import multi_start as multi_start

__version__: str
