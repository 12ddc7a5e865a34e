from . import payment_provider
from . import sale_order
