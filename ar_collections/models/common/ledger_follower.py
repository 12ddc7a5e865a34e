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

    def _fetch_query(self, query, fields):
        # EXTENDS base
        touch = self.env["ar.ledger.touch"]
        if not touch._is_pending():
            return super()._fetch_query(query, fields)
        former = [(field, field._get_cache(self.env)) for field in fields]
        touch._settle_touched()
        fetched = super()._fetch_query(query, fields)
        # What is deleted meanwhile replaces the caches, and whoever reads a field holds its own.
        for field, cache in former:
            fresh = field._get_cache(self.env)
            if cache is not fresh:
                cache.update({id_: fresh[id_] for id_ in fetched._ids if id_ in fresh})
        return fetched
