from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from pytz import timezone

from odoo import api, fields, models, tools

from .amount_scale import scale

# A company that does not work for so long does not work at all.
WITHOUT_WORK_DAYS = 31


class Clock(NamedTuple):
    """Another day than today, in the context: to live days again. A request cannot send it."""

    date: date


class ByCode:
    """Whoever lives a day by code has decided that the company sends; a request cannot send it."""


BY_CODE = ByCode()


class ResCompany(models.Model):
    """The day of a company: what is read from the clock, on which days it works, and whether it
    has been started: until then it prepares, and nothing leaves the house by itself."""

    _inherit = "res.company"

    ar_run_date = fields.Date(
        string="Last Collection Run", help="Lateness between two runs is judged at this day."
    )

    # A copy that nobody neutralised is another database: there the company prepares again.
    ar_started_database = fields.Char(
        string="Started In", readonly=True, copy=False, groups="base.group_system"
    )
    ar_started_on = fields.Datetime(string="Started On", readonly=True, copy=False)
    ar_started_by_id = fields.Many2one("res.users", string="Started By", readonly=True, copy=False)

    ar_amount_factor = fields.Float(
        string="Factor of Shipped Amounts",
        digits=(16, 3),
        default=1,
        copy=False,
        help="Limits, approval levels and thresholds are shipped in US dollars; so many units of "
        "the company's currency a dollar is. A new factor multiplies the amounts once, to friendly "
        "figures. Amounts of records that companies share are in the currency of the first "
        "company, and mean a friendly figure of this one's.",
    )

    _ar_amount_factor = models.Constraint(
        "CHECK(ar_amount_factor > 0)", "The factor of shipped amounts must be greater than zero."
    )

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS base: amounts that are shipped fit the currency from the first day on
        companies = super().create(vals_list)
        companies._ar_fit_amounts()
        return companies

    def write(self, vals):
        # EXTENDS base: another factor, or another currency as long as nothing was booked
        former = {company: company.ar_amount_factor for company in self}
        moved = self.filtered(
            lambda company: (
                not company.parent_id
                and vals.get("currency_id")
                and company.currency_id.id != vals["currency_id"]
            )
        )
        result = super().write(vals)
        if "ar_amount_factor" in vals:
            self.env.registry.clear_cache()
            for company in self.root_id & self:
                if former[company] != company.ar_amount_factor:
                    company._ar_scale_amounts(former[company])
            if not self.env.context.get("ar_fits_many"):
                self._ar_fit_shared()
        moved._ar_fit_amounts()
        return result

    # Amounts

    @api.model
    def _ar_get_first(self):
        """The company whose currency shared amounts are in: the oldest one."""
        return self.sudo().search([("parent_id", "=", False)], order="id", limit=1)

    @tools.ormcache("self.id")
    def _ar_get_shared_ratio(self):
        """How many units of the company's currency one of shared amounts is."""
        return self.root_id.sudo().ar_amount_factor / self._ar_get_first().ar_amount_factor

    def _ar_get_amount(self, amount, owner):
        """An amount of a record as it counts in this company.

        The one rule of shared records without a copy of the company's own: they are in the
        currency of the first company, and mean a friendly figure of this one's.

        :param owner: the company of the record, empty when companies share it
        """
        return amount if owner or not amount else scale(amount, self._ar_get_shared_ratio())

    def _ar_fit_amounts(self):
        """Give these companies the factor of their currency, where it is another one."""
        companies = self.sudo().filtered(lambda company: not company.parent_id)
        for company in companies.with_context(ar_fits_many=True):
            factor = company.currency_id._ar_get_factor()
            if company.ar_amount_factor != factor:
                company.ar_amount_factor = factor
        if companies:
            self._ar_fit_shared()

    def _ar_scale_amounts(self, former):
        """Hook: the factor of the company is another one, so its amounts are, each wing's own.

        :param former: the factor so far
        """

    def _ar_scale_records(self, former, records, get_values, whole=False):
        """Scale records whose amounts are in the currency of each company, once.

        Those that companies share are in the currency of the first company. Another one whose
        factor is another one gets its own, made of the shared ones, of which it has none yet.

        :param former: the factor so far
        :param records: an empty recordset of their model
        :param get_values: ``get_values(record, ratio)`` -> what is written, empty for no amount
        :param whole: own records take the place of all the shared ones, not of each its own
        :return: own records that were made, empty when there were some or nothing had an amount
        """
        self.ensure_one()
        records = records.sudo().with_context(active_test=False)
        first = self._ar_get_first()
        own = records.search([("company_id", "=", self.id)])
        own = own if whole else own.filtered("replaces_id")
        if self == first:
            own |= records.search([("company_id", "=", False)])
        ratio, made = self.ar_amount_factor / former, records.browse()
        for record in own if ratio != 1 else made:
            if values := get_values(record, ratio):
                record.write(values)
        ratio = self._ar_get_shared_ratio()
        if self == first or ratio == 1 or (whole and own):
            return made
        shared = records.search([("company_id", "=", False), ("active", "=", True)])
        with_amounts = shared.filtered(lambda record: get_values(record, 2))
        if not whole:
            shared = with_amounts - own.replaces_id
        elif not with_amounts:
            return made
        for record in shared:
            values = {"company_id": self.id}
            if not whole:
                values["replaces_id"] = record.id
            made |= record.copy(values | get_values(record, ratio))
        return made

    @api.model
    def _ar_fit_shared(self):
        """Make what companies of another currency need of their own of what is shared now."""
        for company in self.sudo().search([("parent_id", "=", False)]):
            if company._ar_get_shared_ratio() != 1:
                company._ar_scale_amounts(company.ar_amount_factor)

    def _ar_today(self):
        """Today where the company is: crons have no time zone of their own."""
        clock = self.env.context.get("ar_clock")
        if isinstance(clock, Clock):
            return clock.date
        # Whoever reads an invoice need not have rights on the company's working hours.
        company = self.sudo().ensure_one()
        timezone = company.partner_id.tz or company.resource_calendar_id.tz or "UTC"
        return fields.Date.context_today(company.with_context(tz=timezone))

    def _ar_get_run_date(self):
        """The day of the company's newest run that did something, today before the first one."""
        root = self.root_id
        # Whoever posts an invoice need not have rights on the root company.
        return root.sudo().ar_run_date or root._ar_today()

    # Started or preparing

    def _ar_is_started(self):
        """Whether a credit manager has started the company, in this database."""
        started_in = self.root_id.sudo().ar_started_database
        return bool(started_in) and started_in == self._ar_get_database()

    def _ar_is_by_code(self):
        """Whether code lives a day, see ``ar.collection.run._run_for``."""
        return self.env.context.get("ar_by_code") is BY_CODE

    def _ar_is_copy(self):
        """Whether the company was started in another database, of which this one is a copy."""
        started_in = self.root_id.sudo().ar_started_database
        return bool(started_in) and started_in != self._ar_get_database()

    def _ar_mark_started(self):
        """Remember who started the companies, and in which database."""
        self.root_id.sudo().write(
            {
                "ar_started_database": self._ar_get_database(),
                "ar_started_on": fields.Datetime.now(),
                "ar_started_by_id": self.env.uid,
            }
        )

    def _ar_prepare_again(self):
        """Send nothing until a manager starts the companies again: for the migration of a version
        that changes what is sent."""
        self.root_id.sudo().ar_started_database = False

    @api.model
    def _ar_get_database(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    # Working days

    def _ar_get_holidays(self):
        """Domain of the public holidays of the company."""
        return [("time_type", "=", "leave"), ("company_id", "in", (self.id, False))]

    def _ar_is_working_day(self, date):
        """Whether the company works on that day, by its working hours and public holidays."""
        self.ensure_one()
        calendar = self.resource_calendar_id
        if not calendar:
            return True
        start = timezone(calendar.tz).localize(datetime.combine(date, time.min))
        work = calendar._work_intervals_batch(
            start, start + timedelta(days=1), domain=self._ar_get_holidays()
        )
        return bool(work[False])

    def _ar_get_moved_days(self, start, end):
        """``{day off: the next working day}`` of a stretch of days, by one look at the calendar.

        A calendar without working days moves nothing.
        """
        self.ensure_one()
        # Whoever sees late charges need not have rights on the company's working hours.
        calendar = self.sudo().resource_calendar_id
        if not calendar or start > end:
            return {}
        zone = timezone(calendar.tz)
        until = end + timedelta(days=WITHOUT_WORK_DAYS)
        work = calendar._work_intervals_batch(
            zone.localize(datetime.combine(start, time.min)),
            zone.localize(datetime.combine(until, time.max)),
            domain=self._ar_get_holidays(),
        )[False]
        working = {interval[0].astimezone(zone).date() for interval in work}
        moved, following = {}, None
        for ahead in range((until - start).days, -1, -1):
            day = start + timedelta(days=ahead)
            if day in working:
                following = day
            elif following and day <= end:
                moved[day] = following
        return moved

    def _ar_working_day(self, date, days):
        """The day that is so many working days of the company after a date."""
        day = date
        for _working_day in range(days):
            for _rest_day in range(WITHOUT_WORK_DAYS):
                day += timedelta(days=1)
                if self._ar_is_working_day(day):
                    break
        return day


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_amount_factor = fields.Float(related="company_id.root_id.ar_amount_factor", readonly=False)
