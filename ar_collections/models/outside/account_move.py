from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _get_alerts(self):
        # EXTENDS account: who writes in the chatter of an invoice sees no composer that warns
        alerts = super()._get_alerts()
        is_ours = (
            self.env.user._is_internal()
            and self.state == "posted"
            and self.is_sale_document(include_receipts=True)
        )
        if is_ours and not self.currency_id.is_zero(self.amount_residual):
            warning = self.env["ar.insolvency"]._get_warning(self._name, self.ids)
            if warning:
                alerts["ar_insolvency"] = {"level": "warning", "message": warning}
        return alerts
