from . import base_partner_merge, collection_pause
