from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL, format_amount, format_date

# A promise that was judged is judged again when a matching changes, not when it was cancelled by
# hand.
JUDGED = ("open", "kept", "broken")


class ArPaymentPromise(models.Model):
    """The customer's word to pay an amount by a day. Dunning of that amount waits for it.

    Whether it was kept is read from the ledger: money and set-offs matched with its items since
    it was made, dated not later than the promised day and the company's days of grace. One that
    was put off by another one, or by a plan, was not kept; on the day when it was made it is only
    corrected, and the first wording counts for nothing.
    """

    _name = "ar.payment.promise"
    _inherit = ["ar.ledger.follower", "ar.case.record", "ar.agreement.limited"]
    _description = "Promise to Pay"
    _order = "date desc, id desc"
    _rec_name = "partner_id"
    _creation_fields = (
        "partner_id",
        "company_id",
        "case_id",
        "action_id",
        "currency_id",
        "amount",
        "date",
        "line_ids",
    )

    amount = fields.Monetary(required=True, readonly=True, tracking=True)
    amount_paid = fields.Monetary(compute="_compute_amount_paid")
    date = fields.Date(
        string="Promised For", required=True, readonly=True, index=True, tracking=True
    )
    date_made = fields.Date(
        string="Made On",
        required=True,
        readonly=True,
        default=lambda self: self.env.company._ar_today(),
    )
    date_closed = fields.Date(string="Decided On", readonly=True)
    # Nothing was left to pay, by a write-off for example: it lives again when that is undone.
    closed_by_ledger = fields.Boolean(readonly=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("kept", "Kept"),
            ("broken", "Broken"),
            ("replaced", "Replaced"),
            ("cancelled", "Cancelled"),
        ],
        default="open",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    is_decided = fields.Boolean(
        string="Counts",
        compute="_compute_kept_share",
        store=True,
        help="It counts for the promise-kept rate: it was kept, broken, or put off.",
    )
    kept_share = fields.Float(
        string="Kept",
        compute="_compute_kept_share",
        store=True,
        aggregator="avg",
        help="Its average over the promises that were decided is the promise-kept rate.",
    )
    line_ids = fields.One2many(
        "ar.payment.promise.line", "promise_id", string="Items", readonly=True
    )
    contact_id = fields.Many2one("res.partner", string="Promised By")
    note = fields.Text()
    replaced_by_id = fields.Many2one("ar.payment.promise", readonly=True, ondelete="set null")

    _positive = models.Constraint(
        "CHECK(amount > 0)", "The promised amount must be greater than zero."
    )
    _decided = models.Constraint(
        "CHECK(state = 'open' OR date_closed IS NOT NULL)", "A promise is decided on a day."
    )
    _open_idx = models.Index("(company_id, date) WHERE state = 'open'")

    @api.model
    def _read_group_select(self, aggregate_spec, query):
        # EXTENDS base: the rate is of the promises that were decided, whatever else is listed
        result = super()._read_group_select(aggregate_spec, query)
        if aggregate_spec == "kept_share:avg":
            result = SQL("%s FILTER (WHERE is_decided)", result)
        return result

    @api.depends("state")
    def _compute_kept_share(self):
        """The one place that says which promises count, and which of them were kept."""
        for promise in self:
            promise.is_decided = promise.state in ("kept", "broken", "replaced")
            promise.kept_share = float(promise.state == "kept")

    def _compute_amount_paid(self):
        settled = self.line_ids._get_settled_since()
        for promise in self:
            paid = sum(settled[line.id].paid for line in promise.line_ids if line.id)
            promise.amount_paid = min(paid, promise.amount)

    @api.depends("partner_id", "amount", "date")
    def _compute_display_name(self):
        for promise in self:
            promise.display_name = self.env._(
                "%(amount)s by %(date)s",
                amount=format_amount(self.env, promise.amount, promise.currency_id),
                date=format_date(self.env, promise.date),
            )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        promises = super().create(vals_list)
        # The ledger decides what follows, whatever its reader may see.
        made = promises.sudo()
        made._check_term()
        made.filtered(lambda promise: not promise.line_ids)._allocate_to_items()
        made._check_items()
        promises._check_limits()
        made._replace_former()
        for company, same in made.grouped("company_id").items():
            self.env["ar.ledger.touch"]._touch_customers(company, same.partner_id)
        return promises

    def _check_term(self):
        for promise in self:
            if reason := promise.file_id._get_reason_not_to_agree():
                raise UserError(reason)
            if promise.date < promise.date_made:
                raise ValidationError(
                    self.env._("The promised day is in the past: choose a later one.")
                )

    def _check_limits(self):
        """Beyond the limits of the grade a credit manager alone takes a promise, and signs it."""
        renewals = self.sudo()._count_former()
        for promise in self:
            beyond = (
                promise.sudo()
                .file_id._get_agreement_limits()
                .get_promise_excess(self.env, promise.date_made, promise.date, renewals[promise])
            )
            promise._approve_beyond(beyond)

    def _count_former(self):
        """``{promise: how often one of its items was promised before, and not paid}``

        What is put off now counts, what is only corrected does not.
        """
        former = (
            self.env["ar.payment.promise.line"]
            .search(
                [
                    ("move_line_id", "in", self.line_ids.move_line_id.ids),
                    ("promise_id", "not in", self.ids),
                    ("promise_id.state", "in", ("open", "broken", "replaced")),
                ]
            )
            .grouped("move_line_id")
        )
        return {
            promise: max(
                (
                    len(
                        former[item].promise_id.filtered(
                            lambda other, promise=promise: (
                                other.state != "open" or other.date_made < promise.date_made
                            )
                        )
                    )
                    for item in promise.line_ids.move_line_id
                    if item in former
                ),
                default=0,
            )
            for promise in self
        }

    def _allocate_to_items(self):
        """Take the amount from the open items in its currency, the oldest due date first."""
        values = []
        for company, promises in self.grouped("company_id").items():
            items = self.env["ar.position"]._items(
                company, company._ar_today(), promises.partner_id, current=True
            )
            for promise in promises:
                parts = promise._get_promised_parts(
                    [
                        item
                        for item in items.get((company.id, promise.partner_id.id), ())
                        if item.currency_id == promise.currency_id.id and item.residual_currency > 0
                    ]
                )
                values += [
                    {"promise_id": promise.id, "move_line_id": line_id, "amount": part}
                    for line_id, part in parts.items()
                ]
        self.env["ar.payment.promise.line"].create(values)

    def _get_promised_parts(self, items):
        """``{line id: amount}`` of open items, the oldest first, that the promise is about.

        What open credits pay is promised last, and nobody promises to pay what it objects to.
        """
        left, parts = self.amount, {}
        for most in ("agreeable_currency", "undisputed_currency"):
            for item in items:
                taken = parts.get(item.line_id, 0)
                part = self.currency_id.round(min(left, getattr(item, most) - taken))
                if self.currency_id.compare_amounts(part, 0) > 0:
                    left -= part
                    parts[item.line_id] = taken + part
        return parts

    def _check_not_more(self):
        for promise in self:
            total = sum(promise.line_ids.mapped("amount"))
            if promise.currency_id.compare_amounts(total, promise.amount) > 0:
                raise ValidationError(self.env._("The items are more than what was promised."))

    def _check_items(self):
        for promise in self:
            total = sum(promise.line_ids.mapped("amount"))
            if promise.line_ids.currency_id - promise.currency_id:
                raise ValidationError(
                    self.env._(
                        "A promise is in one currency: make another one for the other items."
                    )
                )
            if promise.currency_id.compare_amounts(total, promise.amount):
                raise ValidationError(
                    self.env._(
                        "%(customer)s has promised %(amount)s, but only %(total)s of it has open "
                        "items in this currency. Correct the amount or the items.",
                        customer=promise.partner_id.display_name,
                        amount=format_amount(self.env, promise.amount, promise.currency_id),
                        total=format_amount(self.env, total, promise.currency_id),
                    )
                )

    def _replace_former(self):
        """A new promise takes the place of open ones for the same items."""
        for promise in self:
            former = self.search(
                [
                    ("state", "=", "open"),
                    ("line_ids.move_line_id", "in", promise.line_ids.move_line_id.ids),
                    ("id", "!=", promise.id),
                ]
            )
            former._put_off(promise.date_made, replaced_by_id=promise.id)

    def _put_off(self, date, **values):
        """Something else was agreed: a promise was put off, or corrected on its own day.

        :param values: what else is written
        """
        for company, promises in self.grouped("company_id").items():
            corrected = promises.filtered(lambda promise: promise.date_made == date)
            corrected.write({"state": "cancelled", "date_closed": date, **values})
            (promises - corrected).write({"state": "replaced", "date_closed": date, **values})
            self.env["ar.credit.file"]._count_promises(
                company, company._ar_get_run_date(), promises.partner_id
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_record(self):
        raise UserError(self.env._("A promise stays as a record. A manager can cancel it."))

    # Decision

    @api.model
    def _follow_matching(self, lines):
        """Judge the promises for these journal items again."""
        promises = (
            self.env["ar.payment.promise.line"]
            .search([("move_line_id", "in", lines.ids)])
            .promise_id.filtered(
                lambda promise: promise.state in JUDGED or promise.closed_by_ledger
            )
        )
        for company, same in promises.grouped("company_id").items():
            same._judge_by_ledger(company._ar_get_run_date())

    @api.model
    def _judge_promises(self, company, date):
        """The daily judgement of all open promises of the company."""
        self.search([("company_id", "=", company.id), ("state", "=", "open")])._judge_by_ledger(
            date
        )
        self.env["ar.credit.file"]._count_promises(company, date)

    def _judge_by_ledger(self, date):
        """Keep, break or open again, by what the ledger says on a date."""
        settled = self.line_ids._get_settled_since(
            {line: line.promise_id._last_day() for line in self.line_ids}
        )
        verdicts = {
            promise: promise._get_verdict(
                sum(settled[line.id].paid for line in promise.line_ids),
                sum(settled[line.id].void for line in promise.line_ids),
                date,
            )
            for promise in self
        }
        changed = self.filtered(lambda promise: verdicts[promise] != promise.state)
        for promise in changed:
            state, closed = verdicts[promise], date
            if state == "kept":
                # It held until the money came, also when that is booked days later.
                last_days = [settled[line.id].last_on for line in promise.line_ids]
                closed = max([date, *filter(None, last_days)])
            promise.write(
                {
                    "state": state,
                    "date_closed": state != "open" and closed,
                    "closed_by_ledger": state == "cancelled",
                }
            )
        for company, promises in changed.grouped("company_id").items():
            self.env["ar.credit.file"]._count_promises(company, date, promises.partner_id)
        changed.filtered(lambda promise: promise.state == "broken")._after_broken(date)

    def _get_verdict(self, paid, void, date):
        """The state that the ledger gives the promise on a date."""
        required = self.currency_id.round(self.amount - void)
        if required <= 0:
            return "cancelled"
        enough = required * (1 - self.company_id.ar_promise_tolerance)
        if self.currency_id.compare_amounts(paid, enough) >= 0:
            return "kept"
        return "broken" if date > self._last_day() else "open"

    def _last_day(self):
        """The promised day and the company's days of grace."""
        return self.date + timedelta(days=self.company_id.ar_promise_grace_days)

    def _after_broken(self, date):
        notes = {
            promise: self.env._(
                "The promise of %(amount)s by %(date)s was broken; %(paid)s came.",
                amount=format_amount(self.env, promise.amount, promise.currency_id),
                date=format_date(self.env, promise.date),
                paid=format_amount(self.env, promise.amount_paid, promise.currency_id),
            )
            for promise in self
        }
        self._call_after_broken(notes, date)

    def action_cancel(self):
        """A promise that was entered by mistake; it counts for nothing."""
        for promise in self:
            if not self.env.user.has_group("ar_collections.group_credit_manager"):
                raise AccessError(self.env._("Only a credit manager cancels a promise."))
            if promise.state != "open":
                raise UserError(self.env._("Only an open promise can be cancelled."))
        self.check_access("write")
        self.sudo()._give_up()

    def _give_up(self):
        """Nothing is expected any more, and nothing is held against the customer."""
        for company, promises in self.grouped("company_id").items():
            promises.write({"state": "cancelled", "date_closed": company._ar_today()})
            self.env["ar.ledger.touch"]._touch_customers(company, promises.partner_id)


class ArPaymentPromiseLine(models.Model):
    """The part of one item that a promise is about."""

    _name = "ar.payment.promise.line"
    _inherit = "ar.claim.line"
    _description = "Promised Item"
    _creation_fields = ("promise_id",)
    _claim_parent = "promise_id"
    _claim_kind = "promised"

    promise_id = fields.Many2one(
        "ar.payment.promise", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="promise_id.company_id", store=True, precompute=True, index=True
    )

    _once = models.Constraint("UNIQUE(promise_id, move_line_id)", "A promise names each item once.")

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        # Nobody adds items to a promise that is made.
        lines.promise_id.sudo()._check_not_more()
        return lines
