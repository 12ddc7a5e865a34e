"""Indexes of the ledger are no longer Odoo's to remove with the update."""

from odoo.tools import SQL

INDEXES = (
    "account_move_line_ar_open_item_idx",
    "account_move_line_ar_unposted_matching_idx",
    "account_partial_reconcile_ar_max_date_idx",
    "account_payment_ar_in_process_idx",
)


def migrate(cr, version):
    cr.execute(
        SQL(
            """
            WITH forgotten AS (
                DELETE FROM ir_model_constraint WHERE name IN %s RETURNING id
            )
            DELETE FROM ir_model_data
             USING forgotten
             WHERE model = 'ir.model.constraint' AND res_id = forgotten.id
            """,
            INDEXES,
        )
    )
