from odoo import models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def unlink(self):
        # EXTENDS account
        if not self:
            return super().unlink()
        lines = self.debit_move_id | self.credit_move_id
        self._ar_check_undoing(lines)
        result = super().unlink()
        self.env["ar.ledger.touch"]._touch_items(lines.exists(), matched=True)
        return result

    def _ar_check_undoing(self, lines):
        """Refuse to open again what stays settled.

        :param lines: the matched journal items
        :raises UserError: with the way that is open
        """
