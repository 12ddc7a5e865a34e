from datetime import date, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.tests import HttpCase, tagged

from ..models.common.res_company import Clock
from .shared import SharedCommon


@tagged("post_install", "-at_install")
class CollectionsCommon(SharedCommon):
    """A company with a plain policy: +1 e-mail, +7 e-mail and SMS, +15 call, +30 letter."""

    # A Monday, far enough from any real date.
    today = date(2030, 6, 3)

    @classmethod
    def default_env_context(cls):
        return {**super().default_env_context(), "ar_clock": Clock(cls.today)}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if issubclass(cls, HttpCase):
            cls._tell_requests_the_day()

    @classmethod
    def _tell_requests_the_day(cls):
        """Requests have no clock, and midnight may pass while the tests run."""

        def _ar_today(company):
            clock = company.env.context.get("ar_clock")
            return clock.date if isinstance(clock, Clock) else cls.today

        cls.startClassPatcher(patch.object(cls.registry["res.company"], "_ar_today", _ar_today))

    @classmethod
    def _make_shared_records(cls):
        cls.branch = cls.env["res.company"].create(
            {
                "name": "Branch",
                "parent_id": cls.company.id,
            }
        )
        cls.env.cr.precommit.run()  # loads the accounts of the branch
        cls.env.user.company_ids |= cls.branch
        cls.company.ar_writeoff_account_id = cls.company_data["default_account_expense"]
        cls.env["ar.collection.policy"].search([]).active = False
        cls.env["ar.collection.stage"].search([]).active = False
        cls.stages = {
            kind: cls.env["ar.collection.stage"].create(
                {
                    "name": kind,
                    "kind": kind,
                    "sequence": sequence,
                    "hold_credit": kind == "final",
                }
            )
            for sequence, kind in enumerate(("reminder", "phone", "final"))
        }
        mail_template = cls.env["mail.template"].create(
            {
                "name": "Reminder",
                "model_id": cls.env["ir.model"]._get_id("ar.collection.action"),
                "lang": "{{ object.lang }}",
                "subject": "Overdue: {{ object.amount_text }}",
                "body_html": '<p>Dear <t t-out="object.partner_id.name"/></p>'
                '<t t-out="object.items_table"/>',
            }
        )
        cls.mail_template = mail_template
        cls.sms_template = cls.env["sms.template"].create(
            {
                "name": "Reminder",
                "model_id": cls.env["ir.model"]._get_id("ar.collection.action"),
                "body": "Please pay {{ object.amount_text }}",
            }
        )
        reminder, phone, final = cls.stages["reminder"], cls.stages["phone"], cls.stages["final"]
        cls.policy = cls.env["ar.collection.policy"].create(
            {
                "name": "Test policy",
                "min_days_between": 5,
                "step_ids": [
                    Command.create(
                        {
                            "name": name,
                            "days": days,
                            "channel": channel,
                            "stage_id": stage.id,
                            "template_id": mail_template.id if channel == "email" else False,
                            "sms_template_id": cls.sms_template.id if channel == "sms" else False,
                        }
                    )
                    for name, days, channel, stage in (
                        ("First", 1, "email", reminder),
                        ("Second", 7, "email", reminder),
                        ("Text", 7, "sms", reminder),
                        ("Call", 15, "call", phone),
                        ("Final", 60, "email", final),
                    )
                ],
            }
        )
        cls.steps = {step.name: step for step in cls.policy.step_ids}
        cls.customer = cls._customer("Customer")

    @classmethod
    def _customer(cls, name, **values):
        return cls.env["res.partner"].create(
            {
                "name": name,
                "is_company": True,
                "email": f"{name.lower().replace(' ', '.')}@example.com",
                "phone": "+1 555 0100",
                **values,
            }
        )

    @classmethod
    def _own_rule(cls, pack=None, company=None):
        """The company's own version of the pack that it lives by, or of another one."""
        company = company or cls.company
        rule = cls.env.ref(f"ar_collections.country_rule_{pack}") if pack else None
        rule = rule or company._ar_get_country_rule().sudo(False)
        if rule.company_id != company:
            own = cls.env["ar.country.rule"].search(
                [("company_id", "=", company.id), ("country_id", "=", rule.country_id.id)]
            )
            rule = own or rule._make_own(company)
        rule._use(company)
        return rule

    @classmethod
    def _day(cls, days):
        return cls.today + timedelta(days=days)

    @classmethod
    def _invoice(
        cls,
        partner,
        amount,
        due,
        date_=None,
        currency=None,
        move_type="out_invoice",
        company=None,
        post=True,
    ):
        """A posted invoice of that amount without taxes, due on day ``due`` of the test."""
        company = company or cls.company
        move = (
            cls.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": move_type,
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "invoice_date": date_ or cls._day(due) - timedelta(days=30),
                    "invoice_date_due": cls._day(due),
                    "invoice_payment_term_id": False,
                    "currency_id": (currency or company.currency_id).id,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "name": "Goods",
                                "price_unit": amount,
                                "tax_ids": [Command.clear()],
                                "account_id": cls.company_data["default_account_revenue"].id,
                            }
                        )
                    ],
                }
            )
        )
        if post:
            move.action_post()
        return move

    @classmethod
    def _pay(cls, moves, amount=None, day=0, **values):
        """Register a payment of the moves on day ``day`` of the test."""
        wizard = (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=moves.ids)
            .create(
                {
                    "payment_date": cls._day(day),
                    **({"amount": amount} if amount else {}),
                    **values,
                }
            )
        )
        return wizard._create_payments()

    @classmethod
    def _pay_in_process(cls, moves, amount=None, day=0):
        """A payment that is on its way and not booked before the bank confirms it: so it is with
        the accounting app, which says so by the state of its invoices."""
        methods = cls.env["account.payment.method.line"].search([("journal_id", "!=", False)])
        methods.payment_account_id = False
        model = cls.registry["account.move"]
        with patch.object(model, "_get_invoice_in_payment_state", return_value="in_payment"):
            payment = cls._pay(moves, amount, day)
        assert payment.state == "in_process", payment.state
        assert not payment.move_id, payment.move_id
        return payment

    @classmethod
    def _bounce(cls, payment):
        """The bank takes a payment back: it never came."""
        payment.action_draft()
        payment.action_cancel()

    @classmethod
    def _non_trade(cls, partner, amount, day=0, journal_type="general"):
        """A posted receivable that is not of trade: a loan, or its instalment when negative."""
        account = cls.env["account.account"].create(
            {
                "name": "Loans",
                "code": f"NT{cls.env['account.account'].search_count([])}",
                "account_type": "asset_receivable",
                "non_trade": True,
                "reconcile": True,
            }
        )
        journal = cls.env["account.journal"].search(
            [("company_id", "=", cls.company.id), ("type", "=", journal_type)], limit=1
        )
        other = cls.company_data["default_account_revenue"]
        move = cls.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "date": cls._day(day),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": line_account.id,
                            "partner_id": partner.id,
                            "balance": balance,
                            "date_maturity": cls._day(day),
                        }
                    )
                    for line_account, balance in ((account, amount), (other, -amount))
                ],
            }
        )
        move.action_post()
        return move.line_ids.filtered(lambda line: line.account_id == account)

    @classmethod
    def _run(cls, day=0, execute=True, company=None, failing=False):
        run = cls.env["ar.collection.run"]._run_for(
            company or cls.company, cls._day(day), execute, as_job=True
        )
        assert failing or not run.log, run.log
        return run

    def _case(self, partner=None, company=None):
        return self.env["ar.collection.case"].search(
            [
                ("partner_id", "=", (partner or self.customer).id),
                ("company_id", "=", (company or self.company).id),
            ],
            order="id desc",
            limit=1,
        )
