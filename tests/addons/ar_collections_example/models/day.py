from odoo import models


class ArCollectionRun(models.Model):
    _inherit = "ar.collection.run"

    def _get_reason_not_to_send(self):
        if not self.company_id.email:
            return self.env._("The company has no e-mail address of its own.")
        return super()._get_reason_not_to_send()
