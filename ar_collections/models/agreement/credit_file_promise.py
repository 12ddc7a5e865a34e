from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL


class ArCreditFile(models.Model):
    """What the customer's word is worth."""

    _inherit = "ar.credit.file"

    promise_ids = fields.One2many("ar.payment.promise", "file_id", string="Promises")
    plan_ids = fields.One2many("ar.payment.plan", "file_id", string="Payment Plans")
    promise_count = fields.Integer(
        string="Promises Decided",
        readonly=True,
        help="Promises and payment plans that were kept, broken or put off lately: the settings "
        "say in how many days.",
    )
    promise_kept_rate = fields.Float(
        string="Promises Kept",
        readonly=True,
        aggregator="avg",
        help="Share of these promises and payment plans that were kept.",
    )

    def _get_agreement_limits(self):
        """The :class:`Limits` of promises and plans with the customer: by its grade or company,
        the length of plans by the policy that it follows."""
        self.ensure_one()
        limits = (
            self.grade_id._get_agreement_limits()
            if self.grade_id
            else self.company_id._ar_get_agreement_limits()
        )
        case = self.sudo().case_ids.filtered(lambda case: case.state != "closed")
        policy = case.policy_id or case.policy_id._get_matching_policies(self)[self]
        months = policy.sudo().max_plan_months
        return limits._replace(plan_months=months) if months else limits

    def _get_reason_not_to_agree(self):
        """Hook: why the customer can agree on nothing with us, in a sentence; empty when it can."""
        self.ensure_one()
        return ""

    @api.model
    def _count_promises(self, company, date, partners=None):
        """Count decided promises and plans, of all customers or some, in one statement."""
        self.env["ar.payment.promise"].flush_model()
        self.env["ar.payment.plan"].flush_model()
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
            WITH decided AS (
                SELECT file_id, COUNT(*) FILTER (WHERE kept) AS kept, COUNT(*) AS total
                  FROM (
                    SELECT file_id, kept_share > 0 AS kept, company_id,
                           CASE state WHEN 'replaced' THEN date_closed ELSE date END AS date
                      FROM ar_payment_promise WHERE is_decided
                     UNION ALL
                    SELECT file_id, state = 'done', company_id, date_closed
                      FROM ar_payment_plan WHERE state IN ('done', 'defaulted')
                  ) word
                 WHERE company_id = %(company)s AND date > %(since)s
                 GROUP BY file_id
            ), fresh AS (
                SELECT file.id, COALESCE(total - kept, 0) AS broken_promises,
                       COALESCE(total, 0) AS promise_count,
                       COALESCE(kept::float8 / total, 0) AS promise_kept_rate
                  FROM ar_credit_file file
                  LEFT JOIN decided ON decided.file_id = file.id
                 WHERE file.company_id = %(company)s AND %(scope)s
                   AND (decided.file_id IS NOT NULL OR file.promise_count > 0)
            )
            UPDATE ar_credit_file file
               SET (broken_promises, promise_count, promise_kept_rate)
                 = (fresh.broken_promises, fresh.promise_count, fresh.promise_kept_rate)
              FROM fresh
             WHERE fresh.id = file.id
               AND (COALESCE(file.broken_promises, 0), COALESCE(file.promise_count, 0),
                    COALESCE(file.promise_kept_rate, 0)) IS DISTINCT FROM
                   (fresh.broken_promises, fresh.promise_count, fresh.promise_kept_rate)
            """,
                company=company.id,
                since=date - timedelta(days=company.ar_promise_memory_days),
                scope=SQL("TRUE")
                if partners is None
                else SQL("file.partner_id IN %s", tuple(partners.ids) or (0,)),
            )
        )
        self.invalidate_model(
            ["broken_promises", "promise_count", "promise_kept_rate"], flush=False
        )
