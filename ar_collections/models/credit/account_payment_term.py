from odoo import models


class AccountPaymentTerm(models.Model):
    _inherit = "account.payment.term"

    def _ar_get_days(self, date):
        """Days from an invoice of a date to its last instalment, zero without a term."""
        return max(((line._get_due_date(date) - date).days for line in self.line_ids), default=0)
