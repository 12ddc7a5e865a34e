from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .country_claim import TOPICS

DAY_COUNTS = [
    ("365", "365 days a year"),
    ("360", "360 days a year"),
    ("actual", "The days of each year (365 or 366)"),
]


class ArCountryRule(models.Model):
    """The law of a country about claims that are not paid, in figures.

    One record per country, shared by all companies or of one alone. What a field holds is what
    the wings above do; :class:`ArCountryWords` says the same in words, so that the page never
    says what is not done. The pack without a country claims no law: its values are the defaults.
    """

    _name = "ar.country.rule"
    _description = "Country Pack"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    country_id = fields.Many2one(
        "res.country", help="Companies of this country begin with it. Empty: of no country."
    )
    company_id = fields.Many2one(
        "res.company",
        domain=[("parent_id", "=", False)],
        help="Leave empty to share it by all companies.",
    )
    user_company_ids = fields.One2many(
        "res.company", "ar_country_rule_id", string="Used By", readonly=True
    )
    note = fields.Text(
        translate=True, string="Left Out", help="What was not checked, so that nothing is said."
    )
    words = fields.Html(string="In Plain Words", compute="_compute_words", sanitize=False)
    is_used = fields.Boolean(
        string="Used by My Company", compute="_compute_is_used", compute_sudo=True
    )

    # Limitation

    limitation_years = fields.Integer(
        string="Limitation (years)",
        default=3,
        help="After so many years the customer may refuse to pay. Zero: no clock is kept.",
    )
    limitation_from = fields.Selection(
        [("due", "From the due date"), ("year_end", "From the end of the year it is due in")],
        string="First Clock",
        default="due",
        required=True,
        help="A clock that starts anew counts from the day itself.",
    )
    limitation_by_debt = fields.Boolean(
        string="Instalments Count From the Last",
        help="All instalments of one invoice have the clock of the last of them.",
    )
    limitation_longest = fields.Integer(
        string="Longest Limitation (years)",
        help="From the due date, whatever started the clock anew. Zero for no such end.",
    )
    enforcement_years = fields.Integer(
        string="After a Judgment (years)", help="Zero: as long as without one."
    )
    demand_restarts = fields.Selection(
        [
            ("no", "Never"),
            ("proven", "When its arrival is proven"),
            ("sent", "When it was sent, or somebody was reached"),
        ],
        string="A Demand Starts It Anew",
        default="sent",
        required=True,
    )
    payment_restarts = fields.Boolean(string="A Part Payment Starts It Anew", default=True)
    promise_restarts = fields.Boolean(string="A Promise Starts It Anew", default=True)
    lawsuit_effect = fields.Selection(
        [
            ("restart", "Starts it anew when it is filed"),
            ("restart_end", "Stops it, and starts it anew when it has ended"),
            ("suspend", "Stops it for as long as it lasts"),
        ],
        string="A Lawsuit",
        default="restart",
        required=True,
    )
    lawsuit_months = fields.Integer(
        string="Stopped After Its End (months)",
        help="So long after the end of the lawsuit the clock still stands.",
    )
    revived_by = fields.Selection(
        [
            ("any", "A payment, promise, plan or acknowledgement"),
            ("signed", "Only what the customer signs"),
        ],
        string="Barred Claims Revive By",
        default="any",
        required=True,
    )

    # Interest

    rate_ids = fields.One2many("ar.country.rate", "rule_id", string="Base Rates", copy=True)
    rate_name = fields.Char(string="Base Rate", translate=True)
    interest_points = fields.Float(
        string="Points Above the Base Rate", help="Percentage points: 9 makes 1.27 % to 10.27 %."
    )
    interest_share = fields.Float(
        string="Share on Top of the Base Rate (%)", help="30 makes 3.00 % to 3.90 %."
    )
    interest_fixed = fields.Boolean(
        string="Rate of the Day of the Breach",
        help="The base rate of the first day of lateness counts for all days of the item.",
    )
    day_count = fields.Selection(
        DAY_COUNTS,
        string="Days of a Year",
        default="365",
        required=True,
    )
    lump_sum = fields.Float(help="For the costs of collection, once per item. Zero for none.")
    lump_sum_currency_id = fields.Many2one("res.currency")

    # Dates, terms, tax, papers

    due_on_working_day = fields.Boolean(
        string="Due Dates Move to a Working Day",
        help="Who pays on the next working day after a due date on a day off has paid in time.",
    )
    longest_term = fields.Integer(string="Longest Lawful Term (days)", help="Zero for none.")
    term_note = fields.Char(string="For Whom the Term Counts", translate=True)
    contact_from = fields.Float(string="Contacts From", help="Hour of the day. Both zero: always.")
    contact_to = fields.Float(string="Contacts Until")
    tax_relief = fields.Selection(
        [("reason", "As the reason of the write-off says"), ("none", "Never given back")],
        string="Sales Tax of a Bad Debt",
        default="reason",
        required=True,
    )
    papers = fields.Text(
        string="Papers and Filing of a Write-Off",
        translate=True,
        help="Shown with the reasons of write-offs.",
    )
    provision = fields.Text(
        string="Customary Allowance",
        translate=True,
        help="For information: rates are your own, or proposed from your own history.",
    )
    demand_text = fields.Text(
        string="Text of Demands", translate=True, help="Printed on the final demand."
    )

    # The last field: what a source is of stands before.
    claim_ids = fields.One2many("ar.country.claim", "rule_id", string="Sources", copy=True)

    _country_uniq = models.UniqueIndex(
        "(country_id, company_id) NULLS NOT DISTINCT WHERE active",
        "There is a pack of this country already.",
    )
    _not_negative = models.Constraint(
        "CHECK(limitation_years >= 0 AND limitation_longest >= 0 AND enforcement_years >= 0"
        " AND lawsuit_months >= 0 AND longest_term >= 0 AND lump_sum >= 0"
        " AND interest_share >= 0)",
        "Years, months, days, shares and lump sums cannot be negative.",
    )
    _contact_hours = models.Constraint(
        "CHECK((contact_from = 0 AND contact_to = 0)"
        " OR (contact_from >= 0 AND contact_from < contact_to AND contact_to <= 24))",
        "Contact hours begin before they end, within one day.",
    )

    @api.depends(
        "claim_ids.source",
        "claim_ids.url",
        "claim_ids.is_changed",
        "rate_ids.date",
        "rate_ids.rate",
        *(name for names in TOPICS.values() for name in names),
    )
    @api.depends_context("lang", "allowed_company_ids")
    def _compute_words(self):
        words = self.env["ar.country.words"]
        for rule in self:
            rule.words = words._get_page(rule)

    @api.depends("user_company_ids")
    @api.depends_context("company")
    def _compute_is_used(self):
        used = self.env.company._ar_get_country_rule()
        for rule in self:
            rule.is_used = rule._origin == used

    def unlink(self):
        # What goes with a pack leaves no XML id behind.
        self.rate_ids.unlink()
        self.claim_ids.unlink()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        companies = self.env["res.company"].sudo().search([("ar_country_rule_id", "in", self.ids)])
        if companies:
            raise UserError(
                self.env._(
                    "%(company)s lives by this pack: choose another one for it first.",
                    company=companies[0].display_name,
                )
            )

    # Choosing

    @api.model
    def _get_pack(self, country, company=None):
        """The pack that companies of a country begin with.

        :param company: a root company whose own pack comes before the shared one
        :return: one record, the neutral pack where the country has none
        """
        packs = self.sudo().search(
            [
                ("country_id", "in", (country.id, False)),
                ("company_id", "in", (company.id if company else False, False)),
            ]
        )
        return packs.sorted(
            lambda pack: (pack.country_id != country, not pack.company_id, pack.id)
        )[:1]

    def _check_manager(self):
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager chooses the country pack."))

    def action_use(self):
        """Let the user's company live by this pack."""
        self.ensure_one()
        self._check_manager()
        self.check_access("read")
        self._use(self.env.company.root_id)
        return True

    def action_make_own(self):
        """A version of this pack for the user's company alone, to be changed."""
        self.ensure_one()
        self._check_manager()
        company = self.env.company.root_id
        own = self._make_own(company)
        own._use(company)
        return own._get_records_action()

    def _use(self, company):
        if self.company_id and self.company_id != company:
            raise UserError(self.env._("%s is the pack of another company.", self.display_name))
        # The company is its administrator's; who chooses its law was checked.
        company.sudo().ar_country_rule_id = self

    def _make_own(self, company):
        """Copy the pack for one company."""
        return self.copy(
            {
                "name": self.env._(
                    "%(pack)s (%(company)s)", pack=self.name, company=company.display_name
                ),
                "company_id": company.id,
            }
        )

    # Statutory interest

    def _get_interest_rates(self):
        """What the law gives for lateness: ``[(first day, percent a year)]``, the oldest first.

        ``base rate x (1 + share / 100) + points``, never below zero. Days before the first base
        rate have none: the pack says nothing of them.
        """
        return [
            (
                rate.date,
                max(
                    round(rate.rate * (1 + self.interest_share / 100) + self.interest_points, 6),
                    0,
                ),
            )
            for rate in self.rate_ids.sorted("date")
        ]

    def _get_interest_rate(self, date):
        """Percent a year on a day, ``None`` where the pack says nothing."""
        known = [percent for day, percent in self._get_interest_rates() if day <= date]
        return known[-1] if known else None
