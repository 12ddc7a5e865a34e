from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_amount, format_date

from ..figures.claim import get_debt_due_sql

# What starts the clock, the weaker proof first: of two on one day the stronger one is shown.
CAUSES = [
    ("due", "Due date"),
    ("demand", "Demand"),
    ("payment", "Part payment"),
    ("promise", "Promise"),
    ("plan", "Payment plan"),
    ("acknowledgement", "Acknowledgement"),
    ("lawsuit", "Lawsuit"),
    ("judgment", "Judgment"),
]
# Outcomes of a demand that was made, whether or not its arrival is proven.
MADE = ("sent", "posted", "reached")


class ArLimitation(models.Model):
    """When each claim becomes barred by limitation, by the country pack of its company.

    The clock starts on the due date or at the end of its year, and starts anew with what the pack
    says: demands, part payments, promises, accepted plans, signed acknowledgements, lawsuits.
    What is barred stays so, unless by what the pack says. Claims that were written off are
    watched as open ones are.
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
    unproven_date = fields.Date(
        string="Asked, Not Proven",
        readonly=True,
        help="The last demand whose arrival is not proven. With a proof noted on the contact it "
        "starts the clock anew.",
    )
    lapse_date = fields.Date(string="Lapses On", readonly=True)
    is_written_off = fields.Boolean(string="Written Off", readonly=True)
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
        """SELECT of one row per claim of companies that keep the clock.

        ``line_id, company_id, partner_id, due_date, residual, residual_currency, currency_id,
        start_date, cause, lapse_date, unproven_date, is_written_off``; nothing that happened
        after the date counts.

        An event has a ``date`` from which on the clock runs anew and a day ``since`` which it
        had to be in time, which is another one for a lawsuit that has ended. The clock of the
        last event in time counts: each has to follow the one before within the years. Events
        that revive start the chain.

        :param current: the open items as the ledger stands; see ``ar.position``
        """
        proofs = [cause for cause, _name in CAUSES]
        events = SQL(" UNION ALL ").join(
            SQL(
                "SELECT event.line_id, event.date, event.since, event.revives, %s AS cause,"
                " %s AS proof FROM (%s) event WHERE event.since <= %s",
                cause,
                proofs.index(cause),
                event,
                date,
            )
            for cause, event in self._get_events_sql(date).items()
        )
        return SQL(
            """
            WITH claim AS MATERIALIZED (
                SELECT claim.*, rule.*
                  FROM (%(claims)s) claim
                  JOIN (VALUES %(rules)s) rule(company_id, first_from, by_debt, longest, years,
                       enforced, demand, payment, promise, lawsuit, months, revived_by)
                    ON rule.company_id = claim.root_id
                 WHERE rule.years > 0
            ), item AS MATERIALIZED (
                SELECT item.*, judgment.date AS judged,
                       CASE WHEN judgment.date IS NULL OR enforced = 0 THEN item.years
                            ELSE enforced END AS period,
                       CASE first_from WHEN 'year_end'
                            THEN (DATE_TRUNC('year', owed) + INTERVAL '1 year -1 day')::date
                            ELSE owed END AS begun,
                       CASE WHEN judgment.date IS NULL THEN suit.filed END AS filed,
                       COALESCE(suit.days, 0) AS suspended
                  FROM (
                    SELECT item.*, CASE WHEN by_debt THEN COALESCE((%(debt_due)s), due)
                                        ELSE due END AS owed
                      FROM claim item
                  ) item
                  LEFT JOIN LATERAL (%(judgment)s) judgment ON TRUE
                  LEFT JOIN LATERAL (%(suspension)s) suit ON item.lawsuit = 'suspend'
            ), event AS (%(events)s), start AS (
                SELECT item.line_id, item.period, item.filed, item.suspended,
                       GREATEST(item.begun, MAX(event.date)) AS date
                  FROM item
                  LEFT JOIN event ON event.line_id = item.line_id AND event.revives
                 GROUP BY item.line_id, item.period, item.filed, item.suspended, item.begun
            ), followed AS (
                SELECT event.*, start.period, start.filed, start.suspended,
                       LAG(event.date, 1, start.date) OVER (
                           PARTITION BY event.line_id ORDER BY event.date, event.proof) AS former
                  FROM event JOIN start ON start.line_id = event.line_id
                 WHERE event.date >= start.date
            ), chain AS (
                SELECT followed.*, BOOL_OR(since > former + MAKE_INTERVAL(
                           years => period,
                           days => CASE WHEN filed <= former + MAKE_INTERVAL(years => period)
                                        THEN suspended ELSE 0 END))
                       OVER (PARTITION BY line_id ORDER BY date, proof) AS barred
                  FROM followed
            ), latest AS (
                SELECT DISTINCT ON (line_id) line_id, date, cause
                  FROM chain WHERE NOT barred
                 ORDER BY line_id, date DESC, proof DESC
            ), clock AS (
                SELECT item.*, GREATEST(item.begun, latest.date) AS start_date,
                       CASE WHEN latest.date >= item.begun THEN latest.cause ELSE 'due' END
                       AS cause
                  FROM item
                  LEFT JOIN latest ON latest.line_id = item.line_id
            )
            SELECT item.line_id, item.root_id AS company_id, item.partner_id,
                   item.due AS due_date, item.residual, item.residual_currency, item.currency_id,
                   item.start_date, item.cause, item.is_written_off,
                   -- GREATEST and LEAST pass over what is not there.
                   LEAST((item.start_date + MAKE_INTERVAL(
                              years => item.period,
                              days => CASE WHEN item.filed <= item.start_date
                                                + MAKE_INTERVAL(years => item.period)
                                           THEN item.suspended ELSE 0 END))::date,
                         CASE WHEN item.longest > 0 AND item.judged IS NULL
                              THEN (item.owed + MAKE_INTERVAL(years => item.longest))::date END)
                   AS lapse_date,
                   (SELECT MAX(asked.date) FROM (%(asked)s) asked
                     WHERE item.demand = 'proven' AND NOT asked.is_proven
                       AND asked.date BETWEEN item.start_date + 1 AND %(date)s) AS unproven_date
              FROM clock item
            """,
            claims=self._get_claims_sql(companies, date, partners, current),
            rules=self._get_rules_sql(companies),
            debt_due=get_debt_due_sql(),
            judgment=self._get_judgment_sql(date),
            suspension=self._get_suspension_sql(date),
            events=events,
            asked=self._get_asked_sql(),
            date=date,
        )

    @api.model
    def _get_claims_sql(self, companies, date, partners, current):
        """SELECT of ``line_id, root_id, partner_id, due, residual, residual_currency,
        currency_id, is_written_off`` of what is watched: what is open, and what is not in the
        books any more."""
        return SQL(
            """
            WITH open_item AS MATERIALIZED (
                SELECT line_id, root_id, partner_id, due, residual, residual_currency, currency_id
                  FROM (%(items)s) item WHERE residual > 0
            )
            SELECT open_item.*, FALSE AS is_written_off FROM open_item
             UNION ALL
            SELECT given_up.*, TRUE FROM (%(given_up)s) given_up
             WHERE residual > 0 AND line_id NOT IN (SELECT line_id FROM open_item)
            """,
            items=self.env["ar.position"]._items_sql(
                companies, date, partners, current=current, ageing=False
            ),
            given_up=self.env["ar.credit.file"]._get_given_up_sql(companies, date, partners),
        )

    @api.model
    def _get_rules_sql(self, companies):
        """VALUES of what the packs of some root companies say."""
        rules = {company.id: company._ar_get_country_rule() for company in companies.root_id}
        return SQL(", ").join(
            SQL(
                "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                company_id,
                rule.limitation_from,
                bool(rule.limitation_by_debt),
                rule.limitation_longest,
                rule.limitation_years,
                rule.enforcement_years,
                rule.demand_restarts,
                bool(rule.payment_restarts),
                bool(rule.promise_restarts),
                rule.lawsuit_effect,
                rule.lawsuit_months,
                rule.revived_by,
            )
            for company_id, rule in rules.items()
        )

    @api.model
    def _get_events_sql(self, date):
        """What may start the clocks of items anew.

        :return: ``{cause: SELECT of line_id, date, since, revives}``, from the rows of ``item``
        """
        plain = {
            "demand": (self._get_demand_sql(), SQL("FALSE")),
            "payment": (self._get_payment_sql(date), SQL("item.revived_by = 'any'")),
            "promise": (self._get_promise_sql(), SQL("item.revived_by = 'any'")),
            "plan": (self._get_plan_sql(), SQL("item.revived_by = 'any' OR event.is_signed")),
            "acknowledgement": (self._get_acknowledgement_sql(), SQL("TRUE")),
            "judgment": (SQL("SELECT line_id, judged AS date FROM item"), SQL("TRUE")),
        }
        return {
            cause: SQL(
                "SELECT event.line_id, event.date, event.date AS since, %s AS revives"
                " FROM (%s) event JOIN item ON item.line_id = event.line_id",
                revives,
                event,
            )
            for cause, (event, revives) in plain.items()
        } | {"lawsuit": self._get_lawsuit_sql(date)}

    @api.model
    def _get_asked_sql(self):
        """Contacts that asked for ``item``: the day, and whether their arrival is proven."""
        self.env["ar.collection.action"].flush_model()
        self.env["ar.collection.action.item"].flush_model()
        return SQL(
            """
            SELECT asked.move_line_id AS line_id, action.date_done AS date,
                   action.receipt IS NOT NULL AS is_proven
              FROM ar_collection_action_item asked
              JOIN ar_collection_action action ON action.id = asked.action_id
             WHERE asked.move_line_id = item.line_id
               AND action.state = 'done' AND action.outcome IN %s
            """,
            MADE,
        )

    @api.model
    def _get_demand_sql(self):
        """Contacts that asked for the item, as far as the law lets them count."""
        return SQL(
            """
            SELECT asked.line_id, asked.date
              FROM item
             CROSS JOIN LATERAL (%s) asked
             WHERE item.demand = 'sent' OR item.demand = 'proven' AND asked.is_proven
            """,
            self._get_asked_sql(),
        )

    @api.model
    def _get_payment_sql(self, date):
        """Money that paid the item in part; a credit note or write-off is not the customer's."""
        return SQL(
            """
            SELECT item.line_id, payment.date
              FROM item JOIN (%s) payment ON payment.line_id = item.line_id
             WHERE item.payment
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
             WHERE promise.state <> 'cancelled' AND item.promise
            """
        )

    @api.model
    def _get_plan_sql(self):
        """Plans that the customer accepted, whatever became of them."""
        self.env["ar.payment.plan"].flush_model()
        self.env["ar.payment.plan.item"].flush_model()
        return SQL(
            """
            SELECT item.line_id, plan.date_accepted AS date,
                   plan.signed_by IS NOT NULL AS is_signed
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
    def _get_lawsuit_sql(self, date):
        """Lawsuits that start the clock anew: when they are filed, or when they have ended."""
        return SQL(
            """
            SELECT item.line_id, suit.filed AS since, FALSE AS revives,
                   CASE item.lawsuit WHEN 'restart_end' THEN suit.ended ELSE suit.filed END
                   AS date
              FROM item CROSS JOIN LATERAL (%s) suit
             WHERE item.lawsuit <> 'suspend'
            """,
            self._get_suits_sql(date),
        )

    @api.model
    def _get_suits_sql(self, date):
        """SELECT of ``filed, ended, judged`` of lawsuits about ``item``; one that goes on ends,
        for the clock, on the day that is asked about."""
        self.env["ar.placement"].flush_model()
        self.env["ar.placement.item"].flush_model()
        return SQL(
            """
            SELECT placement.date_filed AS filed, placement.date_judgment AS judged,
                   LEAST(placement.date_judgment, placement.date_closed, %(date)s::date) AS ended
              FROM ar_placement_item line
              JOIN ar_placement placement ON placement.id = line.placement_id
             WHERE line.move_line_id = item.line_id AND placement.date_filed <= %(date)s
               AND placement.state IN ('placed', 'closed')
            """,
            date=date,
        )

    @api.model
    def _get_judgment_sql(self, date):
        return SQL(
            "SELECT MAX(judged) AS date FROM (%s) suit WHERE judged <= %s",
            self._get_suits_sql(date),
            date,
        )

    @api.model
    def _get_suspension_sql(self, date):
        """When the first lawsuit was filed, and for how many days they stop the clock."""
        return SQL(
            """
            SELECT MIN(filed) AS filed,
                   SUM((ended + MAKE_INTERVAL(months => item.months))::date - filed)::int AS days
              FROM (%s) suit
            """,
            self._get_suits_sql(date),
        )

    @api.model
    def _get_clocks(self, company, date, partners):
        """The clock of each claim of some customers.

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
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT partner_id, MIN(lapse_date) FROM (%s) clock"
                    " WHERE NOT is_written_off GROUP BY partner_id",
                    self._get_clock_sql(company, date, partners),
                )
            )
        )

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
