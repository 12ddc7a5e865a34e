"""Installing, updating and removing the addons, in real databases and by real commands.

What an addon leaves behind, or breaks in a company's data, no test inside a transaction can see.
"""

import os
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from workspace import databases
from workspace.layout import addons
from workspace.session import open_session

ROOT = Path(__file__).resolve().parents[1]
MAIN = "ar_collections"
QUIET = ("--stop-after-init", "--no-http", "--log-level=info")
PROBLEM = re.compile(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ", re.MULTILINE)

#: everything in the schema that has a name
SCHEMA = """
SELECT format('relation %s %s', relkind, relname) FROM pg_class
 WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT format('column %s.%s', attrelid::regclass, attname) FROM pg_attribute
  JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'
 WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint ' || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
#: what Odoo itself forgets when any addon with a mail.thread model goes
ODOOS_OWN = re.compile(r"ir_model_data (?!ar_)\w+\.(selection|model_inherit)__ar_")
#: records that describe the system; an addon has to take its own with it
RECORDS = {
    "ir_model": "model",
    "ir_model_fields": "model || '.' || name",
    "ir_model_access": "name",
    "ir_model_data": "module || '.' || name",
    "ir_ui_view": "id || ' ' || coalesce(key, '') || ' ' || name",
    "ir_ui_menu": "id::text",
    "ir_cron": "id::text",
    "ir_actions": "type || ' ' || id",
    "ir_rule": "name",
    "ir_default": "id::text",
    "ir_sequence": "id || ' ' || name",
    "ir_config_parameter": "key",
    "res_groups": "id::text",
    "res_groups_privilege": "id::text",
    "mail_template": "id::text",
    "mail_activity_type": "id::text",
    "mail_message_subtype": "id::text",
    "report_paperformat": "id::text",
    "account_account": "id::text",
    "account_journal": "id::text",
}
#: data of the company that installing and uninstalling must leave alone
BUSINESS = """
SELECT (SELECT count(*) FROM res_partner),
       (SELECT count(*) FROM account_move),
       (SELECT count(*) FROM account_move_line),
       (SELECT sum(amount_residual) FROM account_move_line),
       (SELECT count(*) FROM account_partial_reconcile)
"""
UNINSTALL = """
modules = env["ir.module.module"].search([("name", "in", {names}), ("state", "=", "installed")])
modules.button_immediate_uninstall()
"""
DO_BUSINESS = """
from datetime import date, timedelta
from odoo import Command

env["account.chart.template"].try_loading("generic_coa", env.company)
customer = env["res.partner"].create({"name": "Old Customer", "use_partner_credit_limit": True,
                                      "credit_limit": 900})
product = env["product.product"].create({"name": "Goods", "lst_price": 400, "is_storable": True})
invoices = env["account.move"].create([
    {
        "move_type": kind,
        "partner_id": customer.id,
        "invoice_date": date.today() - timedelta(days=days),
        "invoice_line_ids": [Command.create({"product_id": product.id, "quantity": number})],
    }
    for kind, days, number in (
        ("out_invoice", 90, 3), ("out_invoice", 40, 1), ("out_refund", 30, 1), ("out_invoice", 1, 2)
    )
])
invoices[:3].action_post()
for paid in (100, False):
    wizard = env["account.payment.register"].with_context(
        active_model="account.move", active_ids=invoices[:1].ids)
    wizard.create({"amount": paid} if paid else {})._create_payments()
order = env["sale.order"].create({
    "partner_id": customer.id, "order_line": [Command.create({"product_id": product.id})],
})
order.action_confirm()
assert order.picking_ids and order.state == "sale"
env.cr.commit()
print("business done")
"""
RUN_WITHOUT_CHART = """
from datetime import date
run = env["ar.collection.run"]
run._run_for(env.company, date.today())
company = env["res.company"].create({"name": "No chart yet"})
assert not company.chart_template
run._run_for(company, date.today())
env["account.chart.template"].try_loading("generic_coa", company)
assert company.chart_template == "generic_coa"
run._run_for(company, date.today())
env.cr.commit()
print("run finished")
"""
#: a company that keeps none of the steps, and of everything else all but the last
DELETE_SHIPPED = """
rows = env["ir.model.data"].search(
    [("module", "=", "ar_collections"), ("name", "in", {names})], order="id"
)
steps = rows.filtered(lambda row: row.model == "ar.collection.step")
last = {{row.model: row for row in rows - steps}}
gone = [(row.model, row.name, row.res_id) for row in (*steps, *last.values())]
for model, name, res_id in gone:
    env[model].browse(res_id).exists().unlink()
    print("deleted", name)
env.cr.commit()
"""


@pytest.fixture(scope="module")
def session():
    with open_session() as opened:
        yield opened


@pytest.fixture
def database(session):
    name = f"ar_life_{os.getpid()}"
    databases.drop(session, name)
    yield name
    databases.drop(session, name)


def odoo(session, *args, **kwargs):
    """Run Odoo, expect success and a log without a single warning; return its output."""
    kwargs = {"check": False, "capture_output": True, "timeout": 600, **kwargs}
    result = session.odoo(*args, **kwargs)
    command = " ".join(args)
    assert result.returncode == 0, f"odoo {command}\n{result.stderr[-3000:]}"
    problems = [line for line in result.stderr.splitlines() if PROBLEM.match(line)]
    assert not problems, f"odoo {command}\n" + "\n".join(problems)
    assert "Traceback" not in result.stderr, f"odoo {command}\n{result.stderr[-3000:]}"
    return result.stdout


def system(session, database):
    """Names of all that Odoo and PostgreSQL know in this database."""
    found = set(session.sql(SCHEMA, database).splitlines())
    for table, expression in RECORDS.items():
        rows = session.sql(f"SELECT {expression} FROM {table}", database)
        found.update(f"{table} {row}" for row in rows.splitlines())
    return found


def install(session, database):
    odoo(session, "-d", database, "-i", ",".join(addons()), *QUIET)
    states = session.sql(
        "SELECT name || ' ' || state FROM ir_module_module WHERE name LIKE 'ar\\_collections%'",
        database,
    )
    assert sorted(states.splitlines()) == sorted(f"{name} installed" for name in addons())


def test_used_database(session, database):
    """Install, update, uninstall and install again where invoices exist already."""
    databases.clone(session, databases.ensure_template(session), database)
    output = odoo(session, "shell", "-d", database, "--no-http", input=DO_BUSINESS)
    assert "business done" in output
    business = session.sql(BUSINESS, database)
    before = system(session, database)

    install(session, database)
    installed = system(session, database)
    assert installed > before
    assert session.sql(BUSINESS, database) == business

    odoo(session, "-d", database, "-u", ",".join(addons()), *QUIET)
    assert system(session, database) == installed, "an update changes what an install has made"
    assert session.sql(BUSINESS, database) == business

    script = UNINSTALL.format(names=list(addons()))
    odoo(session, "shell", "-d", database, "--no-http", input=script)
    after = system(session, database)
    left = {name for name in after - before if not ODOOS_OWN.match(name)}
    assert sorted(left) == [], "left behind by the uninstallation"
    assert sorted(before - after) == [], "taken away by the uninstallation"
    assert session.sql(BUSINESS, database) == business

    install(session, database)
    assert session.sql(BUSINESS, database) == business


def test_empty_database(session, database):
    """Install before there is a chart of accounts; the daily run copes with and without one."""
    databases.create_empty(session, database)
    options = ["--skip-auto-install", *QUIET]
    odoo(session, "-d", database, "-i", next(iter(addons())), *options)
    output = odoo(session, "shell", "-d", database, "--no-http", input=RUN_WITHOUT_CHART)
    assert "run finished" in output


def shipped():
    """XML ids of the configuration that is created once."""
    return {
        record.get("id")
        for path in (ROOT / "ar_collections/data").glob("*.xml")
        for record in ElementTree.parse(path).iter("record")
        if record.get("forcecreate") == "0" and "." not in record.get("id")
    }


def test_deleted_configuration_stays_away(session, database):
    """A new install has all that is shipped; an update brings back nothing of it."""
    databases.create_empty(session, database)
    options = ["--skip-auto-install", *QUIET]
    odoo(session, "-d", database, "-i", "ar_collections", *options)
    names = f"SELECT name FROM ir_model_data WHERE module = '{MAIN}'"
    assert shipped() <= set(session.sql(names, database).splitlines())
    script = DELETE_SHIPPED.format(names=sorted(shipped()))
    output = odoo(session, "shell", "-d", database, "--no-http", input=script)
    deleted = set(re.findall(r"deleted (\w+)", output))
    assert len(deleted) > 20, output
    # What belongs to a record goes with it.
    kept = shipped() & set(session.sql(names, database).splitlines())
    assert not kept & deleted
    odoo(session, "-d", database, "-u", MAIN, *options)
    assert shipped() & set(session.sql(names, database).splitlines()) == kept


def test_commands_help(session):
    """Every command of the workspace explains itself without setting anything up."""
    for name in ("demo", "test", "bench", "lint"):
        command = [f"bin/{name}", "--help"]
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert f"bin/{name}" in result.stdout
