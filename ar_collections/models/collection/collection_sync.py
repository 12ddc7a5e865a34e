from odoo import api, models
from odoo.tools import SQL

from .collection_case import FOLLOWED

# What a case takes over from the credit file, by its names and by the file's.
FIGURES = (
    "followup_amount",
    "followup_due",
    "disputed",
    "promised",
    "demand_amount",
    "demand_due",
)


class ArCollectionSync(models.AbstractModel):
    """Brings cases in line with the figures of the credit files, for all customers at once."""

    _name = "ar.collection.sync"
    _description = "Cases in Line with the Figures"

    @api.model
    def _sync_cases(self, company, date, partners=None):
        """Close, reopen and refresh the company's cases from the figures of the credit files.

        :return: the cases closed
        """
        cases = self.env["ar.collection.case"]
        cases.flush_model()
        scope = SQL()
        if partners is not None:
            scope = SQL("AND kase.partner_id IN %s", tuple(partners.ids) or (0,))
        self._reopen(company, date, scope)
        paid_off = cases.browse(
            id_
            for (id_,) in self.env.execute_query(
                SQL(
                    """
            SELECT kase.id FROM ar_collection_case kase
              JOIN ar_credit_file file ON file.id = kase.file_id
             WHERE kase.company_id = %s AND kase.state <> 'closed' %s
               AND COALESCE(file.followup_amount, 0) <= 0
             ORDER BY kase.id
            """,
                    company.id,
                    scope,
                )
            )
        )
        paid_off._close(date)
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_collection_case kase
               SET (%(columns)s) = (%(figures)s)
              FROM ar_credit_file file
             WHERE file.id = kase.file_id AND kase.company_id = %(company)s
               AND kase.state <> 'closed' %(scope)s
               AND (%(present)s) IS DISTINCT FROM (%(figures)s)
            """,
                columns=SQL(", ").join(map(SQL.identifier, FOLLOWED)),
                present=SQL(", ").join(SQL.identifier("kase", name) for name in FOLLOWED),
                figures=SQL(
                    "%s, %s - file.followup_due",
                    SQL(", ").join(SQL.identifier("file", name) for name in FIGURES),
                    date,
                ),
                company=company.id,
                scope=scope,
            )
        )
        cases.invalidate_model(FOLLOWED, flush=False)
        cases.search(
            [
                ("company_id", "=", company.id),
                ("state", "!=", "closed"),
                *([("partner_id", "in", partners.ids)] if partners is not None else ()),
            ]
        )._keep_amounts(date)
        self._cancel_outdated(company, scope)
        return paid_off

    @api.model
    def _cancel_outdated(self, company, scope):
        """Drop the planned work, and what failed, of steps whose oldest item is settled, disputed
        or promised."""
        self.env["ar.collection.action"].flush_model()
        self.env["ar.collection.action"].browse(
            id_
            for (id_,) in self.env.execute_query(
                SQL(
                    """
            SELECT action.id FROM ar_collection_action action
              JOIN ar_collection_case kase ON kase.id = action.case_id
             WHERE (action.state = 'planned'
                    OR action.state = 'failed' AND action.date_failed IS NOT NULL)
               AND action.step_id IS NOT NULL
               AND kase.company_id = %s %s AND kase.state <> 'closed'
               AND action.due_date < COALESCE(kase.demand_due_date, 'infinity')
            """,
                    company.id,
                    scope,
                )
            )
        )._cancel()

    @api.model
    def _reopen(self, company, date, scope):
        """Open again the last case of a customer when an item it was closed without is open.

        Such an item was already overdue when the case was closed; a debt that fell due later
        is a new case.
        """
        cases = self.env["ar.collection.case"].browse(
            id_
            for (id_,) in self.env.execute_query(
                SQL(
                    """
            SELECT DISTINCT ON (kase.partner_id) kase.id FROM ar_collection_case kase
              JOIN ar_credit_file file ON file.id = kase.file_id
             WHERE kase.company_id = %s AND kase.state = 'closed' %s
               AND file.followup_amount > 0 AND file.followup_due < kase.date_closed
               AND NOT EXISTS (
                SELECT FROM ar_collection_case other
                 WHERE other.company_id = kase.company_id AND other.state <> 'closed'
                   AND other.partner_id = kase.partner_id)
             ORDER BY kase.partner_id, kase.date_closed DESC, kase.id DESC
            """,
                    company.id,
                    scope,
                )
            )
        )
        if cases:
            cases.write({"state": "open", "close_reason": False, "date_closed": False})
            cases.flush_model()

    @api.model
    def _open_new(self, company, date):
        """Open a case for every customer with something to follow up and none open.

        :return: the new cases
        """
        cases = self.env["ar.collection.case"]
        rows = self.env.execute_query(
            SQL(
                """
            SELECT file.id, %s, %s - file.followup_due
              FROM ar_credit_file file
             WHERE file.company_id = %s AND file.followup_amount > 0
               AND NOT EXISTS (
                SELECT FROM ar_collection_case kase
                 WHERE kase.company_id = file.company_id AND kase.state <> 'closed'
                   AND kase.partner_id = file.partner_id)
             ORDER BY file.id
            """,
                SQL(", ").join(SQL.identifier("file", name) for name in FIGURES),
                date,
                company.id,
            )
        )
        if not rows:
            return cases
        files = self.env["ar.credit.file"].browse(row[0] for row in rows)
        policies = self.env["ar.collection.policy"]._get_matching_policies(files)
        stage = self.env["ar.collection.stage"].search([], limit=1)
        booked = self.env["ar.settlement"]._get_last_booked()
        return (
            cases.with_context(
                mail_create_nosubscribe=True, mail_create_nolog=True, tracking_disable=True
            )
            .create(
                [
                    {
                        "partner_id": file.partner_id.id,
                        "company_id": company.id,
                        "file_id": file.id,
                        "stage_id": stage.id,
                        "policy_id": policies[file].id,
                        "collector_id": (file.collector_id | file.partner_id.user_id)
                        ._ar_at_work(company)[:1]
                        .id,
                        "date_opened": date,
                        "amount_opened": figures[0],
                        "booked_before": booked,
                        **dict(zip(FOLLOWED, figures, strict=True)),
                    }
                    for file, (_id, *figures) in zip(files, rows, strict=True)
                ]
            )
            .with_env(self.env)
        )

    @api.model
    def _refresh_next_actions(self, company, date, plans):
        """Tell each case when something can happen next, and what it waits for.

        :param plans: ``ar.collection.planner`` of the day
        """
        cases = self.env["ar.collection.case"]
        failed = set(
            cases.search(
                [
                    ("company_id", "=", company.id),
                    ("last_error", "!=", False),
                    ("state", "=", "open"),
                ]
            ).ids
        )
        fresh = {}
        for plan in plans:
            step_day, wait, next_date = plan.decision
            news = (date if step_day is not None else next_date, wait)
            if plan.case_id and news != plan.noted:
                fresh[plan.case_id] = news
        self._write_next_actions(fresh)
        cases.browse(
            plan.case_id for plan in plans if plan.decision.wait == "proof"
        )._plan_missing_contacts(date)
        cases.browse(
            plan.case_id
            for plan in plans
            if plan.decision.wait == "no_step" and plan.noted[1] != "no_step"
        )._ask_what_next(date)
        cases.browse(
            plan.case_id
            for plan in plans
            if plan.case_id in failed and plan.decision.step_day is None
        ).last_error = False

    @api.model
    def _write_next_actions(self, values):
        """Write what is new in one statement.

        :param values: ``{case id: (next action date, what it waits for)}``
        """
        if not values:
            return
        cases = self.env["ar.collection.case"]
        cases.flush_model()
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_collection_case kase
               SET next_action_date = fresh.next_date, waiting_for = fresh.wait
              FROM UNNEST(%s::int[], %s::date[], %s::varchar[])
                   AS fresh(id, next_date, wait)
             WHERE fresh.id = kase.id
            """,
                list(values),
                [value[0] for value in values.values()],
                [value[1] for value in values.values()],
            )
        )
        cases.invalidate_model(["next_action_date", "waiting_for"], flush=False)
