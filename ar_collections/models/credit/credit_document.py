from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from .credit_control import Passed


class Demand(NamedTuple):
    """The credit that a document is about to give."""

    partner: object
    company: object
    # Company currency, at the document's date; less what the exposure already has of it.
    amount: float
    # Days until it is due, None when unknown.
    term_days: int = None
    # Why the document is never stopped; empty when it may be.
    exempt: str = ""
    # The codes of the reasons that count, None for all.
    codes: tuple = None


class ArCreditDocument(models.AbstractModel):
    """A document that gives credit: it passes the credit control, or needs a release."""

    _name = "ar.credit.document"
    _description = "Document that Gives Credit"
    # The method by which documents go on; see ``_register_hook``.
    _ar_gated_method = None

    ar_release_ids = fields.One2many(
        "ar.credit.release",
        "res_id",
        string="Credit Releases",
        domain=lambda self: [("res_model", "=", self._name)],
        groups="base.group_user",
    )
    ar_credit_action = fields.Selection(
        [("warn", "Warning"), ("approve", "Needs approval"), ("block", "Blocked")],
        string="Credit Control",
        compute="_compute_ar_credit",
        groups="base.group_user",
    )
    ar_credit_text = fields.Text(
        string="Credit Reasons", compute="_compute_ar_credit", groups="base.group_user"
    )
    ar_release_state = fields.Selection(
        selection=lambda self: self.env["ar.credit.release"]._fields["state"].selection,
        string="Credit Release",
        compute="_compute_ar_credit",
        groups="base.group_user",
    )

    def _register_hook(self):
        """Put the gate before the method, ahead of every other addon's override of it.

        Such overrides act on all documents they are given, before or after these go on: loyalty
        grants points, a template sends its mail. An ordinary override cannot come first.
        """
        super()._register_hook()
        name = self._ar_gated_method
        if not name:
            return
        registry_class = self.env.registry[self._name]

        def gated(self):
            passed = self and self._ar_credit_pass()
            if self and not passed:
                return True
            return getattr(super(registry_class, passed), name)()

        setattr(registry_class, name, gated)

    def _ar_credit_pass(self):
        """The documents that may go on, marked as such; the others are kept back.

        :raises UserError: nothing may go on
        """
        passed = self.env["ar.credit.control"]._gate(self)
        return passed.with_context(ar_credit_passed=Passed(passed))

    def _ar_has_passed(self):
        """Whether the document went through the gate in this call."""
        passed = self.env.context.get("ar_credit_passed")
        return isinstance(passed, Passed) and self in passed

    def _ar_credit_demands(self):
        """``{document: Demand}`` of the documents that would give credit by going on."""
        return {}

    def _ar_credit_name(self):
        """What the document is called where it waits for a release."""
        return self.display_name

    def _compute_ar_credit(self):
        # Whoever writes a document is warned, with or without accounting rights.
        demands = self.sudo()._ar_credit_demands()
        control = self.env["ar.credit.control"].sudo()
        decisions = control._decide_in_order(demands, together=False) if demands else {}
        releases = self.env["ar.credit.release"].sudo()._get_current_states(self, demands)
        for document in self:
            decision = decisions.get(document.sudo())
            if decision and demands[document.sudo()].exempt:
                decision = None
            document.ar_credit_action = (
                decision and decision.action != "allow" and decision.action or False
            )
            document.ar_credit_text = decision and decision.text or False
            document.ar_release_state = releases.get(document._origin.id) or False

    def action_request_credit_release(self):
        """Ask the credit managers to let these documents pass: one click."""
        self.check_access("write")
        demands = self.sudo()._ar_credit_demands()
        decisions = (
            self.env["ar.credit.control"].sudo()._decide_in_order(demands) if demands else {}
        )
        stopped = {
            document: (demands[document], decision)
            for document, decision in decisions.items()
            if decision.stops and not demands[document].exempt
        }
        if not stopped:
            raise UserError(self.env._("Nothing stops this document: it can go on as it is."))
        releases = self.env["ar.credit.release"].sudo()._hold_documents(stopped)
        releases._request_decision()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The credit managers have been asked for the release."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.ondelete(at_uninstall=False)
    def _cancel_releases(self):
        self.env["ar.credit.release"].sudo().search(
            [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        )._cancel_waiting()
