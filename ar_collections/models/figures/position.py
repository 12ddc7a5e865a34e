from collections import defaultdict
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from .claim import get_bounced_sql, get_insiders_sql
from .item_shape import Shape, get_undone_sql
from .movement import get_movements_sql
from .settlement import is_paid_sql, money_sql
from .trade_receivable import get_trade_receivable_sql

EVERYTHING = Shape()


class Figures(NamedTuple):
    """What one customer owes one root company at one date, in company currency.

    ``open_amount = not_due + overdue_amount + unallocated`` and
    ``buckets[0] == not_due``, ``sum(buckets[1:]) == overdue_amount``.
    """

    open_amount: float = 0.0
    not_due: float = 0.0
    overdue_amount: float = 0.0
    # One amount per ageing bucket of the company, not due first; positive items only.
    buckets: list = ()
    overdue_count: int = 0
    # Due date of the oldest overdue item, ``None`` when nothing is overdue.
    oldest_due: object = None
    # Open payments on account and credit notes: zero or negative.
    unallocated: float = 0.0
    # What of the open items, due or not, is in dispute or agreed to be paid later.
    disputed: float = 0.0
    promised: float = 0.0
    # The overdue items that may be asked for, not excluded from follow-up, less open credits.
    followup_amount: float = 0.0
    followup_due: object = None
    # Those less what is disputed or promised: what is asked for now.
    demand_amount: float = 0.0
    demand_due: object = None
    # The lateness so far: overdue items to follow up that are not in dispute, promised or not,
    # the days of the oldest, and the mean of their days by amount.
    arrears_amount: float = 0.0
    arrears_count: int = 0
    arrears_days: int = 0
    arrears_mean_days: float = 0.0


class Behaviour(NamedTuple):
    """How one customer paid one root company over the 365 days before a date."""

    # Days between due date and full payment (early counts 0), weighted by what was paid.
    avg_days_late: float = 0.0
    # Share of the settled items, 0 to 1, that were settled by their due date.
    on_time_share: float = 0.0
    late_count: int = 0
    max_days_late: int = 0
    # Invoices less credit notes, tax included, by the months since the first sale of the year:
    # months of 31 days, begun ones whole, so 1 to 12.
    avg_monthly_sales: float = 0.0
    last_payment_date: object = None
    # Standard deviation of the days late of the settled items, each counting the same.
    late_spread: float = 0.0
    # Sales of the last 90 days, as of a year, against those of the year: 0.1 is 10 % more.
    # Zero when nothing was sold before these 90 days.
    sales_trend: float = 0.0
    # Days between invoice and its last due date, weighted by the amount of the year's invoices.
    avg_term_days: float = 0.0
    # What is behind the average and the share: money that settled items, and their number.
    settled_amount: float = 0.0
    settled_count: int = 0
    # Days between full payment and due date (late counts 0), weighted by what was paid.
    avg_days_early: float = 0.0


class NetDemand(NamedTuple):
    """What one customer may be asked for by one root company now, in company currency."""

    # What is overdue less open credits, disputes and promises: zero or positive.
    amount: float = 0.0
    # What is overdue and may be asked for, before all that.
    gross: float = 0.0
    # Open credit notes and payments on account: zero or negative.
    credits: float = 0.0
    # Due date of the oldest item asked for, ``None`` when nothing is.
    oldest_due: object = None
    # ``[(line_id, net_amount)]`` of the items asked for, the oldest due date first.
    items: list = ()


class Item(NamedTuple):
    """One open receivable journal item at one date."""

    company_id: int
    partner_id: int
    line_id: int
    due: object
    days_overdue: int
    residual: float
    residual_currency: float
    currency_id: int
    # Whether it may be asked for, and whether it is set against what may.
    followup: bool
    is_credit: bool = False
    disputed: float = 0.0
    promised: float = 0.0
    # What open credits take off an item that is followed up, and what may be asked for now.
    credit: float = 0.0
    credit_currency: float = 0.0
    demand: float = 0.0
    demand_currency: float = 0.0
    disputed_currency: float = 0.0

    @property
    def undisputed_currency(self):
        return self.residual_currency - self.disputed_currency

    @property
    def agreeable_currency(self):
        """What may be promised or planned: what credits leave, less what is in dispute."""
        return max(self.residual_currency - self.credit_currency - self.disputed_currency, 0)


class Movement(NamedTuple):
    """What changed a customer's account in a period: a journal item, or a matching of items in
    different currencies or of different customers, which moves a debt from one to the other."""

    company_id: int
    partner_id: int
    line_id: int
    date: object
    name: str
    label: str
    # Credits negative.
    amount_currency: float
    currency_id: int


class ArPosition(models.AbstractModel):
    """The one source of receivable figures.

    Everything is read from posted receivable journal items by SQL, per root company and
    commercial partner, as of any date: a later reconciliation is undone, and a matching with an
    entry that is not posted any more does not count, so that the sum over all customers always
    equals the balance of the trade receivable accounts. Items without a partner are under the
    partner ``False``. It knows no business rule and writes nothing.

    Who claims something of an item is told by upper wings, through ``_claims_sql``.
    """

    _name = "ar.position"
    _description = "Receivable Position"

    @api.model
    def _figures(self, companies, date, partners=None):
        """Open items per customer.

        :param companies: recordset ``res.company``; their roots with all branches are read
        :param date: as-of date
        :param partners: recordset ``res.partner`` to restrict to, or ``None`` for all customers
        :return: ``{(root company id, commercial partner id): Figures}``, customers with at
            least one open item only, except those asked for by ``partners``: they are all there
        """
        figures = {}
        if partners is not None:
            partners = partners.commercial_partner_id
            empty = {
                root.id: Figures(buckets=[0.0] * (len(root._ar_bucket_edges()) + 2))
                for root in companies.root_id
            }
            figures = {
                (root_id, partner.id): empty[root_id] for root_id in empty for partner in partners
            }
        sizes = {root.id: len(root._ar_bucket_edges()) + 2 for root in companies.sudo().root_id}
        query = SQL(
            """
            SELECT company_id, partner_id, open_amount::float8, not_due::float8,
                   overdue_amount::float8, ARRAY[%s]::float8[], overdue_count, oldest_due,
                   unallocated::float8, disputed::float8, promised::float8,
                   followup_amount::float8, followup_due, demand_amount::float8, demand_due,
                   arrears_amount::float8, arrears_count, arrears_days, arrears_mean_days::float8
              FROM (%s) figure
            """,
            SQL(", ").join(
                SQL.identifier(f"bucket_{index}") for index in range(max(sizes.values(), default=2))
            ),
            self._figures_sql(companies, date, partners),
        )
        for row in self.env.execute_query(query):
            del row[5][sizes[row[0]] :]
            figures[row[0], row[1] or False] = Figures._make(row[2:])
        return figures

    @api.model
    def _behaviour(self, companies, date, partners=None):
        """Payment behaviour per customer over the 365 days that end with ``date``.

        An item counts on the day on which the last money for it came, or what was set off. What
        was credited or given up says nothing of how somebody pays. Whoever paid, it is the
        behaviour of the customer whose item it was.

        :return: ``{(root company id, commercial partner id): Behaviour}``, customers that
            settled, bought or paid something in that time only
        """
        query = self._behaviour_sql(companies, date, partners)
        return {
            (company_id, partner_id): Behaviour(*values)
            for company_id, partner_id, *values in self.env.execute_query(query)
        }

    @api.model
    def _net_demand(self, companies, date, partners=None):
        """What customers may be asked for on a day: one answer for message, case, hold and gate.

        What is booked counts whatever its date; only lateness is judged by the date.

        :return: ``{(root company id, commercial partner id): NetDemand}``, customers with at
            least one open item, and those asked for by ``partners``
        """
        demands = {}
        if partners is not None:
            partners = partners.commercial_partner_id
            demands = {
                (root.id, partner.id): NetDemand(items=[])
                for root in companies.root_id
                for partner in partners
            }
        query = SQL(
            """
            SELECT root_id, partner_id,
                   COALESCE(SUM(demand) FILTER (WHERE due < %(date)s), 0)::float8,
                   COALESCE(SUM(residual) FILTER (WHERE due < %(date)s AND followup), 0)::float8,
                   LEAST(COALESCE(SUM(residual) FILTER (WHERE is_credit), 0), 0)::float8,
                   MIN(due) FILTER (WHERE due < %(date)s AND demand > 0),
                   ARRAY_AGG(line_id ORDER BY due, line_id)
                       FILTER (WHERE due < %(date)s AND demand > 0),
                   ARRAY_AGG(demand::float8 ORDER BY due, line_id)
                       FILTER (WHERE due < %(date)s AND demand > 0)
              FROM (%(items)s) item
             WHERE partner_id IS NOT NULL
             GROUP BY root_id, partner_id
            """,
            date=date,
            items=self._claimed_items_sql(companies, date, partners, current=True, ageing=False),
        )
        for root_id, partner_id, *sums, line_ids, amounts in self.env.execute_query(query):
            items = list(zip(line_ids or (), amounts or (), strict=True))
            demands[root_id, partner_id] = NetDemand(*sums, items)
        return demands

    @api.model
    def _items(self, companies, date, partners, current=False):
        """Open items of some customers, the oldest due date first.

        :param current: see ``_items_sql``
        :return: ``{(root company id, commercial partner id): [Item]}``
        """
        items = defaultdict(list)
        query = SQL(
            """
            SELECT root_id, partner_id, line_id, due, GREATEST(%(date)s - due, 0),
                   residual, residual_currency, currency_id, followup, is_credit,
                   disputed, promised, credit, credit_currency, demand, demand_currency,
                   disputed_currency
              FROM (%(items)s) item
             ORDER BY due, line_id
            """,
            date=date,
            items=self._claimed_items_sql(companies, date, partners.commercial_partner_id, current),
        )
        for row in self.env.execute_query(query):
            item = Item(*row)
            items[item.company_id, item.partner_id].append(item)
        return items

    @api.model
    def _get_net_residuals(self, lines):
        """What open credits leave of journal items now: ``{item id: amount}`` in their currency.

        Items that are not open are not in it.
        """
        net = {}
        for company, same in lines.grouped(lambda line: line.company_id.root_id).items():
            found = self._items(company, company._ar_today(), same.partner_id, current=True)
            net.update(
                (item.line_id, item.residual_currency - item.credit_currency)
                for items in found.values()
                for item in items
            )
        return net

    @api.model
    def _movements(self, companies, date_from, date_to, partners):
        """What was booked on the receivable accounts of some customers, in the order of dates.

        In each currency, what is open on the day before plus the movements is what is open at
        the end. Differences of exchange are ours alone and no movement. What somebody else paid
        of an item is one of the customer whose item it is.

        :return: ``{(root company id, commercial partner id): [Movement]}``
        """
        self.env["account.move.line"].flush_model()
        self.env["account.partial.reconcile"].flush_model()
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        scope, accounts = self._get_scope(companies)
        movements = {}
        query = get_movements_sql(
            scope,
            accounts,
            date_from,
            date_to,
            self._partner_clause(partners.commercial_partner_id),
        )
        for row in self.env.execute_query(query):
            movement = Movement(*row)
            key = movement.company_id, movement.partner_id
            movements.setdefault(key, []).append(movement)
        return movements

    # The statements

    @api.model
    def _get_scope(self, companies, ageing=False, few=False):
        """Companies with root, bucket edges and decimal places, and the receivable accounts.

        Literal values beat joins: over all customers in the planner, and of a customer with many
        items a company is not looked up for each. For ``few`` customers the query that finds the
        accounts costs more than its subquery.
        """
        self.env["account.account"].flush_model(["account_type", "non_trade"])
        accounts = SQL("SELECT id FROM account_account WHERE %s", get_trade_receivable_sql())
        scope = SQL(
            "VALUES %s",
            SQL(", ").join(
                SQL(
                    "(%s, %s, %s::int[], %s)",
                    branch.id,
                    branch.root_id.id,
                    [1, *(edge + 1 for edge in branch.root_id._ar_bucket_edges() if ageing)],
                    branch.currency_id.decimal_places,
                )
                for branch in companies.sudo().root_id._ar_get_tree()
            ),
        )
        if few:
            return scope, SQL("ARRAY(%s)", accounts)
        return scope, [id_ for (id_,) in self.env.execute_query(accounts)] or [0]

    @api.model
    def _partner_clause(self, partners):
        if partners is None:
            return SQL()
        return SQL(
            "AND l.partner_id IN (SELECT id FROM res_partner WHERE commercial_partner_id IN %s)",
            tuple(partners.ids) or (0,),
        )

    @api.model
    def _items_sql(
        self, companies, date, partners=None, current=False, ageing=True, shape=EVERYTHING
    ):
        """SELECT of one row per open receivable item at the date, see :class:`Item`.

        :param current: take the ledger as it stands and judge only lateness by the date, for
            what must follow the ledger within one transaction whatever the entries' dates are
        :param shape: what the customers' items need when ``current``, see ``read_shape``
        """
        self.env["account.move.line"].flush_model()
        self.env["account.move"].flush_model(["reversed_entry_id"])
        self.env["account.journal"].flush_model(["ar_settlement"])
        self.env["res.company"].flush_model(["partner_id"])
        self.env["res.users"].flush_model(["partner_id", "active", "share"])
        self.env["account.partial.reconcile"].flush_model()
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        scope, accounts = self._get_scope(companies, ageing, partners is not None and not ageing)
        columns = SQL(
            """
            l.id AS line_id, l.company_id, l.partner_id, l.currency_id,
            COALESCE(l.date_maturity, l.date) AS due, l.no_followup,
            %s AS is_from_bank
            """,
            SQL(
                "l.balance > 0 AND l.journal_id IN ("
                "SELECT id FROM account_journal journal WHERE %s)",
                money_sql(),
            )
            if shape.has_credits
            else SQL("FALSE"),
        )
        condition = SQL(
            "l.account_id = ANY(%s) AND l.parent_state = 'posted' AND (%s OR l.date <= %s) %s",
            accounts,
            current,
            date,
            SQL() if partners is None else SQL("AND l.partner_id IN (SELECT id FROM customer)"),
        )
        # Few partners are contacts of another one: read once, not item by item.
        customers = SQL()
        contact = SQL(
            """(
            SELECT id, commercial_partner_id FROM res_partner
             WHERE commercial_partner_id <> id OFFSET 0)"""
        )
        if partners is not None:
            # Few partners with many items: looked up once, not item by item.
            customers = SQL(
                """
                customer AS MATERIALIZED (
                    SELECT id, commercial_partner_id FROM res_partner
                     WHERE commercial_partner_id IN %s
                ),
                """,
                tuple(partners.ids) or (0,),
            )
            contact = SQL("customer")
        lines = SQL(
            """
                SELECT %(columns)s, l.amount_residual AS residual,
                       l.amount_residual_currency AS residual_currency
                  FROM account_move_line l
                 WHERE %(condition)s
                   AND l.reconciled IS NOT TRUE AND l.amount_residual <> 0
            """,
            columns=columns,
            condition=condition,
        )
        undone = SQL()
        if shape.has_undone:
            undone = get_undone_sql(date, current)
            lines = SQL(
                """
                SELECT %(columns)s,
                       l.amount_residual + COALESCE(undone.amount, 0) AS residual,
                       l.amount_residual_currency + COALESCE(undone.amount_currency, 0)
                           AS residual_currency
                  FROM account_move_line l
                  LEFT JOIN undone ON undone.line_id = l.id
                 WHERE %(condition)s
                   AND l.reconciled IS NOT TRUE AND l.amount_residual <> 0
                 UNION ALL
                SELECT %(columns)s,
                       l.amount_residual + undone.amount,
                       l.amount_residual_currency + undone.amount_currency
                  FROM undone
                  JOIN account_move_line l ON l.id = undone.line_id
                 WHERE %(condition)s
                   AND (l.reconciled IS TRUE OR l.amount_residual = 0)
                """,
                columns=columns,
                condition=condition,
            )
        return SQL(
            """
            WITH %(customers)s %(undone)s line AS (%(lines)s)
            SELECT scope.root_id, scope.edges, scope.digits, customer_id AS partner_id,
                   line.line_id, COALESCE(bounced.due, line.due) AS due, line.residual,
                   line.residual_currency, line.currency_id,
                   line.no_followup IS NOT TRUE AND line.residual > 0
                       AND line.residual_currency > 0
                       AND (NOT is_from_bank OR bounced.due IS NOT NULL)
                       AND (customer_id NOT IN (%(insiders)s)) IS NOT FALSE AS followup,
                   is_from_bank AND bounced.due IS NULL AS is_paid_out
              FROM line
              JOIN (%(scope)s) AS scope(company_id, root_id, edges, digits)
                ON scope.company_id = line.company_id
              LEFT JOIN %(contact)s contact ON contact.id = line.partner_id
                   AND contact.commercial_partner_id <> contact.id
             CROSS JOIN LATERAL (
                SELECT COALESCE(contact.commercial_partner_id, line.partner_id) AS customer_id
             ) payer
             CROSS JOIN %(bounced)s AS bounced(due)
             WHERE line.residual <> 0
            """,
            bounced=SQL(
                "LATERAL (SELECT CASE WHEN line.is_from_bank THEN (%s) END OFFSET 0)",
                get_bounced_sql(),
            )
            if shape.has_credits
            else SQL("(VALUES (NULL::date))"),
            insiders=get_insiders_sql(),
            customers=customers,
            undone=undone,
            lines=lines,
            contact=contact,
            scope=scope,
        )

    # What is claimed of the items

    @api.model
    def _claims_sql(self, date, current, partners):
        """SELECT of ``line_id, kind, amount, residual_before``, any number of rows per item.

        ``kind`` is ``disputed`` or ``promised``; amounts are in the currency of the item. What
        came off the item since ``residual_before`` came off the claim; without it, off the rest.
        """
        return SQL(
            "SELECT NULL::int AS line_id, NULL::varchar AS kind, 0.0 AS amount,"
            " 0.0 AS residual_before WHERE FALSE"
        )

    @api.model
    def _get_insiders(self):
        """The customers who are ourselves, see ``get_insiders_sql``."""
        self.env["res.company"].flush_model(["partner_id"])
        self.env["res.users"].flush_model(["partner_id", "active", "share"])
        rows = self.env.execute_query(get_insiders_sql())
        return self.env["res.partner"].browse({id_ for (id_,) in rows})

    @api.model
    def _is_gross_sql(self, companies):
        """Condition on ``root_id, partner_id``: nothing is set off for this customer.

        A hook: an upper wing knows whose policy says so.
        """
        return SQL("FALSE")

    @api.model
    def _claimed_items_sql(
        self, companies, date, partners=None, current=False, ageing=True, shape=EVERYTHING
    ):
        """The rows of ``_items_sql`` with ``credit, disputed, promised, followed``, and
        ``demand``; credit, disputed and demand in the currency of the item as well.

        What is disputed is not promised. What open credits leave of an item that may be followed
        up is ``followed``; the demand is what of it is neither disputed nor promised.

        ``OFFSET 0`` keeps the planner from putting each expression into all that use it.
        """
        if partners is not None:
            partners = partners.commercial_partner_id
        netting = self.env["ar.netting"]
        items = self._items_sql(companies, date, partners, current, ageing, shape)
        return SQL(
            """
            SELECT item.*, claimed - disputed AS promised,
                   CASE WHEN followup THEN residual - credit ELSE 0 END AS followed,
                   CASE WHEN followup THEN GREATEST(residual - credit - claimed, 0) ELSE 0 END
                       AS demand,
                   CASE WHEN followup
                        THEN GREATEST(residual_currency - credit_currency - claimed_currency, 0)
                        ELSE 0 END AS demand_currency
              FROM (
                SELECT item.*, %(disputed)s AS disputed, %(claimed)s AS claimed
                  FROM (
                    SELECT item.*, %(claimed_currency)s AS claimed_currency,
                           %(disputed_currency)s AS disputed_currency
                      FROM (%(items)s) item
                      LEFT JOIN (
                        SELECT line_id, ARRAY_AGG(kind) AS kinds, ARRAY_AGG(amount) AS amounts,
                               ARRAY_AGG(residual_before) AS befores
                          FROM (%(claims)s) claim
                         GROUP BY line_id
                      ) claim ON claim.line_id = item.line_id AND item.residual > 0
                    OFFSET 0
                  ) item
                OFFSET 0
              ) item
            """,
            disputed=self._share_sql(SQL("disputed_currency")),
            claimed=self._share_sql(SQL("claimed_currency")),
            claimed_currency=self._claimed_sql(),
            disputed_currency=self._claimed_sql("disputed"),
            items=netting._netted_items_sql(items, companies, date, partners, current)
            if shape.has_credits
            else netting._owed_items_sql(items),
            claims=self._claims_sql(date, current, partners),
        )

    @api.model
    def _claimed_sql(self, kind=None):
        """What is left of the claims of one item, its own currency, the residual at most."""
        return SQL(
            """
            CASE WHEN claim.line_id IS NULL THEN 0 ELSE (
                SELECT LEAST(COALESCE(SUM(GREATEST(LEAST(
                            part.amount, part.amount - part.before + item.residual_currency
                        ), 0)), 0), item.residual_currency)
                  FROM UNNEST(claim.kinds, claim.amounts, claim.befores)
                       AS part(kind, amount, before)
                 WHERE %s
            ) END
            """,
            SQL("part.kind = %s", kind) if kind else SQL("TRUE"),
        )

    @api.model
    def _share_sql(self, claimed):
        """The same in company currency: the share of the residual, to the cent."""
        return SQL(
            """
            CASE WHEN %(claimed)s = 0 THEN 0
                 WHEN %(claimed)s = residual_currency THEN residual
                 ELSE ROUND(residual * %(claimed)s / residual_currency, digits)
             END
            """,
            claimed=claimed,
        )

    # The sums

    @api.model
    def _figures_sql(
        self, companies, date, partners=None, current=False, ageing=True, shape=EVERYTHING
    ):
        """SELECT of ``company_id, partner_id`` and the columns of :class:`Figures`.

        The ageing buckets are columns ``bucket_0`` (not due) and so on.

        :param ageing: without it all that is overdue is in ``bucket_1``
        """
        edges = max((len(root._ar_bucket_edges()) for root in companies.sudo().root_id), default=0)
        buckets = [SQL.identifier(f"bucket_{index}") for index in range(edges + 2 if ageing else 2)]
        columns = self._get_figure_columns()
        names = [SQL.identifier(name) for name in columns]
        return SQL(
            """
            SELECT company_id, partner_id, bucket_0 AS not_due, %(overdue)s AS overdue_amount,
                   bucket_0 + %(overdue)s + unallocated AS open_amount, %(names)s, %(buckets)s
              FROM (
                SELECT root_id AS company_id, partner_id, %(sums)s, %(columns)s
                  FROM (
                    SELECT root_id, partner_id, due, residual, followup, disputed, promised,
                           followed, demand, %(date)s::date - due AS days,
                           GREATEST(followed - disputed, 0) AS arrears,
                           CASE WHEN residual < 0 THEN -1
                                ELSE WIDTH_BUCKET(%(date)s::date - due, edges) END AS bucket
                      FROM (%(items)s) item
                    OFFSET 0
                  ) item
                 GROUP BY root_id, partner_id
              ) total
            """,
            overdue=SQL(" + ").join(buckets[1:]),
            buckets=SQL(", ").join(buckets),
            names=SQL(", ").join(names),
            sums=SQL(", ").join(
                SQL("COALESCE(SUM(residual) FILTER (WHERE bucket = %s), 0) AS %s", index, bucket)
                for index, bucket in enumerate(buckets)
            ),
            columns=SQL(", ").join(
                SQL("%s AS %s", column, name)
                for column, name in zip(columns.values(), names, strict=True)
            ),
            date=date,
            items=self._claimed_items_sql(companies, date, partners, current, ageing, shape),
        )

    @api.model
    def _get_figure_columns(self):
        """``{name: SQL aggregate}`` of the figures of one customer beside the ageing.

        The rows are the open items, with ``due, residual, followup, disputed, promised, followed,
        demand, arrears`` in company currency, the ``days`` since they were due and ``bucket``:
        negative for credits, zero for what is not due. An addon adds a column here, and a field of
        that name on the credit file to keep it.
        """
        return {
            "unallocated": SQL("COALESCE(SUM(residual) FILTER (WHERE bucket < 0), 0)"),
            "overdue_count": SQL("COUNT(*) FILTER (WHERE bucket > 0)"),
            "oldest_due": SQL("MIN(due) FILTER (WHERE bucket > 0)"),
            "disputed": SQL("SUM(disputed)"),
            "promised": SQL("SUM(promised)"),
            "followup_amount": SQL("COALESCE(SUM(followed) FILTER (WHERE bucket > 0), 0)"),
            "followup_due": SQL("MIN(due) FILTER (WHERE bucket > 0 AND followed > 0)"),
            "demand_amount": SQL("COALESCE(SUM(demand) FILTER (WHERE bucket > 0), 0)"),
            "demand_due": SQL("MIN(due) FILTER (WHERE bucket > 0 AND demand > 0)"),
            "arrears_amount": SQL("COALESCE(SUM(arrears) FILTER (WHERE bucket > 0), 0)"),
            "arrears_count": SQL("COUNT(*) FILTER (WHERE bucket > 0 AND arrears > 0)"),
            "arrears_days": SQL("COALESCE(MAX(days) FILTER (WHERE bucket > 0 AND arrears > 0), 0)"),
            "arrears_mean_days": SQL(
                """COALESCE(ROUND(SUM(arrears * days) FILTER (WHERE bucket > 0)
                                  / NULLIF(SUM(arrears) FILTER (WHERE bucket > 0), 0), 2), 0)"""
            ),
        }

    @api.model
    def _behaviour_sql(self, companies, date, partners=None):
        """SELECT of ``company_id, partner_id`` and the columns of :class:`Behaviour`."""
        if partners is not None:
            partners = partners.commercial_partner_id
        self.env["account.move.line"].flush_model()
        self.env["account.move"].flush_model()
        self.env["account.partial.reconcile"].flush_model()
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        scope, accounts = self._get_scope(companies)
        return SQL(
            """
            WITH settlement AS (
                SELECT debit_move_id AS line_id, SUM(partial.amount) AS paid,
                       MAX(max_date) AS settled_on,
                       MAX(credit.date) FILTER (
                           WHERE %(money)s AND credit.date > %(date)s - 365) AS paid_on
                  FROM account_partial_reconcile partial
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN account_journal journal ON journal.id = credit.journal_id
                 WHERE max_date > %(date)s - 365 AND %(is_paid)s
                 GROUP BY debit_move_id
                HAVING MAX(max_date) <= %(date)s
            ), fact AS (
                SELECT l.company_id, l.partner_id, CASE WHEN l.reconciled THEN paid END AS weight,
                       CASE WHEN l.reconciled THEN
                           GREATEST(settled_on - COALESCE(l.date_maturity, l.date), 0)
                       END AS days_late,
                       CASE WHEN l.reconciled THEN
                           GREATEST(COALESCE(l.date_maturity, l.date) - settled_on, 0)
                       END AS days_early,
                       NULL::numeric AS sales, NULL::date AS sold_on, NULL::int AS term_days,
                       paid_on
                  FROM settlement
                  JOIN account_move_line l ON l.id = settlement.line_id
                 WHERE l.account_id = ANY(%(accounts)s) AND l.parent_state = 'posted'
                   AND l.balance > 0 %(partners)s
                 UNION ALL
                SELECT l.company_id, l.commercial_partner_id, NULL, NULL, NULL,
                       l.amount_total_signed, l.invoice_date,
                       GREATEST(l.invoice_date_due - l.invoice_date, 0), NULL
                  FROM account_move l
                 WHERE l.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
                   AND l.state = 'posted'
                   AND l.invoice_date > %(date)s - 365 AND l.invoice_date <= %(date)s
                   %(partners)s
                 UNION ALL
                SELECT l.company_id, l.partner_id, NULL, NULL, NULL, NULL, NULL, NULL,
                       MAX(l.date)
                  FROM account_move_line l
                  JOIN account_journal journal ON journal.id = l.journal_id
                 WHERE l.account_id = ANY(%(accounts)s) AND l.parent_state = 'posted'
                   AND %(money)s AND l.balance < 0
                   AND l.date > %(date)s - 365 AND l.date <= %(date)s %(partners)s
                 GROUP BY l.company_id, l.partner_id
            )
            SELECT scope.root_id AS company_id, partner.commercial_partner_id AS partner_id,
                   COALESCE(SUM(days_late * weight) / NULLIF(SUM(weight), 0), 0)
                       AS avg_days_late,
                   COALESCE(AVG((days_late = 0)::int), 0) AS on_time_share,
                   COUNT(*) FILTER (WHERE days_late > 0) AS late_count,
                   COALESCE(MAX(days_late), 0) AS max_days_late,
                   COALESCE(ROUND(SUM(sales) / LEAST(12, CEIL(
                    (%(date)s + 1 - MIN(sold_on) FILTER (WHERE sales > 0)) / 31.0)), 2), 0)
                       AS avg_monthly_sales,
                   MAX(paid_on) AS last_payment_date,
                   COALESCE(STDDEV_POP(days_late), 0) AS late_spread,
                   CASE WHEN SUM(sales) > 0
                             AND SUM(sales) FILTER (WHERE sold_on <= %(date)s - 90) > 0
                        THEN COALESCE(SUM(sales) FILTER (WHERE sold_on > %(date)s - 90), 0)
                             * 365 / 90 / SUM(sales) - 1
                        ELSE 0 END AS sales_trend,
                   COALESCE(SUM(term_days * sales) FILTER (WHERE sales > 0)
                            / NULLIF(SUM(sales) FILTER (WHERE sales > 0), 0), 0)
                       AS avg_term_days,
                   COALESCE(SUM(weight), 0) AS settled_amount,
                   COUNT(days_late) AS settled_count,
                   COALESCE(SUM(days_early * weight) / NULLIF(SUM(weight), 0), 0)
                       AS avg_days_early
              FROM fact
              JOIN (%(scope)s) AS scope(company_id, root_id, edges)
                ON scope.company_id = fact.company_id
              JOIN res_partner partner ON partner.id = fact.partner_id
             GROUP BY 1, 2
            """,
            date=date,
            accounts=accounts,
            scope=scope,
            money=money_sql(),
            is_paid=is_paid_sql(),
            partners=self._partner_clause(partners),
        )
