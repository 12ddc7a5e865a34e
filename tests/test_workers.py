"""A day that several workers share: who leads, who helps, and what they may take.

Two connections on a real database, one of them in the middle of the other's batch.
"""

import json
import os

import pytest

from workspace import databases
from workspace.session import open_session

SET_UP = """
from datetime import date, timedelta
from odoo import Command

company = env.company
company.write({"email": "a@example.com", "ar_daily_limit": 1000})
company._ar_mark_started()
env["ir.mail_server"].create({"name": "Workers", "smtp_host": "invalid"})
env["ar.collection.policy"].search([]).active = False
mail = env["mail.template"].create({
    "name": "Pay", "model_id": env["ir.model"]._get_id("ar.collection.action"),
    "subject": "Pay", "body_html": "<p>Pay</p>"})
env["ar.collection.policy"].create({
    "name": "Workers", "skip_rest_days": False,
    "step_ids": [Command.create({"days": 1, "channel": "email", "template_id": mail.id})]})
env["ar.collection.priority.rule"].search([]).unlink()
env["ar.collection.priority.rule"].create([
    {"name": letter, "points": points, "domain": [("partner_id.ref", "=", letter)]}
    for letter, points in (("A", 100), ("B", 50))])
env["account.chart.template"].try_loading("generic_coa", company)
first = date(2030, 6, 3)
# The least urgent were there first.
customers = env["res.partner"].create([
    {"name": f"Debtor {number}", "ref": "CBA"[number // 8], "email": f"d{number}@example.com"}
    for number in range(24)])
env["account.move"].create([
    {"move_type": "out_invoice", "partner_id": customer.id, "invoice_payment_term_id": False,
     "invoice_date": first - timedelta(days=40), "invoice_date_due": first,
     "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100})]}
    for customer in customers]).action_post()
env.cr.commit()
"""
LIVE = """
import json
from datetime import date
from unittest.mock import patch
from odoo import api
from odoo.addons.ar_collections.models.common.res_company import Clock
from odoo.addons.ar_collections.models.run import collection_worker
from odoo.addons.ar_collections.models.run.run_pace import Shift

LIMIT, HELP = {limit}, {help!r}
collection_worker.BATCH = 3
context = {{"ar_clock": Clock(date(2030, 6, 4))}}
registry = env.registry
env = env(context=context)
env.company.ar_daily_limit = LIMIT
env.cr.commit()
run = env["ar.collection.run"]._run_for_cron(env.company)
worker = registry["ar.collection.worker"]
take, busy = worker._take, []
result = {{"led": [], "helped": 0, "jobs": 0}}


class OneBatch(Shift):
    # Its time is over when it has taken somebody.
    is_over = False

    @property
    def seconds_left(self):
        return 0 if self.is_over else 60

    def commit(self, done, remaining):
        super().commit(done, remaining)
        self.is_over = done > 0


def work_beside():
    # Another worker comes while the leader has a batch in its hands.
    with registry.cursor() as cr:
        mine = api.Environment(cr, api.SUPERUSER_ID, context)
        beside = mine["ar.collection.run"].browse(run.id)
        before = mine["ar.collection.action"].search_count([("step_id", "!=", False)])
        result["led"].append(beside._lead(Shift(mine["ir.cron"], limit=120)))
        mine.invalidate_all()
        if HELP == "job":
            mine["ar.collection.run"]._cron_share()
        else:
            mine["ar.collection.worker"]._help(beside, OneBatch(mine["ir.cron"]))
        cr.commit()
        result["helped"] += (
            mine["ar.collection.action"].search_count([("step_id", "!=", False)]) - before)


def take_with_company(self, run, plans):
    take(self, run, plans)
    if not busy:
        busy.append(True)
        work_beside()
        busy.clear()


worker._take = take_with_company
called = registry["ir.cron"]._trigger
def trigger(self, at=None):
    result["jobs"] += sum(cron.code == "model._cron_share()" for cron in self)
    return called(self, at)
registry["ir.cron"]._trigger = trigger
run._execute(lambda done, remaining: env.cr.commit() or 60)
env.cr.commit()
env.invalidate_all()
actions = env["ar.collection.action"].search([("step_id", "!=", False)], order="id")
print("RESULT" + json.dumps({{
    **result, "state": run.state, "waiting": run.waiting_count, "failures": run.failure_count,
    "counted": run.action_count,
    "taken": [action.partner_id.ref for action in actions],
    "customers": len(actions.partner_id), "mails": env["mail.mail"].search_count([]),
}}))
"""
CUSTOMERS, BATCH = 24, 3


@pytest.fixture(scope="module")
def session():
    with open_session() as opened:
        yield opened


@pytest.fixture(scope="module")
def ledger(session):
    """A database with customers who get a mail today: each day is lived in a copy of it."""
    name = f"ar_workers_{os.getpid()}"
    databases.clone(session, databases.ensure_ready(session), name)
    shell(session, name, SET_UP)
    yield name
    databases.drop(session, name)


@pytest.fixture
def live(session, ledger):
    """A function that lives the day with a helper, and says what came of it."""
    name = f"{ledger}_day"

    def live(limit=CUSTOMERS, help_by="job"):
        databases.clone(session, ledger, name)
        output = shell(session, name, LIVE.format(limit=limit, help=help_by))
        return json.loads(output.rpartition("RESULT")[2])

    yield live
    databases.drop(session, name)


def shell(session, database, script):
    result = session.odoo(
        "shell",
        "-d",
        database,
        "--no-http",
        "--log-level=critical",
        input=f"exec({script!r})\n",
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert not result.returncode, result.stderr[-3000:]
    return result.stdout


def test_the_job_takes_part(live):
    """It takes cases of a day that another one leads, as long as the limit lets out all of them;
    it leads nothing meanwhile."""
    day = live()
    assert day["jobs"], "the jobs that take part are called"
    assert day["helped"] > BATCH
    assert not any(day["led"]), "a leader who does not hold the run leads nothing"
    assert day["state"] == "done"
    assert (day["customers"], len(day["taken"]), day["mails"]) == (CUSTOMERS,) * 3
    assert (day["counted"], day["waiting"], day["failures"]) == (CUSTOMERS, 0, 0)


@pytest.mark.parametrize("limit", (10, CUSTOMERS - 1))
def test_the_limit_of_the_day(live, limit):
    """Both together send no more; near the limit the leader counts alone, who has to know what
    the other one sent."""
    day = live(limit)
    assert len(day["taken"]) == day["mails"] == limit
    assert day["waiting"] == CUSTOMERS - limit
    assert not day["helped"]
    assert day["state"] == "done"


def test_urgent_cases_go_first(live):
    """Two workers who take turns: nobody is more than a batch of each too early or too late."""
    day = live(help_by="turns")
    assert BATCH <= day["helped"] < CUSTOMERS - BATCH
    assert day["customers"] == len(day["taken"]) == CUSTOMERS
    rank = {"A": 0, "B": 8, "C": 16}
    for position, letter in enumerate(day["taken"]):
        begin = rank[letter] - 2 * BATCH
        assert begin <= position < rank[letter] + 8 + 2 * BATCH, day["taken"]
