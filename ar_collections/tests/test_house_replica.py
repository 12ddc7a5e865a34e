"""What only reads says so, and is served by a read replica: kept in ``remote_reads.txt``.

The table has a line for each route of ours and each public method there and on the models that we
extend. What is new fails until it is listed: ``AR_TEST_RECORD=1 bin/test
tests/test_house_replica.py`` writes the file anew; look at each line of the difference.
"""

import os
from pathlib import Path

from psycopg2.errors import ReadOnlySqlTransaction

from odoo import http
from odoo.service.model import call_kw
from odoo.tools import mute_logger

from ..controllers.portal import reads
from .test_house_rights import RemoteCommon, Undo

TABLE = Path(__file__).parent / "remote_reads.txt"
ROUTES = {True: "reads", False: "writes", reads: "reads when it is looked at"}
#: what has nothing to write in the example, or may not be told what was true a moment ago
WRITES = {
    "account.move.action_ask_again",
    "account.move.line.action_ask_again",
    "ar.ageing.snapshot.action_fill",
    "ar.collection.action.action_send",
    "ar.collection.assign.action_assign",
    "ar.collection.case.action_legal_decision",
    "ar.collection.case.action_placement",
    "ar.collection.case.action_resume",
    "ar.collection.exclusion.action_exclude",
    "ar.collection.pause.action_pause",
    "ar.collection.print.action_download",
    "ar.collection.run.action_preview",
    "ar.collection.stage.move.action_move",
    "ar.credit.file.action_accept_terms",
    "ar.credit.file.action_confirm_hold",
    "ar.credit.file.action_decline_hold",
    "ar.credit.file.action_decline_terms",
    "ar.credit.file.action_start_review",
    "ar.credit.hold.action_hold",
    "ar.credit.hold.action_release",
    "ar.late.charge.waive.action_waive",
    "ar.writeoff.recover.action_book",
    "res.partner.action_open_credit_file",
}


class TestReads(RemoteCommon):
    def _get_routes(self):
        """``(address, routing)`` of each route of ours."""
        for url, endpoint in http._generate_routing_rules(
            sorted(self.env.registry._init_modules), nodb_only=False
        ):
            if endpoint.func.__module__.startswith("odoo.addons.ar_collections"):
                yield url, endpoint.routing

    def _get_calls(self):
        """``(record, method, whether it says that it only reads)``"""
        for _name, record in sorted(self._get_examples().items()):
            for method in self._get_methods(record):
                # As Odoo looks for it when it is called.
                marks = (getattr(part, method, None) for part in type(record).mro())
                says = (mark._readonly for mark in marks if hasattr(mark, "_readonly"))
                yield record, method, next(says, False)

    def _describe(self):
        routes = {f"{url}: {ROUTES[routing['readonly']]}" for url, routing in self._get_routes()}
        calls = (
            f"{record._name}.{method}(): {'reads' if only_reads else 'writes'}"
            for record, method, only_reads in self._get_calls()
        )
        return "\n".join([*sorted(routes), *calls, ""])

    def test_table_is_kept(self):
        found = self._describe()
        if os.environ.get("AR_TEST_RECORD"):
            TABLE.write_text(found)
        self.maxDiff = None
        self.assertEqual(
            TABLE.read_text().splitlines(), found.splitlines(), "see the head of the file"
        )

    def test_methods_do_as_they_say(self):
        """Whatever role calls it, what says that it reads does not try to write; what passes
        without having written anything says so."""
        liars, silent = set(), set()
        for record, method, only_reads in self._get_calls():
            name = f"{record._name}.{method}"
            for user in self.users.values():
                self._lend(record, user)
                outcome = self._call_on_replica(user, record, method)
                if only_reads and outcome == "wrote":
                    liars.add(name)
                elif not only_reads and outcome == "read":
                    silent.add(name)
        self.assertFalse(liars, "say that they read, and write")
        self.assertEqual(silent - WRITES, set(), "write nothing, and do not say so")
        self.assertFalse(WRITES - silent, "no exceptions any more")

    def _call_on_replica(self, user, record, method):
        """``read``, ``wrote`` or ``refused``: where nothing can be written."""
        is_model = getattr(getattr(type(record), method), "_api_model", False)
        outcome = "refused"
        self.env.flush_all()
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db", "odoo.addons.base"):
                self.env.cr.execute("SET LOCAL transaction_read_only = on")
                records = self.env(user=user, su=False)[record._name]
                call_kw(records, method, [] if is_model else [record.ids], {})
                self.env.flush_all()
                outcome = "read"
                raise Undo
        except ReadOnlySqlTransaction:
            outcome = "wrote"
        except Exception as refused:  # noqa: BLE001 (for what it is, not for how it reads)
            if isinstance(refused.__cause__, ReadOnlySqlTransaction):
                outcome = "wrote"
        self.env.invalidate_all(flush=False)
        return outcome
