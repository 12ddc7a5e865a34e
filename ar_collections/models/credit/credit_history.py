from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..common.optional_float import OptionalFloat
from .credit_grade import RISK_TIERS, TIERS

# What a row of the history keeps of the credit file.
KEPT = (
    "grade_id",
    "score",
    "ability_score",
    "willingness_score",
    "risk_tier",
    "is_limited",
    "effective_limit",
    "group_limit",
)


class ArCreditHistory(models.Model):
    """What grade, score, risk and limit a customer had, since when, why and by whom."""

    _name = "ar.credit.history"
    _description = "Credit History"
    _order = "date desc, id desc"
    _rec_name = "file_id"

    file_id = fields.Many2one(
        "ar.credit.file", string="Credit File", required=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(related="file_id.partner_id", store=True, index=True)
    company_id = fields.Many2one(related="file_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Datetime(required=True)
    user_id = fields.Many2one("res.users", string="By")
    reason = fields.Char()
    grade_id = fields.Many2one("ar.credit.grade", string="Credit Grade")
    score = OptionalFloat(aggregator="avg")
    ability_score = OptionalFloat(string="Ability to Pay", aggregator="avg")
    willingness_score = OptionalFloat(string="Willingness to Pay", aggregator="avg")
    risk_tier = fields.Selection(RISK_TIERS)
    risk_level = fields.Integer(
        aggregator="avg", help="1 low, 2 medium, 3 high: to draw the risk over time."
    )
    is_limited = fields.Boolean()
    effective_limit = fields.Monetary(string="Credit Limit", aggregator="avg")
    group_limit = fields.Monetary(aggregator="avg")

    def write(self, vals):
        self._refuse_change()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        self._refuse_change()

    def _refuse_change(self):
        if not self.env.su:
            raise AccessError(self.env._("The credit history is never changed."))

    @api.model
    def _record_changes(self, files, reason=None):
        """Add a row for each file that is not what its last row says: one statement for all.

        :param files: credit files
        :param reason: why, when it is not the reason of the limit that the files say
        """
        if not files:
            return
        files.flush_recordset()
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
            INSERT INTO ar_credit_history (
                   file_id, partner_id, company_id, %(kept)s, risk_level, date, user_id, reason,
                   create_uid, write_uid, create_date, write_date)
            SELECT file.id, file.partner_id, file.company_id, %(file)s,
                   ARRAY_POSITION(%(tiers)s, file.risk_tier::text), %(now)s, %(uid)s,
                   COALESCE(%(reason)s, file.limit_reason), %(uid)s, %(uid)s, %(now)s, %(now)s
              FROM ar_credit_file file
              LEFT JOIN (
                SELECT DISTINCT ON (file_id) * FROM ar_credit_history
                 WHERE file_id = ANY(%(ids)s) ORDER BY file_id, id DESC
              ) former ON former.file_id = file.id
             WHERE file.id = ANY(%(ids)s)
               AND (former.id IS NULL OR (%(file)s) IS DISTINCT FROM (%(former)s))
             ORDER BY file.id
            """,
                kept=SQL(", ").join(map(SQL.identifier, KEPT)),
                file=SQL(", ").join(SQL.identifier("file", name) for name in KEPT),
                former=SQL(", ").join(SQL.identifier("former", name) for name in KEPT),
                tiers=TIERS,
                now=self.env.cr.now(),
                uid=self.env.uid,
                reason=reason,
                ids=files.ids,
            )
        )
        self.invalidate_model(flush=False)
        files.invalidate_recordset(["history_ids"], flush=False)
