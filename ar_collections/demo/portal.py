"""What customers did on their own pages, and what waits there for them."""

from datetime import timedelta


def show(env, company):
    """Three of the customers who are late have used the portal.

    One has promised, one disputes part of an invoice, one has a plan to sign.
    """
    today = company._ar_today()
    cases = env["ar.collection.case"].search(
        [("company_id", "=", company.id), ("state", "=", "open"), ("amount_demand", ">", 0)]
    )
    untouched = cases.filtered(
        lambda case: (
            not (case.promise_ids or case.dispute_ids or case.plan_ids or case.insolvency_id)
        )
    )
    late = {
        case.file_id: env["account.move.line"].union(
            *(
                item.line
                for item in env["ar.portal.statement"]._get_items(case.file_id, today)
                if item.state == "overdue" and item.payable > 0
            )
        )
        for case in untouched[:9]
    }
    files = [file for file, lines in late.items() if len(lines.currency_id) == 1]
    if len(files) < 3:
        return
    promising, disputing, planning = files[:3]
    claims = env["ar.portal.claim"]
    claims._make_promise(
        promising,
        late[promising],
        None,
        today + timedelta(days=6),
        "Accounts payable",
        "With our next run.",
    )
    wrong = late[disputing][:1]
    claims._make_dispute(
        disputing,
        wrong,
        {wrong: wrong.currency_id.round(wrong.amount_residual_currency / 4)},
        env["ar.dispute.reason"].search([("company_id", "in", (False, company.id))], limit=1),
        "A quarter of the boxes arrived wet. Photos follow.",
        "Warehouse",
    )
    plan = env["ar.payment.plan"].create(
        {
            "partner_id": planning.partner_id.id,
            "company_id": company.id,
            "currency_id": late[planning].currency_id.id,
        }
    )
    plan.action_distribute()
    plan.action_propose()
