from .catalogue import exhibit as exhibit
from .catalogue import exhibits as exhibits
from .exhibit import Case as Case
from .exhibit import Exhibit as Exhibit
from .exhibit import Figure as Figure
