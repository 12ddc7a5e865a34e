from odoo import api, models


class ArLedgerFollower(models.AbstractModel):
    """Records that follow the ledger: whoever reads them sees what it has become.

    Nothing reads a table without coming through here: a search and a statement flush it first, a
    field that is not in the cache is fetched. What is written or made is not in the cache either
    while customers wait to be followed, so that a value there is never an old one.
    """

    _name = "ar.ledger.follower"
    _description = "Record That Follows the Ledger"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base
        self.env["ar.ledger.touch"]._settle_touched()
        return super().create(vals_list)

    def write(self, vals):
        # EXTENDS base
        self.env["ar.ledger.touch"]._settle_touched()
        return super().write(vals)

    @api.private
    def flush_model(self, fnames=None):
        # EXTENDS base
        self.env["ar.ledger.touch"]._settle_touched()
        return super().flush_model(fnames)

    @api.private
    def flush_recordset(self, fnames=None):
        # EXTENDS base
        self.env["ar.ledger.touch"]._settle_touched()
        return super().flush_recordset(fnames)

    def _fetch_field(self, field):
        # EXTENDS base: whoever reads a field holds its cache, and what is deleted while customers
        # are followed, here or in the search for the records, replaces the caches
        cache = field._get_cache(self.env)
        result = super()._fetch_field(field)
        fresh = field._get_cache(self.env)
        if cache is not fresh:
            cache.update({id_: fresh[id_] for id_ in self._ids if id_ in fresh})
        return result

    def _fetch_query(self, query, fields):
        # EXTENDS base
        self.env["ar.ledger.touch"]._settle_touched()
        return super()._fetch_query(query, fields)
