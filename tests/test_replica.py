"""A read replica answers what only reads: pages of the portal, lists, figures, papers.

A hot standby follows the workspace's server, and Odoo is started with it as ``db_replica_host``.
What says that it reads and tries to write would be done again on the primary, with a warning.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import time

import pytest
import requests

from workspace import databases
from workspace.postgres import PrivateServer
from workspace.runtime import ensure_runtime
from workspace.session import ODOO, open_session

SET_UP = """
import json
from datetime import date, timedelta
from odoo import Command

today = date.today()
company = env.company
company.write({"email": "office@example.com", "ar_portal_days": 30, "ar_daily_limit": 1000})
other = env["res.company"].create({"name": "Elsewhere", "currency_id": env.ref("base.EUR").id})
other.currency_id.active = True
for one in company | other:
    env["account.chart.template"].try_loading("generic_coa", one)
    one._ar_mark_started()
env["ir.mail_server"].create({"name": "Replica", "smtp_host": "invalid"})
env["ir.config_parameter"].set_param("account_payment.enable_portal_payment", "True")
# Both companies, so that currencies are converted.
manager = env["res.users"].create({
    "name": "Manager", "login": "manager", "password": "manager-replica", "email": "m@example.com",
    "group_ids": [Command.link(env.ref("ar_collections.group_credit_manager").id),
                  Command.link(env.ref("account.group_account_user").id)],
    "company_ids": [Command.set((company | other).ids)], "company_id": company.id})
customer = env["res.partner"].create({
    "name": "Customer", "is_company": True, "email": "customer@example.com",
    "street": "1 High Street", "city": "Springfield"})
visitor = env["res.users"].create({
    "name": "Visitor", "login": "visitor", "password": "visitor-replica", "email": "v@example.com",
    "group_ids": [Command.set(env.ref("base.group_portal").ids)]})
visitor.partner_id.parent_id = customer
moves = env["account.move"].create([
    {"move_type": "out_invoice", "partner_id": customer.id, "company_id": one.id,
     "invoice_date": today - timedelta(days=60), "invoice_payment_term_id": False,
     "invoice_date_due": today - timedelta(days=days),
     "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100})]}
    for one in company | other for days in (40, 20, -5)])
moves.action_post()
env["ar.collection.run"]._run_for(company, today)
file = env["ar.credit.file"]._get_file(customer, company)
case = env["ar.collection.case"].search(
    [("partner_id", "=", customer.id), ("company_id", "=", company.id)])
plan = env["ar.payment.plan"].create({"partner_id": customer.id, "company_id": company.id})
plan.action_distribute()
plan.action_propose()
acknowledgement = env["ar.debt.acknowledgement"].create(
    {"partner_id": customer.id, "company_id": company.id})
acknowledgement.action_send()
account = env["account.account"].search([("account_type", "=", "expense")], limit=1)
company.ar_allowance_account_id = company.ar_allowance_expense_account_id = account
allowance = env["ar.allowance.run"].create({"company_id": company.id, "date": today})
allowance.action_compute()
lines = moves[:3].line_ids.filtered(lambda line: line.account_type == "asset_receivable")
env.cr.commit()
print("RESULT" + json.dumps({
    "companies": (company | other).ids, "file": file.id, "case": case.id, "move": moves[0].id,
    "items": lines.ids, "plan": plan.id, "acknowledgement": acknowledgement.id,
    "allowance": allowance.id, "partner": customer.id, "token": file._portal_token(today),
    "currency": company.currency_id.id,
    "models": {name: list(env[name].with_user(manager).fields_get(attributes=["type"]))
               for name in sorted(env.registry) if name.startswith("ar.")
               and not env[name]._abstract and not env[name]._transient},
}))
"""
#: how the last part of a line about a request says where it was served
SERVED = re.compile(r'"(GET|POST|HEAD) (\S+) HTTP[^"]*" (\d+) .* (ro|rw|ro->rw)\s*$')
#: what is computed for each customer and shown in lists and forms, by methods that take no record
COUNTERS = "/my/counters", {"counters": ["receivable_count", "invoice_count"]}


@pytest.fixture(scope="module")
def session():
    with open_session() as opened:
        yield opened


@pytest.fixture(scope="module")
def database(session):
    name = f"ar_replica_{os.getpid()}"
    databases.clone(session, databases.ensure_ready(session), name)
    yield name
    databases.drop(session, name)


@pytest.fixture(scope="module")
def ledger(session, database):
    """What there is in the database, by its numbers."""
    result = session.odoo(
        "shell", "-d", database, "--no-http", "--log-level=critical",
        input=f"exec({SET_UP!r})\n", capture_output=True, check=False,
    )  # fmt: skip
    assert "RESULT" in result.stdout, result.stderr[-3000:]
    return json.loads(result.stdout.rpartition("RESULT")[2])


class Server:
    """Odoo with a primary and a standby, and what their logs say of each request."""

    def __init__(self, address, log, standby_log):
        self.address = address
        self.log = log
        self.standby_log = standby_log
        self.web = requests.Session()

    def login(self, name):
        self.web = requests.Session()
        if name:
            self.call(
                "/web/session/authenticate",
                db=self.database, login=name, password=f"{name}-replica",
            )  # fmt: skip

    def get(self, path, **params):
        return self.web.get(self.address + path, params=params, timeout=60)

    def call(self, path, **params):
        response = self.web.post(self.address + path, json={"params": params}, timeout=60).json()
        assert "error" not in response, (path, response["error"]["data"]["debug"])
        return response["result"]

    def ask(self, model, method, *args, path="call_kw", **kwargs):
        return self.call(
            f"/web/dataset/{path}/{model}.{method}",
            model=model, method=method, args=list(args), kwargs=kwargs,
        )  # fmt: skip

    def served(self):
        """``[(verb, path, status, ro or rw)]`` since it was asked last, and forget them."""
        time.sleep(0.05)
        found = [SERVED.search(line) for line in self.log.read().splitlines() or ()]
        return [match.groups() for match in found if match]

    def asked(self):
        """What the standby was asked since it was asked last."""
        return self.standby_log.read()


@pytest.fixture(scope="module")
def server(session, database, ledger, tmp_path_factory):
    if not session.private_server:
        pytest.skip("the standby is one of the workspace's own server")
    postgres = PrivateServer(ensure_runtime())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    session.sql(
        "INSERT INTO ir_config_parameter (key, value) VALUES ('report.url', "
        f"'{address}') ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
        database,
    )
    path = tmp_path_factory.mktemp("replica") / "odoo.log"
    with postgres.standby() as (standby, standby_log), open(path, "w") as output:
        process = subprocess.Popen(
            [session.python, ODOO, "-d", database, f"--http-port={port}", "--log-level=info",
             f"--db_replica_host={postgres.socket}", f"--db_replica_port={standby}"],
            env=session.env, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            with open(path) as log, open(standby_log) as questions:
                served = Server(address, log, questions)
                served.path, served.database = path, database
                end = time.monotonic() + 60
                while time.monotonic() < end and process.poll() is None:
                    with contextlib.suppress(requests.ConnectionError):
                        if requests.get(f"{address}/web/health", timeout=60).ok:
                            break
                    time.sleep(0.2)
                yield served
        finally:
            process.kill()
            process.wait()


def visit(server, paths, **params):
    """Look at pages, and say how each was served."""
    server.served()
    for path in paths:
        response = server.get(path, **params)
        assert response.status_code == 200, (path, response.status_code, server.log.read())
    return {served for _verb, path, _status, served in server.served() if path.startswith("/my")}


def test_portal_by_link(server, ledger):
    """Pages, forms and papers that a link opens are read from the standby."""
    server.login(None)
    page = f"/my/receivables/{ledger['file']}"
    paper = f"/my/receivables/plan/{ledger['plan']}"
    server.asked()
    paths = [
        "/my/receivables",
        page,
        f"{page}/promise",
        f"{page}/dispute",
        f"{page}/pay",
        paper,
        f"/my/receivables/acknowledgement/{ledger['acknowledgement']}",
    ]
    token = ledger["token"]
    assert visit(server, paths, access_token=token) == {"ro"}
    assert visit(server, [paper], access_token=token, report_type="pdf") == {"ro"}
    assert visit(server, [f"{page}/pay"], access_token=token, currency=ledger["currency"]) == {"ro"}
    assert "ar_credit_file" in server.asked()
    # Odoo writes to an invoice that is rendered for the first time.
    assert visit(server, [f"{page}/invoice/{ledger['move']}"], access_token=token) == {"rw"}


def test_portal_by_login(server, ledger):
    server.login("visitor")
    server.served()
    assert visit(server, ["/my/receivables", "/my/credit-application"]) == {"ro"}
    path, counters = COUNTERS
    assert server.call(path, **counters)["receivable_count"]
    assert server.served()[-1][3] == "ro"


def test_what_was_written_is_seen(server, ledger):
    """Writing is for the primary, and so is the page that tells what was written."""
    server.login(None)
    page = f"/my/receivables/{ledger['file']}/promise"
    form = server.get(page, access_token=ledger["token"]).text
    csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)[1]
    server.served()
    response = server.web.post(
        server.address + page,
        data={
            "csrf_token": csrf, "access_token": ledger["token"], "item": ledger["items"][0],
            "amount": "50", "date": time.strftime("%Y-%m-%d", time.localtime(time.time() + 86400)),
            "name": "The owner",
        },
        timeout=60,
    )  # fmt: skip
    assert "done=promise" in response.url, response.text[-2000:]
    assert [(verb, served) for verb, path, _status, served in server.served()] == [
        ("POST", "rw"),
        ("GET", "rw"),
    ]


def test_lists_and_forms(server, ledger):
    """Each of our models, with every field that a manager may read."""
    server.login("manager")
    context = {"allowed_company_ids": ledger["companies"]}
    server.asked()
    server.served()
    for model, fields in ledger["models"].items():
        server.ask(
            model, "web_search_read", [], {name: {} for name in fields},
            limit=20, context=context,
        )  # fmt: skip
        assert [served for *_rest, served in server.served()] == ["ro"], model
    asked = server.asked()
    for table in ("account_move_line", "ar_collection_case", "ar_credit_file"):
        assert f'"{table}"' in asked, table


def test_buttons_that_open(server, ledger):
    server.login("manager")
    server.served()
    for model, number, methods in (
        ("ar.credit.file", ledger["file"], ("action_open_items", "action_open_history")),
        ("ar.collection.case", ledger["case"], ("action_open_items", "action_promise")),
        ("ar.allowance.run", ledger["allowance"], ("action_open_lines", "action_xlsx")),
        ("res.partner", ledger["partner"], ("action_open_receivable_items",)),
        ("ar.writeoff.request", 0, ("action_possible_recoveries",)),
    ):
        for method in methods:
            server.ask(model, method, *([[number]] if number else []), path="call_button")
            assert [served for *_rest, served in server.served()] == ["ro"], (model, method)


def test_downloads(server, ledger):
    server.login("manager")
    server.served()
    for path in (
        f"/ar_collections/allowance/{ledger['allowance']}/xlsx",
        f"/report/pdf/ar_collections.report_payment_plan/{ledger['plan']}",
        f"/report/pdf/ar_collections.statement/{ledger['file']}",
    ):
        assert server.get(path).status_code == 200, path
        assert ("GET", path, "200", "ro") in server.served(), path


def test_nothing_tried_to_write(server):
    """Of all requests above none was begun on the standby and done again on the primary."""
    log = server.path.read_text()
    found, again, rest = log.partition("retrying with a read/write cursor")
    assert not again, found[-300:] + again + rest[:6000]
    assert "ro->rw" not in log
    assert " ERROR " not in log
