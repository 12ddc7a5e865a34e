from odoo import models
from odoo.exceptions import UserError


class ArPaymentPlan(models.Model):
    """Late charges as a bargaining chip: waived when the plan is kept, invoiced when not."""

    _inherit = "ar.payment.plan"

    def _get_excess(self):
        # EXTENDS ar_collections: who proposes to waive is who may waive
        excess = super()._get_excess()
        if self.waive_charges:
            excess.append(self.env._("late charges are waived if it is kept"))
        return excess

    def _plan_kept(self, date):
        # EXTENDS ar_collections
        result = super()._plan_kept(date)
        self.filtered("waive_charges")._waive_plan_charges(date)
        return result

    def _plan_defaulted(self, date):
        # EXTENDS ar_collections
        result = super()._plan_defaulted(date)
        for plan in self.filtered("waive_charges"):
            plan._charge_plan(date)
        return result

    def _get_plan_accruals(self, company, date):
        """What the items of these plans have accrued: ``{plan: [Accrual]}``."""
        accrued = self.env["ar.late.charge.accrual"]._get_accruals(company, date, self.partner_id)
        return {
            plan: [
                accrual
                for accrual in accrued.get(plan.partner_id.id, ())
                if accrual.line_id in set(plan.item_ids.move_line_id.ids)
            ]
            for plan in self
        }

    def _waive_plan_charges(self, date):
        """Waive all that the items have accrued, unless the plan was broken before."""
        charges = self.env["ar.late.charge"]
        broken = charges.search(
            [("plan_id", "in", self.ids), ("state", "in", ("drafted", "posted"))]
        )
        for company, plans in (self - broken.plan_id).grouped("company_id").items():
            # The last payment may be younger than the last daily run.
            paid = plans.item_ids.move_line_id.matched_credit_ids.mapped("max_date")
            accruals = plans._get_plan_accruals(company, max([date, *paid]))
            for plan in plans:
                if accruals[plan]:
                    charges._waive_accrued(
                        company,
                        date,
                        accruals[plan],
                        self.env._("Payment plan %s was kept.", plan.name),
                        shares=plan._get_planned_shares(),
                        plan_id=plan.id,
                    )

    def _get_planned_shares(self):
        """``{journal item id: share of it that the plan was about}``.

        Of what was open when the plan was made: its part, and what was paid since.
        """
        self.ensure_one()
        shares = {}
        for part in self.item_ids:
            line = part.move_line_id
            whole = part.residual_before or part.amount
            shares[line.id] = min(part.amount / whole, 1) if whole else 1
        return shares

    def _charge_plan(self, date):
        """Invoice what the items have accrued: a draft for the credit manager, or at once.

        It is the plan's own consequence, whoever matched the payment or ran the day, so it is
        done as the system. What stands in the way is the credit manager's to clear: neither a
        payment nor the daily run stops at it.
        """
        self.ensure_one()
        plan, company = self.sudo(), self.company_id
        charges = self.env["ar.late.charge"].sudo()
        # The plan counted as kept until a payment was taken back.
        charges.search([("plan_id", "=", plan.id), ("state", "=", "waived")]).write(
            {"state": "cancelled"}
        )
        accruals = plan._get_plan_accruals(company, date)[plan]
        runs = self.env["ar.late.charge.run"].sudo()
        if not company.ar_charge_from or not accruals:
            return
        try:
            with self.env.cr.savepoint():
                company._ar_check_charge_settings()
                run = runs.create(
                    {
                        "company_id": company.id,
                        "date": date,
                        "partner_ids": [(6, 0, plan.partner_id.ids)],
                    }
                )
                if not run._charge_accruals(accruals, plan):
                    return
                if company.ar_charge_post_plans:
                    run.move_ids.action_post()
                    return
                note = self.env._("Post or cancel the draft debit note of the late charges.")
        except UserError as error:
            self.env.invalidate_all(flush=False)
            note = str(error)
        plan.activity_schedule(
            "ar_collections.activity_charge",
            date,
            summary=self.env._("Late charges of a broken plan"),
            note=note,
            user_id=(company._ar_credit_manager(plan.file_id) | plan.user_id | self.env.user)
            ._ar_or_next(company)
            .id,
        )
