from .catalogue import exhibits as exhibits
from .catalogue import find_exhibit as find_exhibit
from .exhibit import Case as Case
from .exhibit import Exhibit as Exhibit
from .exhibit import Figure as Figure
