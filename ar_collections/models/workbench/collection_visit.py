from datetime import UTC, datetime, time
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from markupsafe import Markup

from odoo import Command, api, fields, models

# When visits start and end, by the collector's clock, until somebody moves them.
VISIT_HOURS = (time(9), time(10))


class ArCollectionCase(models.Model):
    _inherit = "ar.collection.case"

    def action_visit(self):
        """Plan a visit for the next working day, with an appointment in the calendar."""
        self.ensure_one()
        self._check_not_closed()
        date = self.company_id._ar_working_day(self.company_id._ar_today(), 1)
        visit = self.env["ar.collection.action"].create(
            {
                "company_id": self.company_id.id,
                "partner_id": self.partner_id.id,
                "case_id": self.id,
                "channel": "visit",
                "user_id": (self.collector_id or self.env.user).id,
                "date_planned": date,
            }
        )
        visit.sudo()._schedule(date)
        return visit._get_records_action()


class ArCollectionAction(models.Model):
    """A visit: an appointment at the customer's address, the way there, what was seen."""

    _inherit = "ar.collection.action"

    event_id = fields.Many2one(
        "calendar.event", string="Appointment", readonly=True, ondelete="set null"
    )
    event_start = fields.Datetime(related="event_id.start", string="Appointment At")
    address = fields.Char(compute="_compute_address")
    route_url = fields.Char(string="Route", compute="_compute_address")
    photo_ids = fields.Many2many(
        "ir.attachment", "ar_action_photo_rel", string="Photos and Documents"
    )

    @api.depends("contact_id", "partner_id")
    def _compute_address(self):
        for action in self:
            place = action.contact_id if action.contact_id.city else action.partner_id
            parts = (place.contact_address_inline or "").split(",")
            address = ", ".join(filter(None, map(str.strip, parts)))
            action.address = address
            action.route_url = address and (
                "https://www.openstreetmap.org/directions?to=" + quote_plus(address)
            )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        actions = super().create(vals_list)
        actions._attach_photos()
        return actions

    def write(self, vals):
        result = super().write(vals)
        if "photo_ids" in vals:
            self._attach_photos()
        if vals.get("user_id"):
            for event in self.sudo().event_id.with_context(dont_notify=True):
                user = self.env["res.users"].browse(vals["user_id"])
                event.write({"user_id": user.id, "partner_ids": [Command.set(user.partner_id.ids)]})
        return result

    def _attach_photos(self):
        """What was uploaded to a new action is its own, and seen by whoever sees the action."""
        for action in self:
            own = action.photo_ids.filtered(
                lambda photo: not photo.res_id and photo.create_uid == self.env.user
            )
            own.write({"res_model": self._name, "res_id": action.id})

    # Appointments

    def _schedule(self, date):
        # EXTENDS ar_collections: a visit is in the collector's calendar too
        result = super()._schedule(date)
        visits = self.filtered(lambda action: action.channel == "visit" and action.user_id)
        visits._make_appointments()
        return result

    def _make_appointments(self):
        # The collector's own calendar; who plans the visit may be somebody else.
        events = self.env["calendar.event"].sudo().with_context(dont_notify=True)
        events = events.create([visit._prepare_event_values() for visit in self])
        for visit, event in zip(self.sudo(), events, strict=True):
            visit.event_id = event

    def _prepare_event_values(self):
        zone = ZoneInfo(self.user_id.tz or self.company_id.partner_id.tz or "UTC")
        start, stop = (
            datetime.combine(self.date_planned, hour, zone).astimezone(UTC).replace(tzinfo=None)
            for hour in VISIT_HOURS
        )
        return {
            "name": self.env._("Visit %s", self.partner_id.display_name),
            "start": start,
            "stop": stop,
            "user_id": self.user_id.id,
            "partner_ids": [Command.set(self.user_id.partner_id.ids)],
            "location": self.address,
            "description": self.route_url
            and Markup('<a href="{url}">{text}</a>').format(
                url=self.route_url, text=self.env._("Show the way")
            ),
            "activity_ids": [Command.set(self.activity_id.ids)],
            "res_model_id": self.env["ir.model"]._get_id(self.case_id._name),
            "res_id": self.case_id.id,
        }

    def _drop_plans(self):
        # EXTENDS ar_collections
        result = super()._drop_plans()
        self.sudo().event_id.unlink()
        return result
