from odoo import api, fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    ar_lapse_date = fields.Date(
        string="Lapses On",
        compute="_compute_ar_lapse_date",
        help="When the claim is barred by limitation, unless the clock starts anew before.",
    )
    ar_limitation_warned = fields.Date(
        string="Warned of Lapse On", readonly=True, copy=False, groups="base.group_system"
    )

    @api.depends("amount_residual", "date_maturity")
    def _compute_ar_lapse_date(self):
        self.ar_lapse_date = False
        for company, lines in self.grouped(lambda line: line.company_id.root_id).items():
            if company:
                clocks = self.env["ar.limitation"]._get_clocks(
                    company, company._ar_today(), lines.partner_id
                )
                for line in lines:
                    line.ar_lapse_date = clocks.get(line._origin.id, (False,))[-1]
