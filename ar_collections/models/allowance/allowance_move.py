from odoo import models


class AccountMove(models.Model):
    """The entry of an allowance run is taken back by the run, and by nothing else."""

    _inherit = "account.move"

    def _ar_bookings(self):
        # EXTENDS ar_collections
        # Whoever touches an entry need not see allowance runs.
        runs = self.env["ar.allowance.run"].sudo()
        among = ["|", ("move_id", "in", self.ids), ("reversal_id", "in", self.ids)]
        return [*super()._ar_bookings(), *runs.search(among)]
