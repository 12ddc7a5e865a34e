from . import base_partner_merge, collection_pause, credit_hold, credit_rescore
