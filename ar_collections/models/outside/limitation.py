from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_amount, format_date

# What starts the clock, the weaker proof first: of two on one day the stronger one is shown.
CAUSES = [
    ("due", "Due date"),
    ("demand", "Demand"),
    ("payment", "Part payment"),
    ("promise", "Promise"),
    ("plan", "Payment plan"),
    ("acknowledgement", "Acknowledgement"),
    ("lawsuit", "Lawsuit"),
]
# What only the creditor does: it stops a clock that runs, and revives none that has run down.
CREDITOR = ("demand", "lawsuit")
# Outcomes that prove that a demand reached the customer.
PROVEN = ("sent", "posted", "reached")


class ArLimitation(models.Model):
    """When each open item becomes barred by limitation (China: Civil Code, art. 188, 192 and 195).

    The clock starts on the due date. It starts anew with each proven demand, promise, accepted
    plan, part payment, signed acknowledgement or lawsuit. What is barred already stays so, unless
    the customer itself pays, promises or acknowledges.
    """

    _name = "ar.limitation"
    _description = "Limitation of an Open Item"
    _auto = False
    _order = "lapse_date, id"
    _rec_name = "move_id"

    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    move_line_id = fields.Many2one("account.move.line", string="Journal Item", readonly=True)
    move_id = fields.Many2one(related="move_line_id.move_id", string="Document")
    case_id = fields.Many2one("ar.collection.case", readonly=True)
    collector_id = fields.Many2one(related="case_id.collector_id")
    due_date = fields.Date(readonly=True)
    start_date = fields.Date(string="Clock Started On", readonly=True)
    cause = fields.Selection(CAUSES, string="Started By", readonly=True)
    lapse_date = fields.Date(string="Lapses On", readonly=True)
    days_left = fields.Integer(readonly=True, aggregator="min")
    residual = fields.Monetary(string="Due", readonly=True, currency_field="company_currency_id")
    residual_currency = fields.Monetary(
        string="Due in Currency", readonly=True, currency_field="currency_id"
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    company_currency_id = fields.Many2one(
        string="Company Currency", related="company_id.currency_id"
    )

    @property
    def _table_query(self):
        companies = self.env["res.company"].sudo().search([("parent_id", "=", False)])
        # The items of other companies are kept back by the record rule.
        date = self.env.company._ar_today()
        self.env["ar.collection.case"].flush_model(["company_id", "partner_id", "state"])
        return SQL(
            """
            SELECT clock.*, clock.line_id AS id, clock.line_id AS move_line_id,
                   kase.id AS case_id, clock.lapse_date - %(date)s AS days_left
              FROM (%(clock)s) clock
              LEFT JOIN ar_collection_case kase ON kase.company_id = clock.company_id
               AND kase.partner_id = clock.partner_id AND kase.state <> 'closed'
            """,
            date=date,
            clock=self._get_clock_sql(companies, date, current=True),
        )

    # Actions

    @api.readonly
    def action_open_case(self):
        self.ensure_one()
        return self.case_id._get_records_action()

    @api.readonly
    def action_open_item(self):
        self.ensure_one()
        return self.move_id._get_records_action()

    # The clock

    @api.model
    def _get_clock_sql(self, companies, date, partners=None, current=False):
        """SELECT of one row per open item of companies that keep the clock.

        ``line_id, company_id, partner_id, due_date, residual, residual_currency, currency_id,
        start_date, cause, lapse_date``; nothing that happened after the date counts.

        :param current: the open items as the ledger stands; see ``ar.position``
        """
        self.env["res.company"].flush_model(["ar_limitation_years"])
        proofs = [cause for cause, _name in CAUSES]
        events = SQL(" UNION ALL ").join(
            SQL(
                "SELECT event.line_id, event.date, %s AS cause, %s AS proof"
                " FROM (%s) event WHERE event.date <= %s",
                cause,
                proofs.index(cause),
                event,
                date,
            )
            for cause, event in self._get_events_sql(date).items()
        )
        return SQL(
            """
            WITH item AS MATERIALIZED (
                SELECT item.*, company.ar_limitation_years AS years
                  FROM (%(items)s) item
                  JOIN res_company company ON company.id = item.root_id
                 WHERE item.residual > 0 AND company.ar_limitation_years > 0
            ), event AS (%(events)s), start AS (
                SELECT item.line_id, item.years, GREATEST(item.due, MAX(event.date)) AS date
                  FROM item
                  LEFT JOIN event
                    ON event.line_id = item.line_id AND event.cause NOT IN %(creditor)s
                 GROUP BY item.line_id, item.years, item.due
            ), followed AS (
                SELECT event.*, event.date > LAG(event.date, 1, start.date) OVER (
                           PARTITION BY event.line_id ORDER BY event.date, event.proof)
                       + MAKE_INTERVAL(years => start.years) AS late
                  FROM event JOIN start ON start.line_id = event.line_id
                 WHERE event.date >= start.date
            ), chain AS (
                SELECT followed.*, BOOL_OR(late) OVER (
                           PARTITION BY line_id ORDER BY date, proof) AS barred
                  FROM followed
            ), latest AS (
                SELECT DISTINCT ON (line_id) line_id, date, cause
                  FROM chain WHERE NOT barred
                 ORDER BY line_id, date DESC, proof DESC
            )
            SELECT item.line_id, item.root_id AS company_id, item.partner_id,
                   item.due AS due_date, item.residual, item.residual_currency, item.currency_id,
                   GREATEST(item.due, latest.date) AS start_date,
                   CASE WHEN latest.date >= item.due THEN latest.cause ELSE 'due' END AS cause,
                   (GREATEST(item.due, latest.date)
                    + MAKE_INTERVAL(years => item.years))::date AS lapse_date
              FROM item
              LEFT JOIN latest ON latest.line_id = item.line_id
            """,
            items=self.env["ar.position"]._items_sql(
                companies, date, partners, current=current, ageing=False
            ),
            events=events,
            creditor=CREDITOR,
        )

    @api.model
    def _get_events_sql(self, date):
        """What may start the clocks of items anew.

        :return: ``{cause: SELECT of line_id, date}``, from the rows of ``item``
        """
        return {
            "demand": self._get_demand_sql(),
            "payment": self._get_payment_sql(date),
            "promise": self._get_promise_sql(),
            "plan": self._get_plan_sql(),
            "acknowledgement": self._get_acknowledgement_sql(),
            "lawsuit": self._get_lawsuit_sql(),
        }

    @api.model
    def _get_demand_sql(self):
        """Contacts that reached the customer and asked for the item."""
        self.env["ar.collection.action"].flush_model()
        self.env["ar.collection.action.item"].flush_model()
        return SQL(
            """
            SELECT asked.move_line_id AS line_id, action.date_done AS date
              FROM item
              JOIN ar_collection_action_item asked ON asked.move_line_id = item.line_id
              JOIN ar_collection_action action ON action.id = asked.action_id
             WHERE action.state = 'done' AND action.outcome IN %s
            """,
            PROVEN,
        )

    @api.model
    def _get_payment_sql(self, date):
        """Money that paid the item in part; a credit note or write-off is not the customer's."""
        return SQL(
            """
            SELECT item.line_id, payment.date
              FROM item JOIN (%s) payment ON payment.line_id = item.line_id
            """,
            self.env["ar.settlement"]._get_payments_sql(date),
        )

    @api.model
    def _get_promise_sql(self):
        """What was promised, kept or not, unless it was entered by mistake."""
        self.env["ar.payment.promise"].flush_model()
        self.env["ar.payment.promise.line"].flush_model()
        return SQL(
            """
            SELECT item.line_id, promise.date_made AS date
              FROM item
              JOIN ar_payment_promise_line line ON line.move_line_id = item.line_id
              JOIN ar_payment_promise promise ON promise.id = line.promise_id
             WHERE promise.state <> 'cancelled'
            """
        )

    @api.model
    def _get_plan_sql(self):
        """Plans that the customer accepted, whatever became of them."""
        self.env["ar.payment.plan"].flush_model()
        self.env["ar.payment.plan.item"].flush_model()
        return SQL(
            """
            SELECT item.line_id, plan.date_accepted AS date
              FROM item
              JOIN ar_payment_plan_item line ON line.move_line_id = item.line_id
              JOIN ar_payment_plan plan ON plan.id = line.plan_id
            """
        )

    @api.model
    def _get_acknowledgement_sql(self):
        self.env["ar.debt.acknowledgement"].flush_model()
        self.env["ar.debt.acknowledgement.item"].flush_model()
        return SQL(
            """
            SELECT item.line_id, paper.date_signed AS date
              FROM item
              JOIN ar_debt_acknowledgement_item line ON line.move_line_id = item.line_id
              JOIN ar_debt_acknowledgement paper ON paper.id = line.acknowledgement_id
             WHERE paper.state = 'signed'
            """
        )

    @api.model
    def _get_lawsuit_sql(self):
        self.env["ar.placement"].flush_model()
        self.env["ar.placement.item"].flush_model()
        return SQL(
            """
            SELECT item.line_id, placement.date_filed AS date
              FROM item
              JOIN ar_placement_item line ON line.move_line_id = item.line_id
              JOIN ar_placement placement ON placement.id = line.placement_id
             WHERE placement.state IN ('placed', 'closed')
            """
        )

    @api.model
    def _get_clocks(self, company, date, partners):
        """The clock of each open item of some customers.

        :return: ``{line id: (partner id, start date, cause, lapse date)}``
        """
        return {
            line_id: tuple(clock)
            for line_id, *clock in self.env.execute_query(
                SQL(
                    "SELECT line_id, partner_id, start_date, cause, lapse_date FROM (%s) clock",
                    self._get_clock_sql(company, date, partners),
                )
            )
        }

    @api.model
    def _get_first_lapses(self, company, date, partners):
        """``{partner id: the day on which the first of its open items lapses}``"""
        first = {}
        for partner_id, _start, _cause, lapse in self._get_clocks(company, date, partners).values():
            first[partner_id] = min(lapse, first.get(partner_id, lapse))
        return first

    # Daily

    @api.model
    def _warn(self, company, date):
        """Tell of items that lapse soon, once per item and lapse date, one activity a customer."""
        last = date + timedelta(days=company.ar_limitation_warning_days)
        clocks = self.env.execute_query(
            SQL(
                """
            SELECT partner_id, line_id, lapse_date, residual FROM (%s) clock
             WHERE lapse_date <= %s AND partner_id IS NOT NULL
             ORDER BY lapse_date, line_id
            """,
                self._get_clock_sql(company, date),
                last,
            )
        )
        # Who is told need not see the entries.
        lines = self.env["account.move.line"].sudo().browse(clock[1] for clock in clocks)
        soon = defaultdict(list)
        for line, (partner_id, _line_id, lapse, residual) in zip(lines, clocks, strict=True):
            if line.ar_limitation_warned != lapse:
                soon[partner_id].append((line, lapse, residual))
        if not soon:
            return
        warned = defaultdict(lines.browse)
        for items in soon.values():
            for line, lapse, _residual in items:
                warned[lapse] |= line
        for lapse, same in warned.items():
            same.ar_limitation_warned = lapse
        partners = self.env["res.partner"].browse(soon)
        for model, activity_type in (
            ("ar.collection.case", "ar_collections.activity_limitation"),
            ("ar.credit.file", "mail.mail_activity_data_todo"),
        ):
            # A customer that is not chased has no case, but its claims lapse all the same.
            domain = [("company_id", "=", company.id), ("partner_id", "in", partners.ids)]
            if model == "ar.collection.case":
                domain.append(("state", "!=", "closed"))
            records = self.env[model].search(domain)
            partners -= records.partner_id
            self.env["mail.activity"]._ar_give(
                company,
                activity_type,
                date,
                {
                    record: self._get_warning(company, soon[record.partner_id.id])
                    for record in records
                },
            )

    def _get_warning(self, company, items):
        """Summary and note of an activity; items as line, lapse date, residual."""
        return (
            self.env._(
                "Limitation: %(amount)s lapses from %(date)s",
                amount=format_amount(
                    self.env, sum(float(item[2]) for item in items), company.currency_id
                ),
                date=format_date(self.env, items[0][1]),
            ),
            ", ".join(
                f"{line.move_name} ({format_date(self.env, lapse)})"
                for line, lapse, _residual in items
            ),
        )
