from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError


class Decided:
    """Who writes down a decision that was checked; a request from outside cannot send it."""


DECIDED = Decided()


class ArWriteoffApproval(models.Model):
    """One decision on a request. It is written once, by the button that checked it, for ever."""

    _name = "ar.writeoff.approval"
    _inherit = "ar.readonly.mixin"
    _description = "Write-off Decision"
    _order = "id"
    _rec_name = "user_id"

    request_id = fields.Many2one(
        "ar.writeoff.request", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="restrict"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    # Names and figures are those of that moment, whatever becomes of the tier and the request.
    tier_id = fields.Many2one(
        "ar.writeoff.tier", string="Approval Tier", readonly=True, ondelete="restrict"
    )
    tier_name = fields.Char(string="Tier", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Decided By", required=True, readonly=True, ondelete="restrict"
    )
    on_behalf_id = fields.Many2one(
        "res.users", string="On Behalf Of", readonly=True, ondelete="restrict"
    )
    decision = fields.Selection(
        [("approved", "Approved"), ("refused", "Refused")], required=True, readonly=True
    )
    note = fields.Text(readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    round = fields.Integer(string="Version", readonly=True, help="Of the request.")
    amount = fields.Monetary(readonly=True)
    risk_score = fields.Integer(string="Risk", readonly=True, aggregator="avg")
    is_valid = fields.Boolean(
        string="Counts",
        compute="_compute_is_valid",
        help="A request that was changed needs all approvals anew.",
    )

    @api.depends("round", "request_id.round")
    def _compute_is_valid(self):
        for approval in self:
            approval.is_valid = approval.round == approval.request_id.round

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.context.get("ar_writeoff_decision") is not DECIDED:
            raise UserError(
                self.env._("Decisions on write-offs are made by the buttons of the request.")
            )
        return super().create(vals_list)

    def write(self, vals):
        if self:
            raise UserError(self.env._("A decision on a write-off stays as it was made."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A decision on a write-off is never deleted."))

    @api.model
    def _write_down(self, request, decision, tier, on_behalf, note=False):
        """Keep a decision that was checked.

        :param on_behalf: the user who is away, or none
        """
        return self.with_context(ar_writeoff_decision=DECIDED).create(
            {
                "request_id": request.id,
                "company_id": request.company_id.id,
                "tier_id": tier.id,
                "tier_name": tier.name,
                "user_id": self.env.uid,
                "on_behalf_id": on_behalf.id,
                "decision": decision,
                "note": note,
                "date": fields.Datetime.now(),
                "round": request.round,
                "amount": request.amount_total,
                "risk_score": request.risk_score,
            }
        )

    def _get_log(self):
        """The decision as the chatter of the request tells it."""
        who = self.user_id.name
        if self.on_behalf_id:
            who = self.env._(
                "%(user)s on behalf of %(other)s", user=who, other=self.on_behalf_id.name
            )
        label = dict(self._fields["decision"]._description_selection(self.env))[self.decision]
        body = Markup("<b>%s</b>: %s (%s)") % (label, who, self.tier_name)
        return body + Markup("<br/>%s") % self.note if self.note else body
