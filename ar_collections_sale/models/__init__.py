from . import account_move
from . import credit_file
from . import credit_refresh
from . import ledger_index
from . import ledger_touch
from . import payment_transaction
from . import sale_order
from . import sale_order_line
