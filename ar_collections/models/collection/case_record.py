from odoo import api, fields, models


def is_colleague(message):
    """Whether somebody of ours wrote a message."""
    author = message.author_id
    return bool(author.user_ids and not author.partner_share)


class ArCaseRecord(models.AbstractModel):
    """Something agreed with a customer, in the open case when there is one."""

    _name = "ar.case.record"
    _inherit = ["ar.readonly.mixin", "mail.thread"]
    _description = "Record of a Collection Case"
    _check_company_auto = True
    _creation_fields = ("partner_id", "company_id", "case_id", "action_id", "currency_id")

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.company.root_id,
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        readonly=True,
        default=lambda self: self.env.company.root_id.currency_id,
    )
    file_id = fields.Many2one(
        "ar.credit.file",
        string="Credit File",
        compute="_compute_file_id",
        store=True,
        precompute=True,
        index=True,
        ondelete="restrict",
    )
    case_id = fields.Many2one(
        "ar.collection.case",
        compute="_compute_case_id",
        store=True,
        precompute=True,
        index="btree_not_null",
        ondelete="set null",
    )
    action_id = fields.Many2one(
        "ar.collection.action",
        string="Agreed In",
        readonly=True,
        ondelete="set null",
        help="The call or visit from which this came.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Collector",
        index=True,
        domain=[("share", "=", False)],
        default=lambda self: self.env.user,
    )

    @api.depends("partner_id", "company_id")
    def _compute_file_id(self):
        # Files and cases are found by the system, whoever agrees something.
        for record in self.sudo():
            record.file_id = self.env["ar.credit.file"]._get_file(
                record.partner_id, record.company_id
            )

    @api.depends("partner_id", "company_id")
    def _compute_case_id(self):
        for record in self.sudo():
            record.case_id = self.env["ar.collection.case"]._get_open_case(
                record.partner_id, record.company_id
            )

    def _open_cases(self):
        """The open case of each customer, which may be younger than what was agreed.

        :return: ``{record: case that is not closed, or none}``
        """
        cases = (
            self.env["ar.collection.case"]
            .search([("file_id", "in", self.file_id.ids), ("state", "!=", "closed")])
            .grouped("file_id")
        )
        nothing = self.env["ar.collection.case"]
        return {record: cases.get(record.file_id, nothing) for record in self}

    def _call_after_broken(self, record_notes, date):
        """Dunning goes on the same day; the collector calls and credit looks at the customer.

        :param record_notes: ``{record: what was not kept}``
        """
        for record, case in self._open_cases().items():
            if case.state == "open":
                record.case_id = case
                case._plan_call(date, record_notes[record], record.user_id)
        notes = {record.file_id.id: note for record, note in record_notes.items()}
        self.env["ar.credit.review"]._open_for(self.file_id, "broken_promise", notes, date)

    def _message_post_after_hook(self, message, msg_vals):
        # EXTENDS mail: what customers answer is told on the case as well
        result = super()._message_post_after_hook(message, msg_vals)
        if message.message_type == "email" and not is_colleague(message):
            # The mail gateway has no rights on collection.
            for case in self.sudo()._open_cases().values():
                case._customer_wrote(message)
        return result

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._complete(vals) for vals in vals_list])

    @api.model
    def _complete(self, vals):
        """Everything is of the commercial partner and the root company, with a credit file."""
        company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
        partner = self.env["res.partner"].browse(vals.get("partner_id")).commercial_partner_id
        if partner:
            self.env["ar.credit.file"].sudo()._get_file(partner, company, create=True)
        company = company.root_id
        return {
            "currency_id": company.currency_id.id,
            **vals,
            "company_id": company.id,
            "partner_id": partner.id,
        }
