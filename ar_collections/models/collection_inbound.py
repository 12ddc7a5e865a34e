from datetime import timedelta

from odoo import fields, models


class ArCollectionCase(models.Model):
    """What customers answer: it reaches the collector, and machines keep silent for a while."""

    _inherit = "ar.collection.case"

    contact_pause_end = fields.Date(
        string="No Automatic Contact Until",
        readonly=True,
        help="The customer has written: a person answers first.",
    )

    def _message_post_after_hook(self, message, msg_vals):
        # EXTENDS mail
        result = super()._message_post_after_hook(message, msg_vals)
        author = message.author_id
        if message.message_type == "email" and not (author.user_ids and not author.partner_share):
            self._customer_wrote(message)
        return result

    def _customer_wrote(self, message):
        """Tell the collector, and wait some days before the next automatic contact."""
        # The mail gateway has no rights on collection.
        for case in self.sudo().filtered(lambda case: case.state != "closed"):
            company = case.company_id
            today = company._ar_today()
            if company.ar_reply_pause_days:
                case.contact_pause_end = today + timedelta(days=company.ar_reply_pause_days)
            # Back into the worklist, whatever was planned.
            case.write({"resubmission_date": False, "worked_on": False})
            case.activity_schedule(
                "ar_collections.activity_reply",
                today,
                summary=message.subject or self.env._("The customer has written"),
                user_id=(
                    case.collector_id
                    or company._ar_credit_manager(case.file_id)
                    or self.env.ref("base.user_admin")
                ).id,
            )
