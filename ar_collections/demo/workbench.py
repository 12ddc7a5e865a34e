"""The last week of the collectors: calls with excuses and what followed, visits, a reply."""

from datetime import timedelta

from odoo import Command

from ..models.common.res_company import Clock

# City, days ago, excuse, minutes, note, answers; shares are of what is overdue.
REPLY = ("Re: Reminder", "Please send us a copy of the invoice, it is not in our system.")
CALLS = (
    ("Leeds", 6, "customer_unpaid", 6, "A chain of shops owes them.", {"share": 0.4, "in": 9}),
    ("Dubai", 5, "unsold", 9, "A third sold, the rest is in the bonded warehouse.", {}),
    ("Xi'an", 5, "quality", 12, "Colour of one delivery is off, photos promised.", {"item": True}),
    ("Mendoza", 4, "away", 3, "The owner is at a fair.", {"deputy": "Lucía (accounts)"}),
    ("Tacoma", 3, "paid", 4, "Bank says it left last week.", {"paid": "TRF 20418"}),
    ("Belfast", 3, "trouble", 15, "The bank has cut the credit line.", {}),
    ("Shenzhen", 2, "trust", 7, "Ten years of business, never a loss.", {"share": 0.5, "in": 12}),
    ("Bozeman", 2, "reorganising", 8, "Moves into a new LLC.", {"share": 1, "in": 14}),
    ("Guangzhou", 1, "order_number", 2, "Needs it on every invoice.", {"invoice": "PO-88213"}),
    ("Dalian", 1, "computers", 5, "Server room under water.", {"deputy": "Purchasing"}),
    ("Tianjin", 1, "paid", 4, "Cheque is in the post.", {"paid": "Cheque 004711"}),
)


def set_up(story):
    """Let the collectors work for a week after the story has been lived."""
    cities = {firm.city: partner for firm, partner in story.partners.items()}
    # Nothing leaves a demo.
    env = story.env(context={**story.env.context, "mail_notify_force_send": False})
    _assignment(env, story)
    for city, days, *call in CALLS:
        day = story.today - timedelta(days=days)
        at = env(context={**env.context, "ar_clock": Clock(day)})
        case = _case(at, story, cities[city])
        if case:
            _call(case, day, *call)
    _case(env, story, cities["Rosario"]).action_visit()
    _case(env, story, cities["Toledo"]).resubmission_date = story.today + timedelta(days=2)
    writer = cities["Portland"]
    _case(env, story, writer).message_post(
        author_id=writer.id,
        email_from=writer.email_formatted,
        subject=REPLY[0],
        body=REPLY[1],
        message_type="email",
        subtype_xmlid="mail.mt_comment",
    )


def _case(env, story, partner):
    company = story.company.with_env(env)
    return env["ar.collection.case"]._get_open_case(partner.with_env(env), company)


def _assignment(env, story):
    collectors = story._collectors()
    env["ar.collection.assignment"].create(
        [
            {
                "name": "China",
                "domain": "[('partner_id.country_id.code', '=', 'CN')]",
                "user_ids": [Command.set(collectors[:1].ids)],
            },
            {
                "name": "Large debts",
                "domain": "[('amount_overdue', '>=', 20000)]",
                "user_ids": [Command.set(collectors[:1].ids)],
            },
            {"name": "All others", "domain": "[]", "user_ids": [Command.set(collectors.ids)]},
        ]
    )


def _call(case, day, excuse, minutes, note, answers):
    values = {
        "company_id": case.company_id.id,
        "partner_id": case.partner_id.id,
        "case_id": case.id,
        "channel": "call",
        "user_id": (case.collector_id or case.env.user).id,
        "date_planned": day,
        "outcome": "reached",
        "duration": minutes,
        "note": note,
        "excuse_id": case.env.ref(f"ar_collections.excuse_{excuse}").id,
    }
    item = case.open_item_ids[:1]
    if "share" in answers:
        values["promise_amount"] = case.currency_id.round(case.amount_demand * answers["share"])
        values["promise_date"] = day + timedelta(days=answers["in"])
    if "item" in answers:
        values["disputed_item_ids"] = [Command.set(item.ids)]
    if "deputy" in answers:
        values["other_name"] = answers["deputy"]
        values["other_phone"] = case.partner_id.phone
    if "paid" in answers:
        values["paid_amount"] = item.amount_residual
        values["paid_date"] = day - timedelta(days=2)
        values["paid_reference"] = answers["paid"]
    if "invoice" in answers:
        values["order_number"] = answers["invoice"]
        values["invoice_ids"] = [Command.set(item.move_id.ids)]
    case.env["ar.collection.action"].create(values).action_done()
