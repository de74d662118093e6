from .checking import check_adjoint as check_adjoint
from .checking import check_gradient as check_gradient
from .checking import check_hessian as check_hessian
from .checking import check_jacobian as check_jacobian
from .checking import check_layers as check_layers
from .checking import check_prox as check_prox

__version__: str
