"""bin/demo: serve Odoo with the addon and demo data."""

import argparse
import os
import socket

from .browser import ensure_browser
from .console import WorkspaceError, run_in_foreground, say, stage_report
from .databases import ensure_database
from .layout import ROOT
from .postgres import use_config_file
from .session import ODOO, open_session

DATABASE = "ar_demo"
PORT = 8069
USAGE = """\
Set everything up (first time: some minutes and 1.5 GB in .dev/) and serve Odoo 19 with this addon
and demo data on http://127.0.0.1:8069, user admin, password admin. Ctrl-C stops it."""
EPILOG = """\
A private PostgreSQL is used. For one of your own set PGHOST, PGPORT, PGUSER and PGPASSWORD, or
give --config with an odoo.conf that has db_host, db_port, db_user and db_password."""


def main(args):
    options, odoo_args = _parse(args)
    if options.config:
        use_config_file(options.config)
    ensure_browser()
    with open_session() as session:
        ensure_database(session, DATABASE, demo=True, fresh=options.reset)
        port = _free_port(options.port)
        say("set-up:", stage_report())
        _greet(port)
        command = [session.python, ODOO, "-d", DATABASE, "--db-filter", f"^{DATABASE}$",
                   "--http-port", port, "--gevent-port", _free_port(port + 3),
                   "--max-cron-threads", "1", "--log-level", "warn", *odoo_args]  # fmt: skip
        code = run_in_foreground(command, env=session.env, cwd=ROOT)
        say("stopped; bin/demo goes on with the same data, bin/demo --reset with fresh ones")
        return code


def _parse(args):
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description=USAGE,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", metavar="FILE", help="odoo.conf with your own PostgreSQL")
    parser.add_argument("--port", type=int, default=int(os.environ.get("ODOO_HTTP_PORT", PORT)))
    parser.add_argument("--reset", action="store_true", help="start again with fresh demo data")
    return parser.parse_known_args(args)


def _free_port(wanted):
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise WorkspaceError(f"no free port from {wanted} on; choose one with --port")


def _greet(port):
    say("")
    say(f"  Odoo:  http://127.0.0.1:{port}    user admin, password admin")
    say("  Then:  menu Collections > My worklist (what to do today), Cases (all customers)")
    say("  Stop:  Ctrl-C")
    say("")
