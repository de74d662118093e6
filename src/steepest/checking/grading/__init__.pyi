from .grader import Grade as Grade
from .grader import Part as Part
from .grader import grade as grade
