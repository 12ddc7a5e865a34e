from odoo import api, fields, models
from odoo.tools import SQL

COLUMNS = (
    "written_off_count",
    "written_off_amount",
    "written_off_open",
    "written_off_date",
)


class ArCreditFile(models.Model):
    """What was given up of the customer before; small balances do not count."""

    _inherit = "ar.credit.file"

    written_off_count = fields.Integer(
        string="Written Off Before", readonly=True, help="Number of write-offs that are booked."
    )
    written_off_amount = fields.Monetary(string="Amount Written Off", readonly=True)
    written_off_date = fields.Date(
        string="First Written Off On",
        readonly=True,
        help="Of what is not recovered, or else of all.",
    )

    def _get_allowance(self):
        """What is set aside for the customer's bad debts, which write-offs use up first.

        A hook: nothing until something knows of it.

        :return: ``(account, amount in company currency)``
        """
        return self.env["account.account"], 0.0

    @api.model
    def _refresh_writeoffs(self, files):
        """Count the write-offs of these files, in one statement."""
        if not files:
            return
        self.env["ar.writeoff.request"].flush_model()
        files.flush_model()
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_credit_file file SET (%(columns)s) = (
                SELECT COUNT(*), COALESCE(SUM(amount_total), 0),
                       COALESCE(SUM(amount_total - amount_recovered), 0),
                       COALESCE(MIN(date_posted) FILTER (WHERE state = 'posted'),
                                MIN(date_posted))
                  FROM ar_writeoff_request
                 WHERE file_id = file.id AND state IN ('posted', 'recovered'))
             WHERE file.id IN %(ids)s
            """,
                columns=SQL(", ").join(map(SQL.identifier, COLUMNS)),
                ids=tuple(files.ids),
            )
        )
        files.invalidate_recordset(COLUMNS, flush=False)

    @api.model
    def _get_given_up_sql(self, companies, date, partners):
        # EXTENDS ar_collections: less what came back; the rest of a settlement was waived, and a
        # small rest is not worth a clock
        self.env["ar.writeoff.request"].flush_model()
        self.env["ar.writeoff.request.line"].flush_model()
        self.env["ar.writeoff.reason"].flush_model(["for_small_balances"])
        return SQL(
            """
            SELECT line.move_line_id AS line_id, request.company_id AS root_id,
                   request.partner_id, MIN(line.due_date) AS due,
                   SUM(line.amount_company * (1 - share)) AS residual,
                   SUM(line.amount * (1 - share)) AS residual_currency, line.currency_id
              FROM ar_writeoff_request_line line
              JOIN ar_writeoff_request request ON request.id = line.request_id
              JOIN ar_writeoff_reason reason ON reason.id = request.reason_id
             CROSS JOIN LATERAL (
                SELECT COALESCE(request.amount_recovered / NULLIF(request.amount_total, 0), 0)
                       AS share
             ) came_back
             WHERE request.amount_missing > 0 AND request.date_posted <= %(date)s
               AND request.company_id IN %(companies)s %(customers)s
               AND line.move_line_id IS NOT NULL
               AND reason.for_small_balances IS NOT TRUE
             GROUP BY line.move_line_id, request.company_id, request.partner_id, line.currency_id
            """,
            date=date,
            companies=tuple(companies.root_id.ids) or (0,),
            customers=SQL()
            if partners is None
            else SQL(
                "AND request.partner_id IN %s", tuple(partners.commercial_partner_id.ids) or (0,)
            ),
        )

    @api.readonly
    def action_open_writeoffs(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_writeoff_request_action"
        )
        return {**action, "domain": [("file_id", "=", self.id)], "context": {}}
