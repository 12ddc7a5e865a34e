from odoo import models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _action_done(self, feedback=False, attachment_ids=None):
        # EXTENDS mail: an activity of a collection action that is done is a contact made
        actions = self.env["ar.collection.action"].search(
            [
                ("activity_id", "in", self.ids),
                ("state", "=", "planned"),
            ]
        )
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        for company, company_actions in actions.grouped("company_id").items():
            if feedback:
                company_actions.note = feedback
            # The frozen items of an action are proof, written by the system alone.
            company_actions.sudo()._mark_done(company._ar_today(), "done")
        return result
