"""Letters that wait to be printed, for the print batch and its preview."""


def wait_for_print(env, company, date):
    """Plan a reminder on paper for the three customers who owe most and had no such letter."""
    step = env.ref("ar_collections.collection_step_gentle_45")
    cases = env["ar.collection.case"].search(
        [("company_id", "=", company.id), ("state", "=", "open")], order="amount_overdue desc"
    )
    cases = cases.filtered(
        lambda case: step not in case.action_ids.step_id and not case.insolvency_id
    )[:3]
    letters = env["ar.collection.action"].create(
        [
            {
                "company_id": company.id,
                "partner_id": case.partner_id.id,
                "case_id": case.id,
                "step_id": step.id,
                "rung": step.days,
                "channel": "letter",
                "letter_by": "print",
                "user_id": case.collector_id.id,
                "date_planned": date,
            }
            for case in cases
        ]
    )
    letters._freeze_now(date)
