from odoo import models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    # Past dates undo what was matched after them.
    _ar_max_date_idx = models.Index("(max_date)")

    def unlink(self):
        # EXTENDS account
        lines = self.debit_move_id | self.credit_move_id
        result = super().unlink()
        if lines:
            self.env["ar.ledger.touch"]._touch_items(lines.exists(), matched=True)
        return result
