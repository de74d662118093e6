from .grade import Grade as Grade
from .grade import Part as Part
from .grade import grade as grade
