from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_amount, plaintext2html

WAITING = ("held", "requested")
DECIDER_GROUPS = "ar_collections.group_collector,ar_collections.group_auditor"


class ArCreditRelease(models.Model):
    """Leave for one document to pass the credit control once, up to an amount and a date."""

    _name = "ar.credit.release"
    _inherit = [
        "ar.state.mixin",
        "ar.four.eyes.mixin",
        "ar.readonly.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _description = "Credit Release"
    _order = "id desc"
    _rec_name = "document_name"

    file_id = fields.Many2one(
        "ar.credit.file",
        string="Credit File",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(related="file_id.partner_id", store=True, index=True)
    company_id = fields.Many2one(related="file_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    # What whoever decides looks at; who sells sees the reasons alone.
    exposure = fields.Monetary(related="file_id.exposure", groups=DECIDER_GROUPS)
    is_limited = fields.Boolean(related="file_id.is_limited", groups=DECIDER_GROUPS)
    effective_limit = fields.Monetary(related="file_id.effective_limit", groups=DECIDER_GROUPS)
    overdue_amount = fields.Monetary(related="file_id.overdue_amount", groups=DECIDER_GROUPS)
    res_model = fields.Char(string="Kind of Document", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document ID", model_field="res_model", required=True, readonly=True, index=True
    )
    document_name = fields.Char(string="Document", required=True, readonly=True)
    state = fields.Selection(
        [
            ("held", "Held"),
            ("requested", "Requested"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("used", "Used"),
            ("cancelled", "Cancelled"),
        ],
        default="held",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    control = fields.Selection(
        [("approve", "Ask for approval"), ("block", "Block")],
        required=True,
        readonly=True,
        help="What is blocked is released by an accounting administrator only.",
    )
    reasons = fields.Text(required=True, readonly=True)
    amount = fields.Monetary(
        string="Credit Asked For", readonly=True, help="What the document adds to the exposure."
    )
    amount_granted = fields.Monetary(
        string="Released up to", help="A document over this amount needs a new release."
    )
    valid_until = fields.Date(tracking=True)
    requester_id = fields.Many2one("res.users", string="Requested By", readonly=True)
    approver_id = fields.Many2one("res.users", string="Decided By", readonly=True)
    decision_date = fields.Datetime(string="Decided On", readonly=True)
    decision_note = fields.Char(string="Reason of the Decision", tracking=True)

    _one_waiting = models.UniqueIndex(
        "(res_model, res_id) WHERE state IN ('held', 'requested', 'approved')",
        "There is already a release of this document.",
    )
    _granted = models.Constraint(
        "CHECK(amount_granted >= 0)", "A release cannot be for a negative amount."
    )

    def write(self, vals):
        if not self.env.su and any(release.state not in WAITING for release in self):
            raise UserError(self.env._("A release that was decided is never changed."))
        return super().write(vals)

    # Decision

    def action_submit(self):
        """Ask for the release of what a batch kept back: whoever may write the document."""
        for release in self:
            if not self._is_manager():
                self.env[release.res_model].browse(release.res_id).check_access("write")
            release._check_state("held")
        self.sudo()._request_decision()

    def action_approve(self):
        for release in self:
            release._check_decider()
            company = release.company_id.sudo()
            last_day = company._ar_today() + timedelta(days=company.ar_release_days)
            release.sudo().write(
                {
                    "amount_granted": release.amount_granted or release.amount,
                    "valid_until": release.valid_until or last_day,
                }
            )
            release._record_decision("approved")

    def action_refuse(self):
        for release in self:
            release._check_decider()
            if not release.decision_note:
                raise UserError(self.env._("Write down why the release is refused."))
            release._record_decision("refused")

    def action_cancel(self):
        self.check_access("read")
        for release in self:
            if release.requester_id != self.env.user and not self._is_manager():
                raise AccessError(self.env._("A release is withdrawn by whoever asked for it."))
            release._check_state(*WAITING, "approved")
        self.sudo()._cancel_waiting()

    def _is_manager(self):
        return self.env.su or self.env.user.has_group("ar_collections.group_credit_manager")

    def _check_decider(self):
        """Four eyes, and enough authority."""
        self.ensure_one()
        self.check_access("write")
        if not self._is_manager():
            raise AccessError(self.env._("Only a credit manager decides on a release."))
        self._check_state(*WAITING)
        self._check_four_eyes()
        if self.control == "block" and not self.env.user.has_group("account.group_account_manager"):
            raise AccessError(
                self.env._(
                    "%s is blocked: only an accounting administrator can release it.",
                    self.document_name,
                )
            )

    def _record_decision(self, state):
        self.sudo().write(
            {
                "state": state,
                "approver_id": self.env.uid,
                "decision_date": fields.Datetime.now(),
            }
        )
        release = self.sudo()
        release.activity_unlink(["ar_collections.activity_release"])
        texts = {
            "approved": self.env._(
                "Released up to %(amount)s until %(date)s. %(note)s",
                amount=format_amount(self.env, self.amount_granted, self.currency_id),
                date=self.valid_until,
                note=self.decision_note or "",
            ),
            "refused": self.env._("Release refused: %s", self.decision_note),
        }
        release.message_post(
            body=texts[state],
            author_id=self.env.user.partner_id.id,
            partner_ids=release.requester_id._ar_at_work(release.company_id, None).partner_id.ids,
            subtype_xmlid="mail.mt_note",
        )

    def _cancel_waiting(self):
        waiting = self.filtered(lambda release: release.state in (*WAITING, "approved"))
        waiting.state = "cancelled"
        waiting.activity_unlink(["ar_collections.activity_release"])

    # Documents

    @api.model
    def _get_current_states(self, documents, demands=()):
        """``{document id: state}`` of the newest release of each document.

        An approval that ended, or that is too small for the demand, releases nothing any more.

        :param demands: ``{document: Demand}``, as far as known
        """
        releases = self.search(
            [
                ("res_model", "=", documents._name),
                ("res_id", "in", documents.ids),
                ("state", "!=", "cancelled"),
            ],
            order="id",
        )
        amounts = {document._origin.id: demand.amount for document, demand in dict(demands).items()}
        current = {release.res_id: release for release in releases}
        return {
            id_: release.state
            for id_, release in current.items()
            if release.state != "approved" or release._is_usable(amounts.get(id_, 0))
        }

    @api.model
    def _use_up(self, demands):
        """Use up the approved releases that cover these documents as they are now.

        :param demands: ``{document: Demand}``
        :return: the documents that may pass
        """
        passed = []
        by_model = {}
        for document in demands:
            by_model.setdefault(document._name, {})[document.id] = document
        for model, documents in by_model.items():
            for release in self.search(
                [
                    ("res_model", "=", model),
                    ("res_id", "in", list(documents)),
                    ("state", "=", "approved"),
                ]
            ):
                document = documents[release.res_id]
                if release._is_usable(demands[document].amount):
                    release.state = "used"
                    passed.append(document)
        return passed

    @api.model
    def _cancel_settled(self, documents):
        """Nothing stops these documents any more: what they waited for is over."""
        for document in documents:
            self.search(
                [
                    ("res_model", "=", document._name),
                    ("res_id", "=", document.id),
                    ("state", "in", WAITING),
                ]
            )._cancel_waiting()

    def _is_usable(self, amount):
        in_time = self.valid_until >= self.company_id._ar_today()
        return in_time and self._covers_amount(amount)

    def _covers_amount(self, amount):
        return self.currency_id.compare_amounts(amount, self.amount_granted) <= 0

    @api.model
    def _hold_documents(self, stopped):
        """Keep documents back until somebody settles the cause or releases them.

        :param stopped: ``{document: (Demand, CreditDecision)}``
        :return: their releases, new or brought up to date
        """
        files = self.env["ar.credit.file"].sudo()
        found = self.browse()
        for document, (demand, decision) in stopped.items():
            values = {
                "document_name": document._ar_credit_name(),
                "control": decision.action,
                "reasons": decision.text,
                "amount": demand.amount,
            }
            waiting = self.search(
                [
                    ("res_model", "=", document._name),
                    ("res_id", "=", document.id),
                    ("state", "in", (*WAITING, "approved")),
                ]
            )
            if waiting.state == "approved":
                # It ended or is too small by now, or it would have been used.
                waiting._cancel_waiting()
                waiting.flush_recordset(["state"])
                waiting = self.browse()
            if waiting:
                waiting.write(values)
            else:
                waiting = self.create(
                    {
                        **values,
                        "file_id": files._get_file(demand.partner, demand.company, create=True).id,
                        "res_model": document._name,
                        "res_id": document.id,
                        "requester_id": self.env.uid,
                    }
                )
                document.sudo()._message_log(
                    body=plaintext2html(self.env._("Stopped by credit control: %s", decision.text))
                )
            found |= waiting
        return found

    def _request_decision(self):
        """Ask those who may decide, each by an activity."""
        for release in self.filtered(lambda release: release.state == "held"):
            release.write({"state": "requested", "requester_id": self.env.uid})
            for user in release._get_deciders():
                release.activity_schedule(
                    "ar_collections.activity_release",
                    summary=release.document_name,
                    user_id=user.id,
                )

    def _get_deciders(self):
        group = (
            "account.group_account_manager"
            if self.control == "block"
            else "ar_collections.group_credit_manager"
        )
        return self.env.ref(group).all_user_ids._ar_at_work(self.company_id) - self.requester_id

    # Screens

    @api.readonly
    def action_open_file(self):
        self.ensure_one()
        return self.file_id._get_records_action()

    @api.readonly
    def action_open_document(self):
        self.ensure_one()
        document = self.env[self.res_model].browse(self.res_id).exists()
        if not document:
            raise UserError(self.env._("%s was deleted.", self.document_name))
        return document._get_records_action()
