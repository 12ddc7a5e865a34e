from odoo import api, fields, models
from odoo.exceptions import UserError

# Marks that a settlement was paid: the request becomes what is left of it.
SETTLED = object()


class ArWriteoffSettled(models.AbstractModel):
    """What is waived in a settlement, as a write-off request: part of the request."""

    _name = "ar.writeoff.settled"
    _description = "Write-off of a Settlement"

    is_settlement = fields.Boolean(string="Of a Settlement", readonly=True, copy=False)
    plan_ids = fields.One2many(
        "ar.payment.plan", "writeoff_id", string="Settlement", readonly=True, copy=False
    )

    def _check_paid_up(self):
        """Refuse to post what is waived before the money is there."""
        for request in self.sudo().filtered("is_settlement"):
            plan = request.plan_ids.filtered(lambda plan: plan.state == "accepted")
            if not plan or not plan._is_paid_up():
                raise UserError(
                    self.env._(
                        "%s is waived in a settlement: it is posted when the customer has paid it.",
                        request.name,
                    )
                )

    def _check_not_offered(self):
        """Refuse to change what a customer was promised."""
        for plan in self.sudo().plan_ids:
            if plan.state in ("proposed", "accepted"):
                raise UserError(
                    self.env._(
                        "The customer has the offer of settlement %s: revise or cancel that first.",
                        plan.name,
                    )
                )

    @api.model
    def _is_settling(self):
        """Whether a settlement fits its own request; a request of a client cannot say so."""
        return self.env.context.get("ar_settled") is SETTLED

    def _get_approved_text(self):
        if self.is_settlement:
            return self.env._("Approved: the settlement can be sent to the customer")
        return self.env._("Approved: it can be posted")

    def _settle_rest(self, rest):
        """The settlement is paid: the request is about what is really open of its items.

        :param rest: ``{journal item: amount}``, in all not more than what was approved
        """
        self.ensure_one()
        known = {line.move_line_id: line for line in self.line_ids}
        if all(
            item in rest
            and not line.currency_id.compare_amounts(line.amount, rest[item])
            and not line.currency_id.compare_amounts(line.residual_submitted, line.residual)
            for item, line in known.items()
        ) and len(known) == len(rest):
            return
        request = self.with_context(ar_settled=SETTLED)
        lines = request.line_ids
        lines.filtered(lambda line: line.move_line_id not in rest).unlink()
        for item, amount in rest.items():
            if line := known.get(item):
                line.with_env(request.env).amount = amount
            else:
                lines.create({"request_id": self.id, "move_line_id": item.id, "amount": amount})
        lines = request.line_ids
        for line in lines:
            line.residual_submitted = line.residual
        lines._compute_amount_company()
        self._message_log(body=self.env._("The settlement is paid; this is the rest of it."))
        self._continue_settlement(self.env._("The settlement is paid: its rest can be posted"))

    def _resume_settlement(self):
        """Money that was booked late came in time: what was approved is approved again."""
        if self.round and not self.line_ids._find_waiting_twin():
            self.state = "approved"
            self._continue_settlement(self.env._("The settlement was paid in time after all"))

    def _continue_settlement(self, text):
        """Ask for approvals that are missing, else tell who asked.

        :param text: what they are told
        """
        if self._get_turn():
            self.state = "submitted"
            self.env["ar.writeoff.routing"]._ask_approvers(self)
        else:
            self._tell_askers(text)
