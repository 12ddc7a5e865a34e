from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from .late_charge_setting import FILE_MODES, GRADE_KINDS

# Marks that the terms themselves are followed: it is no change of terms. RPC cannot send it.
FOLLOWED = object()
# For so many days terms that were entered ahead wait for a daily run to show them.
FOLLOWED_DAYS = 31


class ArLateChargeRate(models.Model):
    """What is asked of a grade or a customer for being late, from one day on.

    What was agreed counts for its own days: a customer that gets another grade or rate today is
    charged by it from today. The first change keeps what was before as a row without a day, from
    the beginning; without any row what the grade or credit file says counts for all days.
    """

    _name = "ar.late.charge.rate"
    _description = "Late Charge Terms"
    _order = "date desc nulls last, id desc"
    _rec_name = "date"

    date = fields.Date(string="From", help="Empty: from the beginning.")
    grade_id = fields.Many2one("ar.credit.grade", index="btree_not_null", ondelete="cascade")
    file_id = fields.Many2one(
        "ar.credit.file", string="Credit File", index="btree_not_null", ondelete="cascade"
    )
    kind = fields.Selection(GRADE_KINDS, default="fixed", required=True)
    mode = fields.Selection(FILE_MODES, default="custom", required=True)
    rate = fields.Float(string="% a Year")
    file_grade_id = fields.Many2one(
        "ar.credit.grade",
        string="Grade of the Customer",
        ondelete="set null",
        help="Whose terms count where the customer has none of its own.",
    )

    _rate_positive = models.Constraint(
        "CHECK(rate >= 0)", "The rate of late charges cannot be negative."
    )
    _day_uniq = models.UniqueIndex(
        "(grade_id, file_id, date) NULLS NOT DISTINCT", "There are terms from this day already."
    )

    @api.model
    def _note_change(self, owners, former, date):
        """Keep the terms of grades or credit files that have just changed.

        :param owners: records of one model
        :param former: ``{owner: {field here: value}}`` before the change
        :param date: the first day of the new terms
        """
        if self.env.context.get("ar_followed") is FOLLOWED:
            return
        link = "grade_id" if owners._name == "ar.credit.grade" else "file_id"
        known = self.sudo().search([(link, "in", owners.ids)]).grouped(link)
        values = []
        for owner in owners:
            now = owner._get_late_charge_terms()
            if now == former[owner]:
                continue
            rows = known.get(owner, self)
            today = rows.filtered(lambda row: row.date == date)
            if not rows:
                values.append({link: owner.id, "date": False, **former[owner]})
            if today:
                today.with_context(ar_followed=FOLLOWED).write(now)
            else:
                values.append({link: owner.id, "date": date, **now})
        self.sudo().with_context(ar_followed=FOLLOWED).create(values)

    @api.model
    def _get_in_force(self, owners, date):
        """``{owner: the row in force on a day}`` of those who have rows."""
        link = "grade_id" if owners._name == "ar.credit.grade" else "file_id"
        rows = self.sudo().search([(link, "in", owners.ids)])
        in_force = {}
        for row in rows.sorted(lambda row: (row.date or fields.Date.to_date("0001-01-01"), row.id)):
            if not row.date or row.date <= date:
                in_force[row[link]] = row
        return in_force

    @api.model
    def _follow(self, owners, date):
        """Let grades or credit files show the terms in force on a day."""
        for owner, row in self._get_in_force(owners, date).items():
            owner.with_context(ar_followed=FOLLOWED)._show_late_charge_terms(row)

    @api.model
    def _follow_due(self, company, date):
        """Terms that were entered ahead are shown from their day on."""
        # Not every day has a run.
        since = date - timedelta(days=FOLLOWED_DAYS)
        rows = self.search([("date", ">", since), ("date", "<=", date)])
        self._follow(rows.grade_id, date)
        self._follow(rows.file_id.filtered(lambda file: file.company_id == company), date)

    @api.constrains("grade_id", "file_id")
    def _check_owner(self):
        if any(bool(row.grade_id) == bool(row.file_id) for row in self):
            raise ValidationError(self.env._("Terms are of a grade or of a customer."))

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._check_manager()
        rows._follow_owners()
        return rows

    def write(self, vals):
        self._check_manager()
        result = super().write(vals)
        self._follow_owners()
        return result

    def unlink(self):
        self._check_manager()
        grades, files = self.grade_id, self.file_id
        result = super().unlink()
        self._follow(grades, self.env.company._ar_today())
        self._follow(files, self.env.company._ar_today())
        return result

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager changes late charges."))

    def _follow_owners(self):
        if self.env.context.get("ar_followed") is not FOLLOWED:
            self._follow(self.grade_id, self.env.company._ar_today())
            self._follow(self.file_id, self.env.company._ar_today())
