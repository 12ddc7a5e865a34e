from collections import defaultdict

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class ArCreditFile(models.Model):
    """Which collection policy a customer follows, and what is not asked for."""

    _inherit = "ar.credit.file"

    policy_id = fields.Many2one(
        "ar.collection.policy",
        string="Collection Policy",
        tracking=True,
        check_company=True,
        help="For this customer only. Leave empty to follow the grade.",
    )

    case_ids = fields.One2many("ar.collection.case", "file_id", string="Collection Cases")

    # How often a day took steps of this customer: who planned them and finds another number was
    # overtaken by another worker.
    turn_count = fields.Integer(readonly=True, copy=False)

    excluded_amount = fields.Monetary(
        string="Excluded from Follow-up",
        compute="_compute_excluded",
        help="Overdue items that the customer is not asked for.",
    )
    excluded_undecided = fields.Monetary(
        string="Excluded without Decision",
        compute="_compute_excluded",
        help="Overdue items that the customer is not asked for although nobody has said why and "
        "until when.",
    )

    def _compute_excluded(self):
        for company, files in self.grouped("company_id").items():
            # Figures include branches, whatever the rights on them.
            lines = self.env["account.move.line"].sudo()
            totals = defaultdict(float)
            for partner, end, amount in lines._read_group(
                lines._get_excluded_domain(company._ar_today())
                & Domain("company_id", "child_of", company.id)
                & Domain("partner_id.commercial_partner_id", "in", files.partner_id.ids),
                ["partner_id", "ar_exclusion_end:day"],
                ["amount_residual:sum"],
            ):
                totals[partner.commercial_partner_id.id, bool(end)] += amount
            for file in files:
                file.excluded_undecided = totals[file.partner_id.id, False]
                file.excluded_amount = file.excluded_undecided + totals[file.partner_id.id, True]

    # Turns

    def _lock_turns(self):
        """Lock the files that nobody else has locked, until the transaction ends.

        :return: ``{file id: how often it had its turn}`` of those that are locked now
        """
        if not self:
            return {}
        query = SQL(
            """
            SELECT id, COALESCE(turn_count, 0) FROM ar_credit_file WHERE id IN %s
               FOR NO KEY UPDATE SKIP LOCKED
            """,
            tuple(self.ids),
        )
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(query, log_exceptions=False)
                return dict(self.env.cr.fetchall())
        except SerializationFailure:
            # One of them was written since the transaction began: the next one sees it.
            return {}

    def _count_turn(self):
        """Another worker that planned steps for the same customers before sees that it is late."""
        self.flush_model(["turn_count"])
        self.env.cr.execute(
            SQL(
                "UPDATE ar_credit_file SET turn_count = COALESCE(turn_count, 0) + 1 WHERE id IN %s",
                tuple(self.ids),
            )
        )
        self.invalidate_recordset(["turn_count"], flush=False)

    @api.readonly
    def action_open_excluded(self):
        """The items of the customer that are excluded from follow-up."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.account_move_line_action_excluded"
        )
        domain = (
            self.env["account.move.line"]._get_excluded_domain()
            & Domain("partner_id.commercial_partner_id", "=", self.partner_id.id)
            & Domain("company_id", "child_of", self.company_id.id)
        )
        return {**action, "domain": list(domain)}

    def write(self, vals):
        # EXTENDS ar_collections: open cases follow when another policy fits
        result = super().write(vals)
        if not vals.keys().isdisjoint(("grade_id", "policy_id")):
            self.env["ar.collection.policy"]._follow(self.sudo().case_ids)
        return result

    @api.model
    def _get_manager_fields(self):
        # EXTENDS ar_collections: how a customer is reminded is the credit manager's
        return (*super()._get_manager_fields(), "policy_id")

    def _follow_risk_tier(self):
        # EXTENDS ar_collections: policies may be for a risk tier
        result = super()._follow_risk_tier()
        self.env["ar.collection.policy"]._follow(self.sudo().case_ids)
        return result
