from odoo import api, fields, models
from odoo.exceptions import UserError

from .writeoff_request import EDITABLE


class ArWriteoffEvidence(models.Model):
    """One paper that proves why the debt is given up."""

    _name = "ar.writeoff.evidence"
    _description = "Evidence of a Write-off"
    _order = "id"

    request_id = fields.Many2one(
        "ar.writeoff.request", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="request_id.company_id", store=True, precompute=True)
    name = fields.Char(string="Paper", required=True)
    required = fields.Boolean()
    # Who reads the request reads its papers.
    attachment_ids = fields.Many2many("ir.attachment", string="Files", bypass_search_access=True)
    note = fields.Char()
    is_missing = fields.Boolean(string="Missing", compute="_compute_is_missing")

    @api.depends("required", "attachment_ids")
    def _compute_is_missing(self):
        for paper in self:
            paper.is_missing = paper.required and not paper.attachment_ids

    def _check_editable(self):
        for request in self.request_id:
            if request.state not in EDITABLE:
                raise UserError(
                    self.env._(
                        "%s is submitted: take it back to change its evidence.", request.name
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        papers = super().create(vals_list)
        papers._check_editable()
        papers._adopt_attachments()
        return papers

    def _adopt_attachments(self):
        """Uploads belong to the paper, so that the approvers can open them."""
        for paper in self:
            paper.attachment_ids.sudo().filtered(
                lambda file: not file.res_id and file.create_uid == self.env.user
            ).write({"res_model": self._name, "res_id": paper.id})

    def write(self, vals):
        self._check_editable()
        result = super().write(vals)
        self._check_editable()
        self._adopt_attachments()
        self.env["ar.writeoff.assessment"]._assess_risk(self.request_id)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_submitted(self):
        self._check_editable()
