"""Installing on a ledger in use: nobody waits for it, and its indexes are built beside the work."""

import os

import pytest

from workspace import databases
from workspace.session import open_session

#: Locks that keep others from reading or from writing a table.
STRONG = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
INSTALL = f"""
from odoo.modules import loading
from odoo.addons.ar_collections.models.common import ledger_index
from odoo.addons.ar_collections import hooks

ledger_index.SMALL_LEDGER = 0
seen = []

def look(env, when):
    env.cr.execute(
        '''SELECT relation::regclass::text, mode FROM pg_locks
            WHERE pid = pg_backend_pid() AND mode IN {STRONG} AND relation::regclass::text IN
                  ('account_move', 'account_move_line', 'account_partial_reconcile',
                   'account_payment', 'res_partner', 'res_company', 'mail_message')''')
    seen.append((when, env.cr.fetchall()))

def load_data(env, idref, mode, kind, package):
    load(env, idref, mode, kind=kind, package=package)
    if package.name == "ar_collections" and kind == "data":
        look(env, "data")

load, loading.load_data = loading.load_data, load_data
env["ir.module.module"].search([("name", "=", "ar_collections")]).button_immediate_install()
assert seen == [("data", [])], seen
print("nobody waited")
"""
BUILD = """
job = env["ar.ledger.index"]
env.cr.commit()
thread = job._cron_build()
env.cr.commit()
thread.join(120)
assert not thread.is_alive()
assert not job._get_missing(), job._get_missing()
assert job._cron_build() is None
print("built")
"""
#: what a build leaves that was killed, and an index of an older version
BROKEN = """
UPDATE pg_index SET indisvalid = FALSE
 WHERE indexrelid = 'account_move_line_ar_open_item_idx'::regclass;
COMMENT ON INDEX account_partial_reconcile_ar_max_date_idx IS 'INDEX (max_date, id)';
"""
COMMENTS = """
SELECT obj_description('account_partial_reconcile_ar_max_date_idx'::regclass),
       obj_description('account_payment_ar_in_process_idx'::regclass)
"""


@pytest.fixture(scope="module")
def session():
    with open_session() as opened:
        yield opened


@pytest.fixture(scope="module")
def database(session):
    name = f"ar_installation_{os.getpid()}"
    databases.drop(session, name)
    databases.clone(session, databases.ensure_template(session), name)
    yield name
    databases.drop(session, name)


def shell(session, database, script):
    result = session.odoo(
        "shell",
        "-d",
        database,
        "--no-http",
        input=script,
        check=False,
        capture_output=True,
        timeout=600,
    )
    return result.stdout + result.stderr[-3000:]


def test_installation(session, database):
    """In the order in which it happens: install, build, be interrupted, build again."""
    # The name is taken by an index that an administrator made: it stays.
    session.sql(
        "CREATE INDEX account_payment_ar_in_process_idx ON account_payment (partner_id)", database
    )
    assert "nobody waited" in shell(session, database, INSTALL)
    assert "built" in shell(session, database, BUILD)

    session.sql(BROKEN, database)
    assert "built" in shell(session, database, BUILD)
    assert session.sql(COMMENTS, database).split("|") == ["INDEX (max_date)", ""]
