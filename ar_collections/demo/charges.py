"""Late charges of the story: settings, a run of last month, one waived, and a preview of today."""

from datetime import timedelta

# Days before today: what is charged begins; the run that was posted.
FIRST_DAY, CHARGED = 90, 20


def charge(env, company):
    """Charge the late customers of the story once."""
    today = company._ar_today()
    accounts = env["account.account"].with_company(company)
    company.write(
        {
            "ar_charge_from": today - timedelta(days=FIRST_DAY),
            "ar_charge_grace_days": 5,
            "ar_charge_minimum": 25,
            "ar_charge_cap_share": 10,
            "ar_charge_journal_id": env["account.journal"]
            .create(
                {
                    "name": "Late Charges",
                    "code": "LATE",
                    "type": "sale",
                    "company_id": company.id,
                }
            )
            .id,
            "ar_charge_account_id": accounts.create(
                {
                    "name": "Interest from Customers",
                    "code": accounts._search_new_account_code("490100"),
                    "account_type": "income_other",
                }
            ).id,
            "ar_charge_accrual_account_id": accounts.create(
                {
                    "name": "Accrued Interest from Customers",
                    "code": accounts._search_new_account_code("120100"),
                    "account_type": "asset_current",
                }
            ).id,
        }
    )
    runs = env["ar.late.charge.run"]
    # What the last month had earned and nobody had charged.
    month_end = today.replace(day=1) - timedelta(days=1)
    closing = runs.create({"company_id": company.id, "date": month_end, "kind": "closing"})
    closing.action_compute()
    if closing.amount:
        closing.action_post()
    posted = runs.create({"company_id": company.id, "date": today - timedelta(days=CHARGED)})
    posted.action_compute()
    posted.charge_ids[-1:]._waive_charges("Goods were delivered late, agreed on the phone")
    posted.action_post()
    runs.create({"company_id": company.id, "date": today}).action_compute()
    env["ar.collection.case"]._refresh_charges(company, today)
