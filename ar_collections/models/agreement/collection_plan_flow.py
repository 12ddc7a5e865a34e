from datetime import timedelta
from itertools import accumulate

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_amount, format_date

# A plan that was judged is judged again when a matching changes.
JUDGED = ("accepted", "done", "defaulted")


class ArPaymentPlan(models.Model):
    """A plan's way: draft, proposed, accepted by the customer, done or defaulted."""

    _inherit = "ar.payment.plan"

    # What mails may say.
    instalments_table = fields.Html(compute="_compute_texts", sanitize=False)
    next_text = fields.Char(compute="_compute_texts")

    @api.model
    def mail_allowed_qweb_expressions(self):
        # EXTENDS mail
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.instalments_table",
            "object.next_text",
        )

    @api.depends_context("lang")
    def _compute_texts(self):
        for plan in self:

            def money(amount, plan=plan):
                return format_amount(self.env, amount, plan.currency_id)

            plan.instalments_table = self.env["ir.qweb"]._render(
                "ar_collections.plan_instalments",
                {"plan": plan, "money": money, "day": lambda day: format_date(self.env, day)},
            )
            plan.next_text = self.env._(
                "%(amount)s by %(date)s",
                amount=money(plan.next_amount),
                date=format_date(self.env, plan.next_date) if plan.next_date else "",
            )

    def action_propose(self):
        """Send the plan to the customer, who accepts it in the portal or signs it on paper."""
        self._check_state("draft")
        self.check_access("write")
        self._check_instalments()
        for plan in self.sudo():
            plan.state = "proposed"
            plan._mail_customer("ar_collections.mail_template_plan_proposal")

    def action_revise(self):
        """Back to draft, for other instalments."""
        self._check_state("proposed")
        self.check_access("write")
        self.sudo().write({"state": "draft"})

    def _refuse(self, name, comment):
        """The customer wants other instalments: the plan is a draft again, its collector is told.

        :param name: of the person who refuses, :param comment: what the customer wants
        """
        self._check_state("proposed")
        if not (name or "").strip() or not (comment or "").strip():
            raise UserError(self.env._("Write your name and what we should change."))
        self.file_id._portal_check_words(name, comment)
        # The customer has no rights on collection.
        plan = self.sudo()
        plan.state = "draft"
        plan.file_id._portal_tell(
            plan, self.env._("Refused in the portal by %s.", name.strip()), comment
        )
        plan.activity_schedule(
            "mail.mail_activity_data_todo",
            plan.company_id._ar_today(),
            summary=self.env._("The customer wants another payment plan"),
            note=comment,
            user_id=plan.file_id._portal_contact().id or plan.user_id.id,
        )

    def action_accept(self):
        """The customer signed on paper: the collector has uploaded it."""
        self._check_state("proposed")
        self.check_access("write")
        self._check_signed_document()
        for plan in self:
            signer = plan.contact_id.name or plan.partner_id.name
            plan._accept(signer)

    def _accept(self, signed_by, signature=None):
        """The customer agrees: dunning of the items stops until the plan ends.

        :param signed_by: name of the person
        :param signature: base64 image of a signature drawn in the portal
        """
        self._check_state("proposed")
        # The customer has no rights on collection.
        plan = self.sudo()
        plan.item_ids._renew()
        plan._check_instalments()
        plan._record_signature(signed_by, signature)
        date = plan.company_id._ar_today()
        plan.write({"state": "accepted", "date_accepted": date})
        plan._replace_promises(date)
        plan.message_post(
            body=self.env._("Accepted by %s.", plan.signed_by), subtype_xmlid="mail.mt_note"
        )
        self.env["ar.collection.case"]._claims_changed(plan.company_id, plan.partner_id)

    def _replace_promises(self, date):
        """What was promised before is in the plan now."""
        self.env["ar.payment.promise"].search(
            [
                ("state", "=", "open"),
                ("line_ids.move_line_id", "in", self.item_ids.move_line_id.ids),
            ]
        ).write({"state": "replaced", "date_closed": date})

    def action_cancel(self):
        """Give the plan up: a manager when the customer has accepted it."""
        self.check_access("write")
        for plan in self:
            if plan.state not in ("draft", "proposed", "accepted"):
                raise UserError(self.env._("%s is over.", plan.name))
            if plan.state == "accepted" and not self.env.user.has_group(
                "ar_collections.group_credit_manager"
            ):
                raise AccessError(
                    self.env._("Only a credit manager cancels a plan that was accepted.")
                )
        for company, plans in self.sudo().grouped("company_id").items():
            plans.write({"state": "cancelled", "date_closed": company._ar_today()})
            self.env["ar.collection.case"]._claims_changed(company, plans.partner_id)

    def _check_state(self, state):
        for plan in self:
            if plan.state != state:
                raise UserError(
                    self.env._(
                        "%(plan)s is %(state)s.",
                        plan=plan.name,
                        state=dict(self._fields["state"]._description_selection(self.env))[
                            plan.state
                        ].lower(),
                    )
                )

    # Judgement

    @api.model
    def _follow_matching(self, lines):
        """Judge the accepted plans for these journal items again."""
        plans = (
            self.env["ar.payment.plan.item"]
            .search([("move_line_id", "in", lines.ids)])
            .plan_id.filtered(lambda plan: plan.state in JUDGED or plan.closed_by_ledger)
        )
        for company, same in plans.grouped("company_id").items():
            same._judge(company._ar_get_run_date())

    @api.model
    def _evaluate(self, company, date):
        """The daily judgement of the company's plans, and their reminders."""
        plans = self.search([("company_id", "=", company.id), ("state", "=", "accepted")])
        plans._judge(date)
        plans.filtered(lambda plan: plan.state == "accepted")._remind(date)

    def _judge(self, date):
        """Done, defaulted or still running, by what the ledger says on a date."""
        payments = self._payments()
        in_time = self._paid_in_time(date)
        verdicts = {plan: plan._verdict(*payments[plan], in_time[plan]) for plan in self}
        changed = self.filtered(lambda plan: verdicts[plan] != plan.state)
        settled = changed.item_ids._settled_since()
        for plan in changed:
            state, closed = verdicts[plan], date
            if state == "done":
                last_days = [settled[item.id].last_on for item in plan.item_ids]
                closed = max([date, *filter(None, last_days)])
            plan.write(
                {
                    "state": state,
                    "date_closed": state != "accepted" and closed,
                    "closed_by_ledger": state == "cancelled",
                }
            )
        changed.filtered(lambda plan: plan.state == "done")._plan_kept(date)
        changed.filtered(lambda plan: plan.state == "defaulted")._plan_defaulted(date)
        for company, plans in changed.grouped("company_id").items():
            self.env["ar.credit.file"]._count_promises(company, date, plans.partner_id)

    def _paid_in_time(self, date):
        """What was paid by the last day of each instalment that is over.

        :return: ``{plan: [(due by then, paid by then)]}``
        """
        ends = {}
        for plan in self:
            grace = timedelta(days=plan.company_id.ar_promise_grace_days)
            lines = plan.line_ids.sorted(lambda line: (line.date, line.id))
            dues = accumulate(lines.mapped("amount"))
            ends[plan] = [
                (due, line.date + grace)
                for line, due in zip(lines, dues, strict=True)
                if line.date + grace < date
            ]
        settled = self.item_ids._settled_by(
            [
                (item.id, last_day)
                for plan in self
                for _due, last_day in ends[plan]
                for item in plan.item_ids
            ]
        )
        return {
            plan: [
                (due, sum(settled[item.id, last_day].paid for item in plan.item_ids))
                for due, last_day in ends[plan]
            ]
            for plan in self
        }

    def _verdict(self, paid, void, in_time):
        """The state that payments give an accepted plan.

        :param in_time: ``[(due, paid)]`` by the last day of each instalment that is over
        """
        compare = self.currency_id.compare_amounts
        to_pay = self.currency_id.round(self.amount_total - void)
        if to_pay <= 0 and not paid:
            return "cancelled"
        if any(compare(then, min(due, to_pay)) < 0 for due, then in in_time):
            return "defaulted"
        return "done" if compare(paid, to_pay) >= 0 else "accepted"

    def _plan_kept(self, date):
        for plan in self:
            plan.message_post(
                body=self.env._("All instalments are paid."), subtype_xmlid="mail.mt_note"
            )

    def _plan_defaulted(self, date):
        notes = {}
        for plan in self:
            notes[plan] = self.env._(
                "Payment plan %(plan)s was not kept: %(paid)s of %(total)s came.",
                plan=plan.name,
                paid=format_amount(self.env, plan.amount_paid, plan.currency_id),
                total=format_amount(self.env, plan.amount_total, plan.currency_id),
            )
            plan.message_post(body=notes[plan], subtype_xmlid="mail.mt_note")
        self._call_after_broken(notes, date)

    # Messages

    def _remind(self, date):
        """Remind of instalments that fall due soon, once each."""
        for plan in self.filtered("reminder_days"):
            last = date + timedelta(days=plan.reminder_days)
            soon = plan.line_ids.filtered(
                lambda line, last=last: (
                    not line.date_reminded and line.state != "paid" and date <= line.date <= last
                )
            )
            if soon:
                soon.date_reminded = date
                plan._mail_customer("ar_collections.mail_template_plan_reminder")
