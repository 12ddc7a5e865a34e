import base64

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.run.collection_action import sms_parts


class ArCollectionPreview(models.TransientModel):
    """Look at messages before they are sent, one after the other.

    Each is rendered as sending would do it and rolled back: looking sends nothing and keeps
    nothing but this preview itself.
    """

    _name = "ar.collection.preview"
    _inherit = "ar.readonly.mixin"
    _description = "Message Preview"

    run_id = fields.Many2one("ar.collection.run", readonly=True, ondelete="cascade")
    line_ids = fields.One2many("ar.collection.preview.line", "preview_id", readonly=True)
    line_id = fields.Many2one("ar.collection.preview.line", string="Shown", readonly=True)
    position = fields.Integer(compute="_compute_counts")
    count = fields.Integer(string="Messages", compute="_compute_counts")
    missing_count = fields.Integer(string="Without Address", compute="_compute_counts")
    to_send_count = fields.Integer(string="To Send", compute="_compute_counts")
    partner_id = fields.Many2one(related="line_id.partner_id")
    channel = fields.Selection(related="line_id.channel")
    contact_id = fields.Many2one(related="line_id.contact_id")
    address = fields.Char(related="line_id.address")
    no_address = fields.Boolean(related="line_id.no_address")
    subject = fields.Char(readonly=True)
    # As it is sent, with the styles of a mail.
    body = fields.Html(sanitize=False, readonly=True)
    sms_text = fields.Text(string="Text Message", readonly=True)
    sms_count = fields.Integer(string="Paid as Messages", compute="_compute_sms_count")
    document = fields.Binary(string="Letter", attachment=False, readonly=True)
    document_name = fields.Char(readonly=True)

    @api.depends("line_id", "line_ids")
    def _compute_counts(self):
        for preview in self:
            lines = preview.line_ids
            preview.count = len(lines)
            preview.position = lines.ids.index(preview.line_id.id) + 1 if preview.line_id else 0
            preview.missing_count = len(lines.filtered("no_address"))
            preview.to_send_count = len(preview._get_actions_to_send())

    @api.depends("sms_text")
    def _compute_sms_count(self):
        for preview in self:
            preview.sms_count = sms_parts(preview.sms_text) if preview.sms_text else 0

    def _get_actions_to_send(self):
        return self.line_ids.filtered(
            lambda line: (
                line.action_id.state in ("planned", "failed")
                and line.action_id.letter_by != "print"
                and not line.no_address
            )
        ).action_id

    # Opening

    @api.model
    def _open_for_actions(self, actions):
        actions = actions.filtered(
            lambda action: (
                action._get_channel(action.channel).is_automatic
                and action.step_id
                and action.state != "cancelled"
            )
        )
        if not actions:
            raise UserError(self.env._("None of these actions is a message of a step."))
        return self._open(
            [
                {"action_id": action.id, "partner_id": action.partner_id.id, "step": action.step_id}
                for action in actions
            ],
            actions,
            actions._get_lines_of_now(),
        )

    @api.model
    def _open_for_run(self, run_lines, first=None):
        run_lines.check_access("read")
        run_lines = run_lines.filtered(
            lambda line: line._get_channel(line.step_id.channel).is_automatic and not line.wait
        )
        if not run_lines or (first and first not in run_lines):
            raise UserError(self.env._("There is no message to look at: nothing would be sent."))
        actions = self.env["ar.collection.action"]
        drafts = [
            actions.new(
                {
                    "partner_id": line.partner_id.id,
                    "company_id": line.company_id.id,
                    "step_id": line.step_id.id,
                    "channel": line.channel,
                }
            )
            for line in run_lines
        ]
        asked = actions._get_asked_items(
            run_lines.company_id,
            run_lines.run_id.date,
            [(line.partner_id.id, line.courtesy_line_ids.ids or None) for line in run_lines],
        )
        return self._open(
            [
                {"run_line_id": line.id, "partner_id": line.partner_id.id, "step": line.step_id}
                for line in run_lines
            ],
            actions.union(*drafts),
            {
                draft: [item.line_id for item in items]
                for draft, items in zip(drafts, asked, strict=True)
            },
            run=run_lines.run_id,
            start=run_lines.ids.index(first.id) if first else 0,
        )

    @api.model
    def _open(self, vals_list, actions, lines=None, run=None, start=0):
        """
        :param actions: one per line, to find the recipients of all at once
        :param lines: ``{action: ids of journal items}`` that actions will ask for
        """
        by_field = {
            field: actions._get_recipients(field, lines=lines)
            for field in {action._get_address_field() for action in actions}
        }
        for vals, action in zip(vals_list, actions, strict=True):
            step, field = vals.pop("step"), action._get_address_field()
            contact = by_field[field][action]
            vals.update(
                channel=step.channel,
                contact_id=contact.id,
                address=contact.contact_address_inline if field == "street" else contact[field],
                no_address=not contact,
            )
        # The lines are what was chosen, whatever an RPC says.
        preview = self.sudo().create(
            {"run_id": run and run.id, "line_ids": [(0, 0, vals) for vals in vals_list]}
        )
        return preview.with_env(self.env)._show_line(preview.line_ids[start].with_env(self.env))

    # Looking

    def _show_line(self, line):
        self.ensure_one()
        content = line._render_content()
        self.sudo().write(
            {
                "line_id": line.id,
                "subject": content.subject,
                "body": content.body,
                "sms_text": content.sms_text,
                "document_name": content.document_name,
                "document": base64.b64encode(content.document) or False,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_next(self):
        return self._show_neighbour(1)

    def action_previous(self):
        return self._show_neighbour(-1)

    def _show_neighbour(self, by):
        self.ensure_one()
        place = (self.line_ids.ids.index(self.line_id.id) + by) % len(self.line_ids)
        return self._show_line(self.line_ids[place])

    def action_send(self):
        """Send the message that is shown; then the next one is there to look at."""
        self.ensure_one()
        action = self.line_id.action_id & self._get_actions_to_send()
        if not action:
            raise UserError(self.env._("This message was sent, or it has no address."))
        action.action_send()
        following = self.line_ids[self.position :] + self.line_ids[: self.position]
        line = following.filtered(lambda line: line.action_id in self._get_actions_to_send())[:1]
        return self._show_line(line) if line else {"type": "ir.actions.act_window_close"}

    def action_send_all(self):
        """Send all that have an address; the others stay as they are."""
        self.ensure_one()
        actions = self._get_actions_to_send()
        if not actions:
            raise UserError(self.env._("There is nothing left to send."))
        actions.action_send()
        return {"type": "ir.actions.act_window_close"}


class ArCollectionPreviewLine(models.TransientModel):
    _name = "ar.collection.preview.line"
    _inherit = ["ar.readonly.mixin", "ar.collection.channel"]
    _description = "Message in a Preview"
    _order = "id"

    preview_id = fields.Many2one("ar.collection.preview", readonly=True, ondelete="cascade")
    action_id = fields.Many2one("ar.collection.action", readonly=True, ondelete="cascade")
    run_line_id = fields.Many2one("ar.collection.run.line", readonly=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    channel = fields.Selection(readonly=True)
    contact_id = fields.Many2one("res.partner", string="Recipient", readonly=True)
    address = fields.Char(string="Sent To", readonly=True)
    no_address = fields.Boolean(readonly=True)
    state = fields.Selection(related="action_id.state")

    def action_show(self):
        self.ensure_one()
        return self.preview_id._show_line(self)

    def _render_content(self):
        """What would be sent; the savepoint takes back all that rendering it wrote."""
        (self.action_id or self.run_line_id).check_access("read")
        # Letters and messages are the system's, see ``action_send``.
        line = self.sudo()
        with self.env.cr.savepoint() as savepoint:
            if line.run_line_id:
                action = line.run_line_id._make_draft_action()
                date, asked = line.run_line_id.run_id.date, line.run_line_id.courtesy_line_ids.ids
            else:
                action, asked = line.action_id, None
                date = action.company_id._ar_today()
            content = action._render_content(date, asked or None)
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        return content
