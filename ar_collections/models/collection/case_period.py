from odoo import api, fields, models
from odoo.tools import SQL

# What a period keeps of its case.
KEPT = ("collector_id", "policy_id", "stage_id")


class ArCasePeriod(models.Model):
    """Who was responsible for a case, in which stage and by which policy, from when to when.

    A period begins with its first day and ends before its last one: of several on one day the last
    holds. Nothing is changed but the end of the running one, and nobody has the right to.
    """

    _name = "ar.case.period"
    _description = "Period of a Case"
    _order = "date_from desc, id desc"
    _rec_name = "case_id"

    case_id = fields.Many2one(
        "ar.collection.case", required=True, readonly=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(related="case_id.partner_id", store=True, index=True)
    company_id = fields.Many2one(related="case_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_from = fields.Date(string="From", required=True, readonly=True)
    date_to = fields.Date(
        string="Until", readonly=True, help="The day from which on it is over; none while it runs."
    )
    collector_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    policy_id = fields.Many2one("ar.collection.policy", readonly=True, ondelete="restrict")
    stage_id = fields.Many2one("ar.collection.stage", readonly=True, ondelete="restrict")
    amount_overdue = fields.Monetary(string="Overdue at Its Start", readonly=True)

    _one_runs = models.UniqueIndex(
        "(case_id) WHERE date_to IS NULL", "A case has one running period."
    )
    _dates = models.Constraint(
        "CHECK(date_to IS NULL OR date_from <= date_to)", "A period ends before it starts."
    )

    @api.model
    def _follow_cases(self, cases):
        """End the running periods that do not say any more what their cases are, and begin what
        the cases are now; two statements for any number of cases."""
        if not cases:
            return
        cases.flush_recordset(
            [*KEPT, "state", "date_opened", "date_closed", "amount_overdue", "company_id"]
        )
        days = SQL(", ").join(
            SQL("(%s, %s)", company.id, max(company._ar_today(), company._ar_get_run_date()))
            for company in cases.company_id
        )
        values = {
            "cases": tuple(cases.ids),
            "days": days,
            "kept": SQL(", ").join(map(SQL.identifier, KEPT)),
            "now": SQL(", ").join(SQL.identifier("kase", name) for name in KEPT),
            "then": SQL(", ").join(SQL.identifier("period", name) for name in KEPT),
            "uid": self.env.uid,
            "time": self.env.cr.now(),
        }
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_case_period period
               SET date_to = GREATEST(period.date_from, CASE
                       WHEN kase.state = 'closed' THEN COALESCE(kase.date_closed, day.date)
                       ELSE day.date END)
              FROM ar_collection_case kase
              JOIN (VALUES %(days)s) AS day(company_id, date) ON day.company_id = kase.company_id
             WHERE period.case_id = kase.id AND kase.id IN %(cases)s AND period.date_to IS NULL
               AND (kase.state = 'closed' OR (%(now)s) IS DISTINCT FROM (%(then)s))
            """,
                **values,
            )
        )
        self.env.cr.execute(
            SQL(
                """
            INSERT INTO ar_case_period (
                   case_id, partner_id, company_id, date_from, %(kept)s, amount_overdue,
                   create_uid, write_uid, create_date, write_date)
            SELECT kase.id, kase.partner_id, kase.company_id,
                   COALESCE(former.date_to, kase.date_opened, day.date), %(now)s,
                   COALESCE(kase.amount_overdue, 0), %(uid)s, %(uid)s, %(time)s, %(time)s
              FROM ar_collection_case kase
              JOIN (VALUES %(days)s) AS day(company_id, date) ON day.company_id = kase.company_id
              LEFT JOIN LATERAL (
                SELECT GREATEST(MAX(date_to), day.date) AS date_to
                  FROM ar_case_period WHERE case_id = kase.id HAVING COUNT(*) > 0
              ) former ON TRUE
             WHERE kase.id IN %(cases)s AND kase.state <> 'closed'
               AND NOT EXISTS (
                SELECT FROM ar_case_period WHERE case_id = kase.id AND date_to IS NULL)
             ORDER BY kase.id
            """,
                **values,
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _make_from_tracking(self):
        """The periods of cases that have none, from what was tracked of them.

        A field that never changed was always what it is. How much was overdue is known of the
        first day alone, and nothing is known of records that were deleted since.
        """
        self.env["ar.collection.case"].flush_model()
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
            WITH kase AS MATERIALIZED (
                SELECT *, COALESCE(date_opened, create_date::date) AS first_day
                  FROM ar_collection_case kase
                 WHERE NOT EXISTS (SELECT FROM ar_case_period WHERE case_id = kase.id)
            ), change AS MATERIALIZED (
                SELECT kase.id AS case_id, tracked.name, value.id,
                       GREATEST(message.date::date, kase.first_day) AS day,
                       NULLIF(value.old_value_integer, 0) AS former,
                       NULLIF(value.new_value_integer, 0) AS latter
                  FROM kase
                  JOIN mail_message message
                    ON message.model = 'ar.collection.case' AND message.res_id = kase.id
                  JOIN mail_tracking_value value ON value.mail_message_id = message.id
                  JOIN ir_model_fields tracked ON tracked.id = value.field_id
                 WHERE tracked.name IN %(kept)s
            ), begun AS (
                SELECT id AS case_id, first_day AS day FROM kase UNION
                SELECT case_id, day FROM change
            ), period AS (
                SELECT begun.*, LEAD(day) OVER (PARTITION BY case_id ORDER BY day) AS next_day
                  FROM begun
            )
            INSERT INTO ar_case_period (
                   case_id, partner_id, company_id, date_from, date_to, %(names)s, amount_overdue,
                   create_uid, write_uid, create_date, write_date)
            SELECT kase.id, kase.partner_id, kase.company_id, period.day,
                   COALESCE(next_day, CASE WHEN kase.state = 'closed'
                       THEN GREATEST(COALESCE(kase.date_closed, period.day), period.day) END),
                   %(values)s,
                   CASE WHEN period.day = kase.first_day THEN kase.amount_opened END,
                   %(uid)s, %(uid)s, %(time)s, %(time)s
              FROM period
              JOIN kase ON kase.id = period.case_id
             ORDER BY kase.id, period.day
            """,
                kept=KEPT,
                names=SQL(", ").join(map(SQL.identifier, KEPT)),
                values=SQL(", ").join(map(self._get_value_then_sql, KEPT)),
                uid=self.env.uid,
                time=self.env.cr.now(),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _get_value_then_sql(self, name):
        """What a field was in a period: the last change to it, or what the next one replaced."""
        return SQL(
            """
            (SELECT record.id FROM %(table)s record WHERE record.id = (COALESCE(
                (SELECT ARRAY[latter] FROM change
                  WHERE case_id = kase.id AND name = %(name)s AND day <= period.day
                  ORDER BY day DESC, id DESC LIMIT 1),
                (SELECT ARRAY[former] FROM change
                  WHERE case_id = kase.id AND name = %(name)s AND day > period.day
                  ORDER BY day, id LIMIT 1),
                ARRAY[%(now)s]))[1])
            """,
            table=SQL.identifier(self.env[self._fields[name].comodel_name]._table),
            name=name,
            now=SQL.identifier("kase", name),
        )


class ArCaseResponsible(models.AbstractModel):
    """Keeps the periods of a case as it changes, whoever changes it."""

    _name = "ar.case.responsible"
    _description = "Case with Periods"

    @api.model_create_multi
    def create(self, vals_list):
        cases = super().create(vals_list)
        self.env["ar.case.period"].sudo()._follow_cases(cases.sudo())
        return cases

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint((*KEPT, "state")):
            self.env["ar.case.period"].sudo()._follow_cases(self.sudo())
        return result
