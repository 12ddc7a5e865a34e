from odoo import api, models
from odoo.tools import SQL

from ..figures.settlement import money_sql
from ..figures.trade_receivable import is_trade_receivable

# What a case takes over from the credit file, by its names and by the file's.
FIGURES = (
    "followup_amount",
    "followup_due",
    "disputed",
    "promised",
    "demand_amount",
    "demand_due",
)
FOLLOWED = (
    "amount_overdue",
    "oldest_due_date",
    "amount_disputed",
    "amount_promised",
    "amount_demand",
    "demand_due_date",
    "days_overdue",
)


class ArCollectionCase(models.Model):
    """How cases follow the ledger: daily for all customers, at once for those it touches."""

    _inherit = "ar.collection.case"

    @api.model
    def _ledger_changed(self, lines):
        """Bring files and cases of the lines' customers in line with the ledger, at once.

        Lateness is judged at the day of the last run, so that nothing here reads the clock.
        Only the daily run opens new cases; here one shrinks, closes or opens again.
        """
        lines = lines.filtered(lambda line: line.partner_id and is_trade_receivable(line))
        if not lines:
            return
        for company, company_lines in lines.grouped(lambda line: line.company_id.root_id).items():
            self._claims_changed(company, company_lines.partner_id.commercial_partner_id)

    @api.model
    def _claims_changed(self, company, partners):
        """Bring files and cases of these customers in line with ledger and claims, at once."""
        # Whoever posts or reconciles need not have rights on collection.
        self = self.sudo()  # noqa: PLW0642
        date = company._ar_get_run_date()
        partners = self.env["ar.credit.refresh"]._refresh(company, date, partners, current=True)
        if partners:
            self.env["ar.credit.hold.rule"]._apply_hold_rules(company, date, partners)
            self._sync(company, date, partners)

    @api.model
    def _matching_changed(self, lines):
        """Judge the promises and plans of these items again, then follow the ledger."""
        if not lines:
            return
        for model in ("ar.dispute", "ar.payment.promise", "ar.payment.plan", "ar.placement"):
            self.env[model].sudo()._follow_matching(lines)
        self._ledger_changed(lines)

    @api.model
    def _sync(self, company, date, partners=None):
        """Close, reopen and refresh the company's cases from the figures of the credit files.

        :return: the cases closed
        """
        self.flush_model()
        scope = SQL()
        if partners is not None:
            scope = SQL("AND kase.partner_id IN %s", tuple(partners.ids) or (0,))
        self._reopen(company, date, scope)
        paid_off = self.browse(
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
        self.invalidate_model(FOLLOWED, flush=False)
        self._cancel_outdated(company, scope)
        return paid_off

    @api.model
    def _cancel_outdated(self, company, scope):
        """Drop the planned work of steps whose oldest item is settled, disputed or promised."""
        self.env["ar.collection.action"].flush_model()
        self.env["ar.collection.action"].browse(
            id_
            for (id_,) in self.env.execute_query(
                SQL(
                    """
            SELECT action.id FROM ar_collection_action action
              JOIN ar_collection_case kase ON kase.id = action.case_id
             WHERE action.state = 'planned' AND action.step_id IS NOT NULL
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
        cases = self.browse(
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
            self.flush_model()

    def _close(self, date):
        """Close cases without overdue items left, with the reason that the ledger shows."""
        lost = self._written_off_since_opened()
        paid = (self - lost)._paid_since_opened()
        common = {
            "state": "closed",
            "date_closed": date,
            "pause_reason": False,
            "pause_end": False,
            "next_action_date": False,
            "waiting_for": False,
            "last_error": False,
            **dict.fromkeys(FOLLOWED, False),
        }
        paid.write({**common, "close_reason": "paid"})
        lost.write({**common, "close_reason": "written_off"})
        (self - lost - paid).write({**common, "close_reason": "cancelled"})
        if self:
            self.activity_unlink(
                [
                    f"ar_collections.activity_{kind}"
                    for kind in ("call", "visit", "task", "escalation", "limitation")
                ]
            )
            self.action_ids.filtered(lambda action: action.state == "planned")._cancel()
            self.file_id.filtered(lambda file: file.hold_cause == "stage")._lift_hold()
            self.flush_model()

    def _paid_since_opened(self):
        """The cases of which an overdue item was settled with money since they were opened."""
        if not self:
            return self
        self.env["account.partial.reconcile"].flush_model()
        return self.browse(
            id_
            for (id_,) in self.env.execute_query(
                SQL(
                    """
            SELECT kase.id FROM ar_collection_case kase
             WHERE kase.id IN %s AND EXISTS (
                SELECT FROM account_partial_reconcile partial
                  JOIN account_move_line item ON item.id = partial.debit_move_id
                  JOIN account_move_line money ON money.id = partial.credit_move_id
                  JOIN account_journal journal ON journal.id = money.journal_id
                 WHERE item.partner_id IN (
                        SELECT id FROM res_partner
                         WHERE commercial_partner_id = kase.partner_id)
                   AND partial.create_date >= kase.create_date
                   AND %s)
             ORDER BY kase.id
            """,
                    tuple(self.ids),
                    money_sql(),
                )
            )
        )

    @api.model
    def _open_new(self, company, date):
        """Open a case for every customer with something to follow up and none open.

        :return: the new cases
        """
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
            return self
        files = self.env["ar.credit.file"].browse(row[0] for row in rows)
        policies = self.env["ar.collection.policy"]._match(files)
        stage = self.env["ar.collection.stage"].search([], limit=1)
        return (
            self.with_context(
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
                        "collector_id": (file.collector_id or file.partner_id.user_id).id,
                        "date_opened": date,
                        **dict(zip(FOLLOWED, figures, strict=True)),
                    }
                    for file, (_id, *figures) in zip(files, rows, strict=True)
                ]
            )
            .with_env(self.env)
        )

    @api.model
    def _match_policies(self, files):
        """Open cases follow when the policy that fits their credit file changes."""
        policies = self.env["ar.collection.policy"]._match(files)
        cases = self.sudo().search([("file_id", "in", files.ids), ("state", "!=", "closed")])
        for case in cases:
            if case.policy_id != policies[case.file_id.with_env(files.env)]:
                case.policy_id = policies[case.file_id.with_env(files.env)]

    @api.model
    def _write_next_actions(self, values):
        """Write what is new in one statement.

        :param values: ``{case id: (next action date, what it waits for)}``
        """
        if not values:
            return
        self.flush_model()
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
        self.invalidate_model(["next_action_date", "waiting_for"], flush=False)
