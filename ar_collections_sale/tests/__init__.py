from . import test_exposure
from . import test_gate
from . import test_invoice
from . import test_portal
