from collections import defaultdict

from odoo import api, models

from .trade_receivable import filter_trade_receivables

# In what the transaction keeps until it commits or goes back: the customers not followed yet.
TOUCHED = "ar_collections.touched"
# In the cursor while they are followed: what is touched meanwhile comes next.
SETTLING = "ar_collections.settling"
# Who touches a customer in the middle of a form has defaults for other records in the context.
KEPT_CONTEXT = ("lang", "tz", "allowed_company_ids", "ar_clock", "tracking_disable")


# What of customers is to be followed; an addon adds a part of its own in ``_follow_touched``.
CUSTOMERS = "customers"


def _make_companies():
    return defaultdict(set)


class Touched:
    """What one transaction has touched: items by their matching, and customers.

    Plain values, which can be copied with all else that the transaction keeps.
    """

    def __init__(self, env):
        self.uid = env.uid
        self.context = {key: env.context[key] for key in KEPT_CONTEXT if key in env.context}
        self.line_ids, self.parts = set(), defaultdict(_make_companies)

    def get_env(self, env):
        """The environment in which the customers are followed: of who touched the first."""
        # Whoever posts or reconciles need not have rights on collection.
        return env(user=self.uid, context=self.context, su=True)

    def add(self, part, company, partners):
        self.parts[part][company.id].update(partners.ids)

    def take(self):
        """``(ids of journal items, {part: {company id: ids of customers}})``, gone from here."""
        taken = self.line_ids, self.parts
        self.line_ids, self.parts = set(), defaultdict(_make_companies)
        return taken


class ArLedgerTouch(models.AbstractModel):
    """Follows the customers that one transaction touched, once: when somebody reads them.

    Who changes ledger or claims only notes down the customers. Files, cases and agreements are
    brought in line before any of them is read, else before the transaction commits.
    Lateness is judged at the day of the last run, so that nothing here reads the clock.
    """

    _name = "ar.ledger.touch"
    _description = "Customers Touched by the Ledger"

    @api.model
    def _touch_items(self, lines, matched=False):
        """Note down the customers of journal items that were posted or changed.

        :param lines: ``account.move.line``; those that are no trade receivable are passed over
        :param matched: what is agreed about the items is judged again as well
        """
        # Loans and the like are nobody's to collect.
        items = filter_trade_receivables(lines.filtered("partner_id"))
        if not items:
            return
        touched = self._get_touched()
        if matched:
            touched.line_ids.update(items.ids)
        for company, company_items in items.grouped(lambda item: item.company_id.root_id).items():
            touched.add(CUSTOMERS, company, company_items.partner_id.commercial_partner_id)

    @api.model
    def _touch_customers(self, company, partners, part=CUSTOMERS):
        """Note down customers of a root company of whom something is claimed or agreed anew.

        :param part: what of them is to be followed, see ``_follow_touched``
        """
        if partners:
            self._get_touched().add(part, company, partners)

    @api.model
    def _get_touched(self):
        cr = self.env.cr
        touched = cr.cache.get(SETTLING) or cr.precommit.data.get(TOUCHED)
        if touched is None:
            self._forget_cached_values()
            touched = cr.precommit.data[TOUCHED] = Touched(self.env)
            cr.precommit.add(touched.get_env(self.env)[self._name]._settle_touched)
        return touched

    @api.model
    def _forget_cached_values(self):
        """Drop cached values of what follows the ledger, so that a reader comes back for them."""
        for name in self.pool["ar.ledger.follower"]._inherit_children:
            self.env[name].invalidate_model()

    @api.model
    def _is_pending(self):
        """Whether customers wait to be followed, and are not being followed right now."""
        cr = self.env.cr
        return TOUCHED in cr.precommit.data and SETTLING not in cr.cache

    @api.model
    def _settle_touched(self):
        """Follow all customers touched so far in this transaction."""
        if not self._is_pending():
            return
        cr = self.env.cr
        cr.cache[SETTLING] = touched = cr.precommit.data.pop(TOUCHED)
        touch = touched.get_env(self.env)[self._name]
        try:
            while touched.line_ids or touched.parts:
                touch._follow_touched(*touched.take())
        finally:
            cr.cache.pop(SETTLING, None)

    # What upper wings extend

    @api.model
    def _follow_touched(self, line_ids, parts):
        """Follow what was touched.

        :param line_ids: of journal items whose matching changed
        :param parts: ``{part: {root company id: ids of customers}}``
        """
        if line_ids:
            self._follow_matching(self.env["account.move.line"].browse(line_ids))
        for company, partners in self._browse_part(parts, CUSTOMERS):
            self._follow_customers(company, company._ar_get_run_date(), partners)

    @api.model
    def _browse_part(self, parts, part):
        """``(root company, its customers)`` of one part, who still exist."""
        for company_id, ids in parts.get(part, {}).items():
            company = self.env["res.company"].browse(company_id)
            yield company, self.env["res.partner"].browse(ids).exists()

    @api.model
    def _follow_matching(self, lines):
        """Judge again what is agreed about journal items whose matching changed.

        :param lines: ``account.move.line``, some may not exist any more
        """

    @api.model
    def _follow_customers(self, company, date, partners):
        """Bring what is stored of the customers in line with ledger and claims.

        :param company: root company
        :param date: day at which lateness is judged
        :param partners: commercial partners
        :return: those of whom what is to be followed up changed
        """
        return partners


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
