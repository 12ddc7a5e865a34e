"""What is with agencies and lawyers in the demo, and a claim that lapses soon."""

from datetime import timedelta

from odoo import Command

from ..models.collection.collection_case import ANSWERED


def hand_over(env, company, today):
    """Place the case of the legal stage, let it recover something, and weigh another case."""
    cases = env["ar.collection.case"].search(
        [("company_id", "=", company.id), ("state", "=", "open")], order="days_overdue desc, id"
    )
    if len(cases) < 2:
        return
    env.ref("ar_collections.collection_stage_final").write({"exit_letters": 1, "exit_calls": 2})
    placed = (cases.filtered(lambda case: case.stage_id.kind == "legal") or cases)[:1]
    others = cases - placed
    _placement(env, company, placed, today)
    _sheet(env, company, others[0])
    _old_claim(env, company, today)


def _placement(env, company, case, today):
    lawyer = env["res.partner"].create(
        {
            "name": "Harbour Law Office",
            "is_company": True,
            "email": "office@harbour-law.example.com",
        }
    )
    placement = (
        env["ar.placement"]
        .with_context(ar_proof=ANSWERED)
        .create(
            {
                "partner_id": case.partner_id.id,
                "company_id": company.id,
                "kind": "lawyer",
                "agent_id": lawyer.id,
                "user_id": (case.collector_id or env.user).id,
                "commission_rate": 0.1,
                "note": "File the claim before the end of the month; all papers are enclosed.",
                "cost_ids": [
                    Command.create({"kind": "court", "amount": 320, "name": "Court fee"}),
                    Command.create({"kind": "lawyer", "amount": 850, "name": "First instance"}),
                ],
                "report_ids": [
                    Command.create(
                        {
                            "date": today,
                            "note": "Payment order served; the debtor asks for instalments.",
                        }
                    )
                ],
            }
        )
    )
    placement.with_user(env.ref("base.user_admin")).action_place()
    placement.write({"date": today - timedelta(days=25), "date_filed": today - timedelta(days=20)})
    item = placement.item_ids[:1].move_line_id
    env["account.payment.register"].with_context(
        active_model="account.move", active_ids=item.move_id.ids
    ).create(
        {"payment_date": today, "amount": item.currency_id.round(item.amount_residual_currency / 2)}
    )._create_payments()


def _sheet(env, company, case):
    env["ar.legal.decision"].create(
        {
            "partner_id": case.partner_id.id,
            "company_id": company.id,
            "business": "open",
            "court_chance": 0.6,
            "court_fee": 400,
            "lawyer_fee": 900,
            "agency_chance": 0.4,
            "commission": 0.25,
            "plan_chance": 0.3,
            "interest": 0.06,
            "tax_rate": 0.25,
        }
    )


def _old_claim(env, company, today):
    """An invoice taken over from a former system, for which nobody has asked so far."""
    customer = env["res.partner"].create(
        {"name": "Old Mill Bakery Ltd", "is_company": True, "email": "office@oldmill.example.com"}
    )
    due = today - timedelta(days=3 * 365 - 40)
    env["account.move"].create(
        {
            "move_type": "out_invoice",
            "partner_id": customer.id,
            "company_id": company.id,
            "invoice_date": due - timedelta(days=30),
            "invoice_date_due": due,
            "invoice_payment_term_id": False,
            "invoice_line_ids": [
                Command.create(
                    {
                        "name": "Goods as ordered",
                        "price_unit": 2350,
                        "tax_ids": [Command.clear()],
                    }
                )
            ],
        }
    ).action_post()
    env["ar.limitation"]._warn(company, today)
