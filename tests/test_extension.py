"""An addon that adds one of each thing that can be added, in a database of its own.

It stands in ``tests/addons``, is not shipped, and is what CONTRIBUTING.md shows.
"""

import os
import re

import pytest
from test_lifecycle import ODOOS_OWN, QUIET, UNINSTALL, odoo, system

from workspace import databases
from workspace.layout import ROOT
from workspace.session import open_session

EXAMPLE = "ar_collections_example"
FOLDER = ROOT / "tests/addons"
PATH = f"--addons-path={ROOT},{FOLDER}"
#: what the day itself leaves
LIVED = re.compile(
    r"account_journal |ir_sequence |relation S ir_sequence_|ir_model_data base\.module_"
)
#: lines that one thing may need, its imports included
MOST_LINES = 15
#: a day with everything that the example adds; says so at its end
LIFE = """
from datetime import date, timedelta
from odoo import Command

company = env.company
if not company.chart_template:
    env["account.chart.template"].try_loading("generic_coa", company)
company.email = "us@example.com"
company._ar_mark_started()
env["ir.mail_server"].create({"name": "Test", "smtp_host": "invalid"})
today = date.today()
customer = env["res.partner"].create({"name": "Example", "phone": "+1 555 0100"})
for amount, days in ((300, 40), (700, 20)):
    env["account.move"].create({
        "move_type": "out_invoice",
        "partner_id": customer.id,
        "invoice_date": today - timedelta(days=days + 10),
        "invoice_date_due": today - timedelta(days=days),
        "invoice_payment_term_id": False,
        "invoice_line_ids": [
            Command.create({"name": "Goods", "price_unit": amount, "tax_ids": [Command.clear()]}),
        ],
    }).action_post()

# Stage kind, channel
stage = env["ar.collection.stage"].create({"name": "Mediator", "kind": "mediator", "sequence": 1})
assert stage._get_kind().is_outside
env["ar.collection.policy"].search([]).active = False
policy = env["ar.collection.policy"].create({
    "name": "Example",
    "skip_rest_days": False,
    "step_ids": [Command.create({
        "name": "Ping", "days": 10, "channel": "messenger", "stage_id": stage.id,
    })],
})
assert policy.step_ids.automatic
env["ar.collection.run"]._run_for(company, today)
case = env["ar.collection.case"].search([("partner_id", "=", customer.id)])
ping = case.action_ids
assert (ping.channel, ping.state, ping.outcome) == ("messenger", "done", "sent"), ping.read()
assert case.stage_id == stage

# Figure
file = case.file_id
assert file.largest_overdue == 700, file.largest_overdue

# Metric
criterion = env["ar.credit.criterion"].create({
    "name": "Items overdue",
    "kind": "metric",
    "metric": "overdue_count",
    "band_ids": [
        Command.create({"value_from": 0, "points": 100}),
        Command.create({"value_from": 2, "points": 10}),
    ],
})
assert criterion._read_metrics(file)[file.id] == {"overdue_count": 2}
(env["ar.credit.criterion"].search([]) - criterion).active = False
env["ar.credit.scoring"]._score_again(company, today, file)
assert file.score == 10, file.score

# Next step of an excuse
excuse = env["ar.collection.excuse"].create({
    "name": "Wait", "code": "wait_week", "next_step": "wait_week",
})
call = env["ar.collection.action"].with_context(**case.action_log_call()["context"]).create(
    {"outcome": "reached", "excuse_id": excuse.id}
)
call.action_done()
again = case.action_ids.filtered(lambda action: action.state == "planned")
assert again.channel == "call" and again.date_planned > today + timedelta(days=4)

# Kind of settlement
promise = env["ar.payment.promise"].create({
    "partner_id": customer.id, "company_id": company.id, "amount": 300, "date": today,
})
journal = env["account.journal"].create({"name": "Netting", "code": "NET", "type": "general"})
assert journal.ar_settlement == "none"
journal.ar_settlement = "netting"
item = promise.line_ids.move_line_id
income = env["account.account"].search([("account_type", "=", "income")], limit=1)
netted = env["account.move"].create({
    "move_type": "entry",
    "journal_id": journal.id,
    "line_ids": [
        Command.create({
            "account_id": account.id, "partner_id": customer.id, "balance": balance,
        })
        for account, balance in ((item.account_id, -300), (income, 300))
    ],
})
netted.action_post()
(item | netted.line_ids.filtered(lambda line: line.account_id == item.account_id)).reconcile()
assert promise.state == "kept", promise.state

# May the day send, reason to wait
policy.step_ids = [Command.create({"name": "Pong", "days": 30, "channel": "messenger"})]
later = (today + timedelta(days=45)).replace(day=1)
company.email = False
silent = env["ar.collection.run"]._run_for(company, later - timedelta(days=1))
assert "address of its own" in silent.log, silent.log
company.email = "us@example.com"
preview = env["ar.collection.run"]._run_for(company, later, execute=False)
assert preview.line_ids.mapped("wait") == ["new_month"], preview.line_ids.mapped("wait")
pings = case.action_ids.filtered(lambda action: action.channel == "messenger")
assert len(pings) == 1
env.cr.commit()
print("lived a day")
"""
LEFT = """
SELECT count(*) FROM ar_collection_action WHERE channel = 'messenger'
 UNION ALL SELECT count(*) FROM ar_collection_stage WHERE kind = 'mediator'
 UNION ALL SELECT count(*) FROM ar_credit_criterion WHERE metric = 'overdue_count'
 UNION ALL SELECT count(*) FROM ar_collection_run_line WHERE wait = 'new_month'
 UNION ALL SELECT count(*) FROM account_journal WHERE ar_settlement = 'netting'
 UNION ALL SELECT count(*) FROM ar_collection_excuse WHERE next_step = 'wait_week'
"""
RUN_AGAIN = """
from datetime import date, timedelta
for days in range(50, 53):
    env["ar.collection.run"]._run_for(env.company, date.today() + timedelta(days=days))
env.cr.commit()
print("lived on")
"""


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(FOLDER.glob("*/models/*.py")) if path.stem != "__init__"],
    ids=lambda path: path.stem,
)
def test_lines(path):
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES


def test_page_shows_the_example():
    """What CONTRIBUTING.md tells others to write is what was tried."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    for path in FOLDER.glob("*/models/*.py"):
        if path.stem != "__init__":
            code = path.read_text().strip()
            assert code in page, f"{path.name} is not in CONTRIBUTING.md as it is"


def test_example():
    name = f"ar_life_{os.getpid()}"
    with open_session() as session:
        databases.clone(session, databases.ensure_ready(session), name)
        try:
            before = system(session, name)
            odoo(session, "-d", name, "-i", EXAMPLE, PATH, *QUIET)
            assert "lived a day" in _shell(session, name, LIFE)
            _shell(session, name, UNINSTALL.format(names=[EXAMPLE]))
            after = system(session, name)
            left = {
                found
                for found in after - before
                if not ODOOS_OWN.match(found) and not LIVED.match(found)
            }
            assert sorted(left) == []
            assert sorted(before - after) == []
            assert set(session.sql(LEFT, name).split()) == {"0"}
            assert "lived on" in _shell(session, name, RUN_AGAIN)
        finally:
            databases.drop(session, name)


def _shell(session, name, script):
    return odoo(session, "shell", "-d", name, PATH, "--no-http", input=script)
