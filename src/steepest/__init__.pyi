from .checking import check_adjoint as check_adjoint
from .checking import check_gradient as check_gradient
from .checking import check_hessian as check_hessian
from .checking import check_jacobian as check_jacobian
from .checking import check_layers as check_layers
from .checking import check_prox as check_prox
from .operators.convolution2d import conv2d as conv2d
from .operators.convolution2d import conv2d_backward as conv2d_backward
from .operators.convolution2d import conv2d_input_gradient as conv2d_input_gradient
from .operators.convolution2d import conv2d_weight_gradient as conv2d_weight_gradient
from .operators.convolution2d import conv_transpose2d as conv_transpose2d
from .operators.pooling2d import avg_pool2d as avg_pool2d
from .operators.pooling2d import avg_pool2d_backward as avg_pool2d_backward
from .operators.pooling2d import avg_pool2d_forward as avg_pool2d_forward
from .operators.pooling2d import max_pool2d as max_pool2d
from .operators.pooling2d import max_pool2d_backward as max_pool2d_backward
from .operators.pooling2d import max_pool2d_forward as max_pool2d_forward
from .optimize import maximize as maximize
from .optimize import minimize as minimize
from .optimize import multi_start as multi_start
from .storage import load as load
from .storage import save as save

__version__: str
