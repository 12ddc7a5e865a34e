from odoo import fields, models
from odoo.tools import SQL

from .credit_grade import RISK_TIERS

# What a row of the history keeps of the credit file.
KEPT = ("grade_id", "score", "risk_tier", "is_limited", "effective_limit", "group_limit")


class ArCreditFile(models.Model):
    _inherit = "ar.credit.file"

    history_ids = fields.One2many("ar.credit.history", "file_id", readonly=True)

    def action_open_history(self):
        """What grade, score, risk and limit the customer had, as a graph and a list."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "ar_collections.ar_credit_history_action"
            ),
            "name": self.env._("Credit History of %s", self.partner_id.display_name),
            "domain": [("file_id", "=", self.id)],
            "context": {"ar_one_customer": True, "graph_measure": "effective_limit"},
        }

    def _record_history(self, reason=None):
        """Add a row for each file that is not what its last row says: one statement for all.

        :param reason: why, when the files themselves do not say it
        """
        if not self:
            return
        self.flush_recordset()
        history = self.env["ar.credit.history"]
        history.flush_model()
        self.env.cr.execute(
            SQL(
                """
            INSERT INTO ar_credit_history (
                   file_id, partner_id, company_id, %(kept)s, risk_level, date, user_id, reason,
                   create_uid, write_uid, create_date, write_date)
            SELECT file.id, file.partner_id, file.company_id, %(file)s,
                   ARRAY_POSITION(%(tiers)s, file.risk_tier::text), %(now)s, %(uid)s,
                   COALESCE(file.limit_reason, %(reason)s), %(uid)s, %(uid)s, %(now)s, %(now)s
              FROM ar_credit_file file
              LEFT JOIN LATERAL (
                SELECT * FROM ar_credit_history
                 WHERE file_id = file.id ORDER BY id DESC LIMIT 1
              ) former ON TRUE
             WHERE file.id IN %(ids)s
               AND (former.id IS NULL OR (%(file)s) IS DISTINCT FROM (%(former)s))
             ORDER BY file.id
            """,
                kept=SQL(", ").join(map(SQL.identifier, KEPT)),
                file=SQL(", ").join(SQL.identifier("file", name) for name in KEPT),
                former=SQL(", ").join(SQL.identifier("former", name) for name in KEPT),
                tiers=[tier for tier, _label in RISK_TIERS],
                now=self.env.cr.now(),
                uid=self.env.uid,
                reason=reason,
                ids=tuple(self.ids),
            )
        )
        history.invalidate_model(flush=False)
        self.invalidate_recordset(["history_ids"], flush=False)
