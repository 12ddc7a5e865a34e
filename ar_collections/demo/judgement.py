"""What feeds the judgement of customers, and what follows: papers, a cut limit, settlements."""

from base64 import b64encode
from datetime import timedelta

from odoo import Command

STATEMENTS = (
    {
        "inventories": 310_000,
        "current_assets": 820_000,
        "total_assets": 1_450_000,
        "current_liabilities": 540_000,
        "total_liabilities": 790_000,
        "revenue": 3_100_000,
        "operating_profit": 168_000,
        "interest": 31_000,
        "net_profit": 104_000,
    },
    {
        "inventories": 350_000,
        "current_assets": 960_000,
        "total_assets": 1_620_000,
        "current_liabilities": 560_000,
        "total_liabilities": 810_000,
        "revenue": 3_560_000,
        "operating_profit": 221_000,
        "interest": 28_000,
        "net_profit": 149_000,
    },
)
FOOD = ("Qingdao", "Halifax", "Chengdu")


class JudgementScene:
    def __init__(self, env, company, partners, today, approve):
        """:param partners: ``{city: res.partner}``
        :param approve: approves a write-off request
        """
        # Nothing leaves a demo.
        self.env = env(context={**env.context, "mail_notify_force_send": False})
        self.company = company
        self.partners = partners
        self.today = today
        self.approve = approve
        self.admin = env.ref("base.user_admin")
        self.analyst = env.ref("base.user_demo", raise_if_not_found=False) or env.user

    def set_up(self):
        self._tolerance()
        self._rule_of_a_grade()
        self._papers()
        self._application()
        self._visit()
        self._risk()
        self._better_terms()
        self._settle("Dubai", 0.3, 10)
        self._keep(self._settle("Mendoza", 0.2, 3))
        self._insolvency()

    def _file(self, city):
        return self.env["ar.credit.file"]._get_file(self.partners[city], self.company, create=True)

    def _tolerance(self):
        """What collectors may do alone; the tolerance of managers is shipped."""
        self.env["ar.credit.tolerance"].create(
            {
                "group_id": self.env.ref("ar_collections.group_collector").id,
                "company_id": self.company.id,
                "limit_amount": 1000,
                "hold_amount": 2000,
            }
        )

    def _rule_of_a_grade(self):
        """Longer terms for all customers of a grade: asked for, and not decided yet."""
        grade = self.env["ar.credit.grade"].search([("code", "=", "B")], limit=1)
        change = self.env["ar.credit.grade.change"].create(
            {
                "grade_id": grade.id,
                "rules": {"max_term_days": [grade.max_term_days, grade.max_term_days + 15]},
                "reason": "Competitors deliver on 60 days and more since spring.",
                "requester_id": self.analyst.id,
                "state": "submitted",
            }
        )
        change._notify_managers()

    def _papers(self):
        """Accounts of two years, a bank line, and how the industry is doing."""
        file = self._file("Qingdao")
        self.env["ar.credit.statement"].create(
            [
                {"file_id": file.id, "year": self.today.year - ago, "kind": "audited", **figures}
                for ago, figures in zip((2, 1), STATEMENTS, strict=True)
            ]
        )
        self.env["ar.credit.bank.line"].create(
            {
                "file_id": file.id,
                "bank_id": self.env["res.bank"].create({"name": "Coast Merchant Bank"}).id,
                "amount": 250_000,
                "used": 90_000,
                "security": "Mortgage on the cold store",
                "date": self.today - timedelta(days=40),
                "note": "Notes to the accounts",
            }
        )
        industry = self.env.ref("base.res_partner_industry_I")
        for city in FOOD:
            self.partners[city].industry_id = industry
        self.env["ar.credit.outlook"].create(
            {
                "criterion_id": self.env.ref("ar_collections.credit_criterion_industry_outlook").id,
                "option_id": self.env.ref(
                    "ar_collections.credit_criterion_industry_outlook_stable"
                ).id,
                "industry_id": industry.id,
                "company_id": self.company.id,
                "date": self.today - timedelta(days=20),
                "note": "Autumn survey of the chamber of commerce",
            }
        )

    def _application(self):
        """It waits for its review."""
        partner = self.partners["Qingdao"]
        application = (
            self.env["ar.credit.application"]
            .with_user(self.analyst)
            .create(
                {
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                    "applicant": "林海, 财务经理",
                    "email": partner.email,
                    "phone": partner.phone,
                    "amount": 30_000,
                    "term_days": 45,
                    "note": "Second cold store opens in spring; orders will double.",
                    "reference_ids": [
                        Command.create(
                            {
                                "name": "Harbour Ice & Cold Storage",
                                "contact": "+1 201-555-0190",
                                "answer": "Customer for six years, 20,000, always in time.",
                            }
                        )
                    ],
                }
            )
        )
        application.action_submit()

    def _visit(self):
        """What was seen rates the customer."""
        case = self.env["ar.collection.case"]._get_open_case(self.partners["Belfast"], self.company)
        self.env["ar.collection.action"].create(
            {
                "company_id": self.company.id,
                "partner_id": case.partner_id.id,
                "case_id": case.id,
                "channel": "visit",
                "user_id": (case.collector_id or self.admin).id,
                "date_planned": self.today,
                "outcome": "reached",
                "duration": 50,
                "note": "Half of the looms stand still; the books were shown without being asked.",
                "visit_option_id": self.env.ref(
                    "ar_collections.credit_criterion_site_visit_mixed"
                ).id,
            }
        ).action_done()

    def _risk(self):
        """Grade C halves what is agreed as long as the risk is high."""
        grades = self.env["ar.credit.grade"]
        grades.search([("code", "=", "C")]).risk_limit_share = 0.5

    def _better_terms(self):
        """Grade A has a longer term for good payers; one of them has not got it so far."""
        term = self.env["account.payment.term"].create(
            {
                "name": "45 days, 2 % within 10 days",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "line_ids": [
                    Command.clear(),
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 45}),
                ],
            }
        )
        grade = self.env["ar.credit.grade"].search([("code", "=", "A")])
        grade.write({"better_term_id": term.id, "better_term_months": 4})
        files = self.env["ar.credit.file"].search([("grade_id", "=", grade.id)])
        files.partner_id.with_company(self.company).property_payment_term_id = term
        self.partners["Norfolk"].with_company(self.company).property_payment_term_id = self.env.ref(
            "account.account_payment_term_30days"
        )
        self.env["ar.credit.offer"]._propose_terms(self.company, self.today)

    def _settle(self, city, share, days):
        """A settlement that the customer has signed: a share is waived when the rest is paid."""
        case = self.env["ar.collection.case"]._get_open_case(self.partners[city], self.company)
        plan = self.env["ar.payment.plan"].with_user(self.analyst)
        plan = plan.browse(case.with_user(self.analyst).action_plan()["res_id"])
        plan.write(
            {
                "waived_amount": plan.currency_id.round(share * plan.amount_total),
                "instalment_count": 1,
                "first_date": self.today + timedelta(days=days),
            }
        )
        plan.action_distribute()
        self.approve(
            self.env["ar.writeoff.request"]
            .with_user(self.analyst)
            .browse(plan.action_ask_waiver()["res_id"])
        )
        plan = plan.with_user(self.admin)
        plan.action_propose()
        plan.signed_document = b64encode(b"Signed, stamped and sent back.")
        plan.signed_document_name = "settlement.txt"
        plan.action_accept()
        return plan

    def _keep(self, plan):
        """The customer has paid its part, and the rest is written off."""
        for item, part in self._parts(plan):
            self.env["account.payment.register"].with_context(
                active_model="account.move.line", active_ids=item.move_line_id.ids
            ).create(
                {
                    "payment_date": self.today,
                    "currency_id": plan.currency_id.id,
                    "amount": part,
                }
            )._create_payments()
        plan.writeoff_id.with_user(self.admin).action_post()

    def _parts(self, plan):
        """What is paid of each item, the oldest first."""
        left, parts = plan.amount_to_pay, []
        for item in plan.item_ids.sorted(lambda item: (item.due_date, item.id)):
            part = plan.currency_id.round(min(item.amount, left))
            if plan.currency_id.compare_amounts(part, 0) > 0:
                parts.append((item, part))
                left -= part
        return parts

    def _insolvency(self):
        self.env["ar.insolvency"].with_user(self.analyst).create(
            {
                "partner_id": self.partners["Dalian"].id,
                "company_id": self.company.id,
                "kind": "reorganisation",
                "court": "大连市中级人民法院",
                "reference": "(2026)辽02破17号",
                "filing_deadline": self.today + timedelta(days=28),
            }
        )
