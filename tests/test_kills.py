"""Days that are killed at random: what was decided reaches everybody, once.

Real processes on a real database: the daily run of two companies with two more workers that take
part in it, the job that prints and sends letters, and somebody who prints batches of paper, each
killed without warning, again and again.
"""

import json
import os

import pytest

from workspace import databases
from workspace.session import open_session

#: AR_KILLS=50 for the long run
KILLS = int(os.environ.get("AR_KILLS", "12"))
SET_UP = """
from datetime import date, timedelta
from odoo import Command

first = date(2030, 6, 3)
companies = env.company | env["res.company"].create({"name": "Second", "email": "b@example.com"})
env.company.email = "a@example.com"
env["ir.mail_server"].create({"name": "Kill", "smtp_host": "invalid"})
env["res.users"].create({
    "name": "Manager", "login": "manager", "email": "m@example.com",
    "group_ids": [Command.link(env.ref("ar_collections.group_credit_manager").id)],
    "company_ids": [Command.set(companies.ids)], "company_id": companies[0].id,
})
env["ar.collection.policy"].search([]).active = False
model = env["ir.model"]._get_id("ar.collection.action")
mail = env["mail.template"].create(
    {"name": "Kill", "model_id": model, "subject": "Pay", "body_html": "<p>Pay</p>"})
text = env["sms.template"].create({"name": "Kill", "model_id": model, "body": "Pay"})
letter = env.ref("ar_collections.report_formal_letter")
# What is printed is not what this is about, and a browser for each would take minutes.
letter.report_type = "qweb-html"
env["ar.collection.policy"].create({
    "name": "Kill", "min_days_between": 0, "skip_rest_days": False, "repeat_days": 0,
    "step_ids": [
        Command.create({"name": name, "days": days, "channel": channel, **values})
        for name, days, channel, values in (
            ("mail", 1, "email", {"template_id": mail.id}),
            ("text", 2, "sms", {"sms_template_id": text.id}),
            ("letter", 3, "letter", {"template_id": mail.id, "report_id": letter.id}),
            ("paper", 4, "letter",
             {"template_id": mail.id, "report_id": letter.id, "letter_by": "print"}),
        )
    ],
})
customers = env["res.partner"].create([
    {"name": f"Debtor {number}", "is_company": True, "email": f"d{number}@example.com",
     "phone": "+1 555 0100", "street": "High Street", "city": "Springfield"}
    for number in range(14)
])
for company in companies:
    company._ar_mark_started()
    company.ar_daily_limit = 10**6
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company)
    here = env(context={**env.context, "allowed_company_ids": company.ids})
    moves = here["account.move"].create([
        {"move_type": "out_invoice", "partner_id": customer.id, "company_id": company.id,
         "invoice_date": first - timedelta(days=40), "invoice_payment_term_id": False,
         "invoice_date_due": first + timedelta(days=index % 3),
         "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100})]}
        for index, customer in enumerate(customers)
    ])
    moves.action_post()
env.cr.commit()
"""
LIVE = """
import json, multiprocessing, os, random, signal, sys, time
from odoo import api, sql_db
from odoo.addons.ar_collections.models.common.res_company import Clock
from odoo.addons.ar_collections.models.run import collection_dispatch, collection_worker

KILLS, SEED = {kills}, {seed}
registry, name = env.registry, env.cr.dbname
# Small batches, as on a day with many customers.
collection_worker.BATCH, collection_dispatch.BATCH = 3, 2
# The clock goes back once.
DAYS = [date(2030, 6, 3) + timedelta(days=number) for number in (1, 2, 3, 2, 4, 5, 6, 7)]
random.seed(SEED)

def decide(env):
    env["ar.collection.run"]._cron_daily()

def share(env):
    # Called again and again as long as somebody leads, and once more: it leads on then.
    is_last = False
    while not is_last:
        is_last = not is_led.value
        env["ar.collection.run"]._cron_share()
        env.invalidate_all()

def share_too(env):
    share(env)

is_led = multiprocessing.Value("b")
# How many batches were taken, by what the process does.
taken = {{name: multiprocessing.Value("i") for name in ("decide", "share", "share_too")}}
doing = None
worker = registry["ar.collection.worker"]
take = worker._take

def count_taken(self, run, plans):
    take(self, run, plans)
    with taken[doing].get_lock():
        taken[doing].value += 1

worker._take = count_taken

def dispatch(env):
    env["ar.collection.dispatch"]._cron_dispatch()

def print_paper(env):
    papers = env["ar.collection.action"].search(
        [("letter_by", "=", "print"), ("state", "=", "planned")])
    if papers:
        window = papers.action_print_letters()
        wizard = env[window["res_model"]].browse(window["res_id"])
        wizard.line_ids.filtered("is_printable").action_id.sudo()._freeze_now(env.context["ar_clock"].date)
        wizard.line_ids.action_id.sudo()._print_letters(env.context["ar_clock"].date)
        wizard.state = "printed"
        env.cr.commit()
        wizard.action_sent()

def start(work, day):
    pid = os.fork()
    if pid:
        return pid
    global doing
    code, doing = 1, work.__name__
    try:
        with registry.cursor() as cr:
            work(api.Environment(cr, api.SUPERUSER_ID, {{"ar_clock": Clock(day)}}))
        code = 0
    finally:
        os._exit(code)

kills = failures = 0
# Kills come in the middle of the work, whatever the speed of the machine.
patience = 1.5
for number, day in enumerate(DAYS, 1):
    wanted = KILLS * number // len(DAYS)
    unfinished = {{decide, share, share_too, dispatch, print_paper}}
    rounds = 0
    while unfinished:
        sql_db.close_all()
        is_led.value = decide in unfinished
        running = {{start(work, day): work for work in unfinished}}
        # What is decided has its letters after it.
        unfinished, former = set(), kills
        end = time.monotonic() + (random.uniform(0, patience) if kills < wanted else 300)
        while running:
            for pid in list(running):
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    work = running.pop(pid)
                    if status:
                        failures += 1
                        unfinished.add(work)
                is_led.value = decide in running.values()
            if running and time.monotonic() > end:
                pid = random.choice(list(running))
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                unfinished.add(running.pop(pid))
                kills += 1
                end = time.monotonic() + (random.uniform(0, patience) if kills < wanted else 300)
            time.sleep(0.005)
        rounds += 1
        if kills == former:
            patience *= 0.7
        if not unfinished and kills < wanted:
            unfinished = {{decide, share, share_too, dispatch, print_paper}}
        elif not unfinished:
            with registry.cursor() as cr:
                env = api.Environment(cr, api.SUPERUSER_ID, {{"ar_clock": Clock(day)}})
                actions = env["ar.collection.action"]
                if actions.search_count([*actions._get_queued_domain()]):
                    unfinished = {{dispatch}}
                elif actions.search_count([("letter_by", "=", "print"), ("state", "=", "planned")]):
                    unfinished = {{print_paper}}
        assert rounds < 200, (day, unfinished)
sql_db.close_all()
with registry.cursor() as cr:
    env = api.Environment(cr, api.SUPERUSER_ID, {{}})
    actions = env["ar.collection.action"].search([("step_id", "!=", False)])
    print("RESULT" + json.dumps({{
        "kills": kills,
        "failures": failures,
        "taken": {{name: value.value for name, value in taken.items()}},
        "actions": [
            [action.company_id.id, action.partner_id.id, action.step_id.name, action.state]
            for action in actions
        ],
        "messages": len(set(actions.message_id.ids)),
        "on_cases": env["mail.message"].search_count([
            ("model", "=", "ar.collection.case"), ("message_type", "in", ("email_outgoing", "sms")),
        ]),
        "papers": env["mail.message"].search_count([
            ("model", "=", "ar.collection.case"), ("body", "ilike", "sent by post"),
        ]),
        "mails": env["mail.mail"].search_count([("subject", "=", "Pay")]),
        "texts": env["sms.sms"].search_count([]),
        "files": env["ir.attachment"].search_count([("res_model", "=", "ar.collection.action")]),
        "kept": len(set(actions.attachment_id.ids)),
        "runs": [[run.company_id.id, str(run.date), run.state]
                 for run in env["ar.collection.run"].search([])],
    }}))
sys.stdout.flush()
os._exit(0)
"""
STEPS = ("mail", "text", "letter", "paper")
CUSTOMERS, COMPANIES = 14, 2


@pytest.fixture(scope="module")
def session():
    with open_session() as opened:
        yield opened


@pytest.fixture
def database(session):
    name = f"ar_kills_{os.getpid()}"
    databases.clone(session, databases.ensure_ready(session), name)
    yield name
    databases.drop(session, name)


def shell(session, database, script):
    return session.odoo(
        "shell",
        "-d",
        database,
        "--no-http",
        "--log-level=critical",
        input=script,
        capture_output=True,
        timeout=600,
    ).stdout


def test_nothing_is_doubled_and_nothing_is_lost(session, database):
    shell(session, database, SET_UP)
    script = "from datetime import date, timedelta\n" + LIVE.format(kills=KILLS, seed=KILLS)
    output = shell(session, database, f"exec({script!r})\n")
    result = json.loads(output.rpartition("RESULT")[2])
    assert result["kills"] >= KILLS
    assert result["taken"]["decide"] and result["taken"]["share"] + result["taken"]["share_too"]
    expected = CUSTOMERS * COMPANIES
    counted = {}
    for company, partner, step, state in result["actions"]:
        assert state == "done", (company, partner, step, state)
        key = company, partner, step
        counted[key] = counted.get(key, 0) + 1
    assert set(counted.values()) == {1}, "a contact is doubled"
    assert len(counted) == expected * len(STEPS), "a contact is lost"
    assert result["messages"] == expected * len(STEPS)
    assert result["on_cases"] == expected * 3, "mails, texts and letters"
    assert result["papers"] == expected
    assert result["mails"] == expected * 2
    assert result["texts"] == expected
    assert result["files"] == result["kept"] == expected * 2, "a letter is printed twice"
    assert {state for _company, _date, state in result["runs"]} == {"done"}
