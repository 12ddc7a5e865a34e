from odoo import models
from odoo.exceptions import UserError


class ArPaymentPlan(models.Model):
    _inherit = "ar.payment.plan"

    def _refuse_in_portal(self, name, comment):
        """The customer wants other instalments: the plan is a draft again, its collector is told.

        :param name: of the person who refuses, :param comment: what the customer wants
        """
        self._check_state("proposed")
        if not (name or "").strip() or not (comment or "").strip():
            raise UserError(self.env._("Write your name and what we should change."))
        claims = self.env["ar.portal.claim"]
        claims._check_words(name, comment)
        # The customer has no rights on collection.
        plan = self.sudo()
        plan.write({"state": "draft", "approved_by_id": False})
        claims._tell_contact(
            plan.file_id, plan, self.env._("Refused in the portal by %s.", name.strip()), comment
        )
        plan.activity_schedule(
            "mail.mail_activity_data_todo",
            plan.company_id._ar_today(),
            summary=self.env._("The customer wants another payment plan"),
            note=comment,
            user_id=plan.file_id._portal_contact().id,
        )
