from odoo import fields, models
from odoo.exceptions import UserError

# So many messages a company without a history sends in a day without asking.
FIRST_LIMIT = 200


class ResCompany(models.Model):
    """From when on a company sends, and how much in a day."""

    _inherit = "res.company"

    ar_daily_limit = fields.Integer(
        string="Messages a Day Without Asking",
        help="What is more waits until a credit manager says yes: a wrong bank feed must not "
        "become thousands of letters. Zero for 200, or twice as many as on the largest day so "
        "far.",
    )

    ar_digest_days = fields.Integer(
        string="Digest for Salespeople Every (days)",
        default=7,
        help="Overdue amounts, broken promises, holds and releases of their own customers. Zero "
        "for none.",
    )
    ar_digest_date = fields.Date(string="Last Digest for Salespeople", readonly=True)

    _ar_daily_limit_positive = models.Constraint(
        "CHECK(ar_daily_limit >= 0 AND ar_digest_days >= 0)",
        "The limit of messages a day and the days of a digest cannot be negative.",
    )

    def _ar_get_daily_limit(self):
        """How many messages a day are sent without asking."""
        if self.ar_daily_limit:
            return self.ar_daily_limit
        # A day that had to be cut says nothing about what is usual.
        largest = (
            self.env["ar.collection.run"]
            .sudo()
            .search(
                [("company_id", "=", self.id), ("over_limit_count", "=", 0)],
                order="message_count desc, id",
                limit=1,
            )
        )
        return max(FIRST_LIMIT, 2 * largest.message_count)

    def _ar_start(self):
        """Let the company send from now on, beginning with what is due today.

        :raises UserError: something is missing to send, with what to do
        """
        self.ensure_one()
        if obstacle := self._ar_get_obstacle():
            raise UserError(obstacle)
        self._ar_mark_started()
        self.env["ar.collection.run"]._trigger_today()


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_daily_limit = fields.Integer(related="company_id.root_id.ar_daily_limit", readonly=False)
    ar_digest_days = fields.Integer(related="company_id.root_id.ar_digest_days", readonly=False)
