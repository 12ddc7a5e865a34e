import logging
import threading
from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models, sql_db
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# A ledger of that size is indexed before anybody notices.
SMALL_LEDGER = 64 * 1024 * 1024
# How long until somebody looks whether a build was interrupted.
LOOK_AGAIN = timedelta(minutes=10)
# Any number that nobody else locks: one builds at a time, of all workers on all machines.
LOCK = 4_170_512_019


class LedgerIndex(NamedTuple):
    table: str
    definition: str

    @property
    def comment(self):
        """What Odoo notes on an index to see whether its definition is still the same."""
        return f"INDEX {self.definition}"


class ArLedgerIndex(models.AbstractModel):
    """The indexes that we add to Odoo's own tables, built while everybody goes on working.

    Odoo would build them in the transaction of the installation, and nobody could post until it
    ends. Without them everything works, only slower.
    """

    _name = "ar.ledger.index"
    _description = "Indexes of the Ledger"

    @api.model
    def _get_indexes(self):
        """``{name: LedgerIndex}``. An addon adds those of its tables here."""
        return {
            # Everything the figures read of an open item, so that the heap is not touched.
            "account_move_line_ar_open_item_idx": LedgerIndex(
                "account_move_line",
                "(account_id, partner_id) INCLUDE (id, company_id, date, date_maturity,"
                " amount_residual, move_id, no_followup)"
                " WHERE reconciled IS NOT TRUE AND parent_state = 'posted'"
                " AND amount_residual <> 0",
            ),
            # Entries that went back to draft keep their matching: they are few and must be found.
            "account_move_line_ar_unposted_matching_idx": LedgerIndex(
                "account_move_line",
                "(id) WHERE parent_state <> 'posted' AND matching_number IS NOT NULL",
            ),
            "account_move_line__ar_exclusion_end_index": LedgerIndex(
                "account_move_line", "(ar_exclusion_end) WHERE ar_exclusion_end IS NOT NULL"
            ),
            "account_move_line__ar_exclusion_user_id_index": LedgerIndex(
                "account_move_line",
                "(ar_exclusion_user_id) WHERE ar_exclusion_user_id IS NOT NULL",
            ),
            # Past dates undo what was matched after them.
            "account_partial_reconcile_ar_max_date_idx": LedgerIndex(
                "account_partial_reconcile", "(max_date)"
            ),
            # Who else has the tax number of a customer: see ``ar.credit.twin``.
            "res_partner_ar_tax_number_idx": LedgerIndex(
                "res_partner",
                "(UPPER(REGEXP_REPLACE(vat, '[^[:alnum:]]', '', 'g'))) WHERE vat IS NOT NULL",
            ),
            "account_payment_ar_in_process_idx": LedgerIndex(
                "account_payment", "(partner_id) WHERE state = 'in_process' AND move_id IS NULL"
            ),
        }

    @api.model
    def _get_missing(self):
        """``{name: LedgerIndex}`` of those that are not there, half built or out of date.

        An index that bears no comment was made by an administrator, and stays.
        """
        indexes = self._get_indexes()
        found = self.env.execute_query(
            SQL(
                """
                SELECT relname, OBJ_DESCRIPTION(pg_class.oid, 'pg_class')
                  FROM pg_class
                  JOIN pg_index ON indexrelid = pg_class.oid
                 WHERE relname IN %s AND relnamespace = current_schema::regnamespace
                   AND indisvalid
                """,
                tuple(indexes),
            )
        )
        built = {name for name, comment in found if comment in (None, indexes[name].comment)}
        return {name: index for name, index in indexes.items() if name not in built}

    @api.model
    def _build(self):
        """Build what is missing, at once in a small ledger and else by the job."""
        missing = self._get_missing()
        if not missing:
            return
        ((size,),) = self.env.execute_query(SQL("SELECT pg_relation_size('account_move_line')"))
        if size < SMALL_LEDGER:
            for name, index in missing.items():
                for statement in get_statements(name, index):
                    self.env.cr.execute(statement)
        else:
            self._call_job()

    @api.model
    def _call_job(self, at=None):
        self.env.ref("ar_collections.ir_cron_ledger_index")._trigger(at)

    @api.model
    def _cron_build(self):
        """Begin to build what is missing, and look again later.

        An index that does not block waits for the transactions that are open, among them that of
        the scheduler around this job, so that a thread has to build it. When that ends with its
        process, the next call begins again.

        :return: the thread, or ``None`` when nothing is missing
        """
        missing = self._get_missing()
        if not missing:
            return None
        self._call_job(fields.Datetime.now() + LOOK_AGAIN)
        thread = threading.Thread(
            target=build_concurrently,
            args=(self.env.cr.dbname, missing),
            name="ar_collections.ledger_index",
            daemon=True,
        )
        thread.start()
        return thread

    @api.model
    def _release_tables(self):
        """End the transaction that made our tables: their references keep others from writing.

        An installation that is interrupted after it goes on with the tables it finds.
        """
        cursor = self.env.cr
        cursor.commit()

    @api.model
    def _drop(self, names):
        for name in names:
            self.env.cr.execute(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(name)))


def get_statements(name, index, concurrently=False):
    """The statements that build an index in place of what may be there under its name."""
    mode = SQL("CONCURRENTLY") if concurrently else SQL()
    identifier = SQL.identifier(name)
    return (
        SQL("DROP INDEX %s IF EXISTS %s", mode, identifier),
        SQL(
            "CREATE INDEX %s %s ON %s %s",
            mode,
            identifier,
            SQL.identifier(index.table),
            SQL(index.definition),  # pylint: disable=sql-injection # ours, see _get_indexes
        ),
        SQL("COMMENT ON INDEX %s IS %s", identifier, index.comment),
    )


def build_concurrently(db_name, indexes):
    """Build indexes without keeping anybody from writing; one process at a time does so."""
    with sql_db.db_connect(db_name).cursor() as cr:
        # Each statement is a transaction of its own: there is no other way for PostgreSQL.
        cr._cnx.autocommit = True
        cr.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
        if not cr.fetchone()[0]:
            return
        try:
            for number, (name, index) in enumerate(indexes.items(), 1):
                _logger.info("Index %s (%d of %d): building", name, number, len(indexes))
                for statement in get_statements(name, index, concurrently=True):
                    cr.execute(statement)
            _logger.info("All %d indexes are built", len(indexes))
        finally:
            cr.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
